"""Sessions: opened by a password, made whole by a second factor, ended by time or by hand."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.roles import Visitor
from gateway.services.people.secrets import new_token
from gateway.store import (
    ConsoleSession,
    JournalAction,
    NewConsoleSession,
    Organisation,
    OrganisationState,
    Person,
    PersonState,
    people,
)

_SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Is a session that was just opened, with the token that only the browser keeps."""

    token: str
    visitor: Visitor

    def __repr__(self) -> str:
        return f"Entry({self.visitor.person.login})"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Says how somebody showed who they are.

    Attributes:
        through_provider: the identity provider says so; if not, a password or a code did.
        has_factor: a second factor was shown to the provider.
    """

    through_provider: bool = False
    has_factor: bool = False


def visitor_of(desk: PeopleDesk, token: str) -> Visitor | None:
    """Return who holds this session token, None if the session has ended or never was."""
    now, mac = desk.clock(), desk.secrets.mac("session", token)
    with desk.store.read() as conn:
        found = people.session(conn, mac)
    if found is None or not hmac.compare_digest(found[0].token_mac, mac):
        return None
    session, person, owner = found
    if not _is_open(desk, session, now) or person.state is not PersonState.ACTIVE:
        return None
    if owner.state is not OrganisationState.ACTIVE:
        return None
    if session.last_seen_at <= now - _SEEN_EVERY:
        with desk.store.begin() as conn:
            people.see(conn, session.id, at=now)
    return _visitor(desk, session, person, owner)


def sessions_of(desk: PeopleDesk, visitor: Visitor) -> tuple[ConsoleSession, ...]:
    """Return the open sessions of a person, the last used first."""
    with desk.store.read() as conn:
        found = people.open_sessions(
            conn, visitor.person, seen_after=desk.clock() - desk.terms.idle
        )
    return tuple(each for each in found if _is_open(desk, each, desk.clock()))


def sign_out(desk: PeopleDesk, visitor: Visitor, *, session_id: int | None = None) -> None:
    """End a session of the person: this one, or another of theirs."""
    now = desk.clock()
    with desk.store.begin() as conn:
        chosen = visitor.session_id if session_id is None else session_id
        if people.end_sessions(conn, visitor.person, at=now, only=chosen):
            people.note(
                conn,
                visitor.person.login,
                JournalAction.PERSON_SIGNED_OUT,
                at=now,
                actor=visitor.actor,
            )


def open_halfway(
    conn: Connection,
    desk: PeopleDesk,
    person: Person,
    origin: Origin,
    now: datetime,
    proof: Proof = Proof(),
) -> Entry:
    """Open a session; it is whole only once the second factor was shown, where one is due."""
    none_due = not person.factor_confirmed and not desk.terms.needs_factor
    whole = none_due or proof.has_factor
    return _open(conn, desk, person, origin, now, proof, whole=whole)


def open_wholly(
    conn: Connection, desk: PeopleDesk, visitor: Visitor, origin: Origin, now: datetime
) -> Entry:
    """Open a new session in the place of the one in which the second factor was not yet shown."""
    people.end_sessions(conn, visitor.person, at=now, only=visitor.session_id)
    proof = Proof(through_provider=visitor.through_provider)
    return _open(conn, desk, visitor.person, origin, now, proof, whole=True)


def _open(
    conn: Connection,
    desk: PeopleDesk,
    person: Person,
    origin: Origin,
    now: datetime,
    proof: Proof,
    *,
    whole: bool,
) -> Entry:
    token = new_token()
    opened = people.open_session(
        conn,
        NewConsoleSession(
            token_mac=desk.secrets.mac("session", token),
            person_id=person.id,
            created_at=now,
            network=origin.network,
            agent=origin.agent,
            factor_at=now if whole else None,
            through_provider=proof.through_provider,
        ),
    )
    if whole:
        person = _note_entry(conn, desk, person, origin, now, proof)
    owner = people.organisation_of(conn, person)
    return Entry(token=token, visitor=_visitor(desk, opened, person, owner))


def _note_entry(
    conn: Connection,
    desk: PeopleDesk,
    person: Person,
    origin: Origin,
    now: datetime,
    proof: Proof,
) -> Person:
    mac = desk.secrets.mac("login", person.login)
    people.forgive(conn, login_mac=mac, network=origin.network)
    people.note(
        conn,
        person.login,
        JournalAction.PERSON_SIGNED_IN,
        at=now,
        actor=f"user:{person.login}",
        detail={
            "network": origin.network,
            "through": "provider" if proof.through_provider else "password",
        },
    )
    return people.change(conn, person, at=now, last_signed_in_at=now)


def _is_open(desk: PeopleDesk, session: ConsoleSession, now: datetime) -> bool:
    idle = now - session.last_seen_at >= desk.terms.idle
    old = now - session.created_at >= desk.terms.whole
    return session.ended_at is None and not idle and not old


def _visitor(
    desk: PeopleDesk, session: ConsoleSession, person: Person, owner: Organisation
) -> Visitor:
    return Visitor(
        person=person,
        organisation=owner,
        session_id=session.id,
        has_factor=session.factor_at is not None,
        ends_at=session.created_at + desk.terms.whole,
        through_provider=session.through_provider,
    )
