"""Signing in: password, second factor, session; and slowing down whoever guesses.

Guessing is bounded three ways: for one login from one network, for one network, and for one
login from networks that the person never came from.  So nobody who only knows a login can keep
its owner out from where the owner works.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.errors import SignInError, SlowDownError, WeakPasswordError
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.roles import Visitor
from gateway.services.people.secrets import fault_of, new_code, new_token
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

WINDOW: Final = timedelta(minutes=15)
PER_LOGIN_AND_NETWORK, PER_NETWORK, PER_LOGIN = 5, 50, 50
REMEMBERED: Final = timedelta(days=30)
RECOVERY_CODES: Final = 10
_RECOVERY_DAYS: Final = timedelta(days=3650)
_SEEN_EVERY: Final = timedelta(minutes=1)
_LONGEST_LOGIN: Final = 60
_WRONG: Final = "the login, the password or the code is wrong"


class Step(StrEnum):
    """Names what a person has to do before the console is open to them."""

    FACTOR = "FACTOR"
    ENROL = "ENROL"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Is a session that was just opened, with the token that only the browser keeps."""

    token: str
    visitor: Visitor

    def __repr__(self) -> str:
        return f"Entry({self.visitor.person.login})"


def sign_in(desk: PeopleDesk, login: str, password: str, origin: Origin) -> Entry:
    """Return a new session of whoever has this login and password.

    Raises:
        SignInError: they are wrong; which of them is not said.
        SlowDownError: too many tries.
    """
    now, name = desk.clock(), canonical_login(login)
    with desk.store.read() as conn:
        person = people.find(conn, name)
        _require_patience(conn, desk, name, origin, person, now)
    right = desk.secrets.is_password(password, None if person is None else person.password_hash)
    with desk.store.begin() as conn:
        if person is not None and right and _may_enter(conn, person):
            _renew_hash(conn, desk, person, password, now)
            return _open(conn, desk, person, origin, now)
        _note_failure(conn, desk, name, origin, person, now)
    raise SignInError(_WRONG)


def welcome(desk: PeopleDesk, login: str, code: str, password: str, origin: Origin) -> Entry:
    """Return a new session of whoever was given this one-time code; sets their password.

    Raises:
        SignInError: login and code do not belong together, or the code has ended.
        SlowDownError: too many tries.
        WeakPasswordError: the password is too easy.
    """
    now, name = desk.clock(), canonical_login(login)
    with desk.store.read() as conn:
        person = people.find(conn, name)
        _require_patience(conn, desk, name, origin, person, now)
    _require_strong(password, name)
    mac = desk.secrets.code_mac(name, code)
    with desk.store.begin() as conn:
        if person is not None and _takes_code(conn, person, mac, now):
            _require_strong(password, *_names(conn, person))
            people.end_sessions(conn, person, at=now)
            person = _set_password(conn, desk, person, password, now)
            return _open(conn, desk, person, origin, now)
        _note_failure(conn, desk, name, origin, person, now)
    raise SignInError(_WRONG)


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


def next_step(desk: PeopleDesk, visitor: Visitor) -> Step | None:
    """Return what the person still has to do, None when the console is open to them."""
    if visitor.has_factor:
        return None
    if visitor.person.factor_confirmed:
        return Step.FACTOR
    return Step.ENROL if desk.terms.needs_factor else None


def show_factor(desk: PeopleDesk, visitor: Visitor, code: str, origin: Origin) -> Entry:
    """Return the session that the second factor opens, under a new token.

    Raises:
        SignInError: the code is wrong, used or late.
        SlowDownError: too many tries.
    """
    now, person = desk.clock(), visitor.person
    with desk.store.read() as conn:
        _require_patience(conn, desk, person.login, origin, person, now)
    with desk.store.begin() as conn:
        if _is_code(conn, desk, person, code, now) or _is_recovery(conn, desk, person, code, now):
            return _open_wholly(conn, desk, visitor, origin, now)
        _note_failure(conn, desk, person.login, origin, person, now)
    raise SignInError(_WRONG)


def enrol(desk: PeopleDesk, visitor: Visitor) -> tuple[Person, str]:
    """Return the person and the seed of a second factor that awaits its first code."""
    person = visitor.person
    if person.factor_confirmed or person.factor_version == 0:
        with desk.store.begin() as conn:
            person = people.change(
                conn,
                person,
                at=desk.clock(),
                factor_version=person.factor_version + 1,
                factor_confirmed=False,
                factor_step=0,
            )
    return person, desk.secrets.seed(person.id, person.factor_version)


def confirm_factor(
    desk: PeopleDesk, visitor: Visitor, code: str, origin: Origin
) -> tuple[Entry, tuple[str, ...]]:
    """Return the session that the first code opens, and recovery codes, shown this once.

    Raises:
        SignInError: the code is wrong.
        SlowDownError: too many tries.
    """
    now, person = desk.clock(), visitor.person
    with desk.store.read() as conn:
        _require_patience(conn, desk, person.login, origin, person, now)
    with desk.store.begin() as conn:
        if not person.factor_version or not _is_code(conn, desk, person, code, now):
            _note_failure(conn, desk, person.login, origin, person, now)
        else:
            person = people.change(conn, person, at=now, factor_confirmed=True)
            codes = _new_recovery_codes(conn, desk, person, now)
            people.note(
                conn,
                person.login,
                JournalAction.SECOND_FACTOR_SET,
                at=now,
                actor=visitor.actor,
            )
            return _open_wholly(conn, desk, visitor, origin, now), codes
    raise SignInError(_WRONG)


def change_password(desk: PeopleDesk, visitor: Visitor, present: str, new: str) -> None:
    """Set a new password; every other session of the person ends.

    Raises:
        SignInError: the present password is wrong.
        WeakPasswordError: the new one is too easy.
    """
    now, person = desk.clock(), visitor.person
    if not desk.secrets.is_password(present, person.password_hash):
        raise SignInError(_WRONG)
    with desk.store.begin() as conn:
        _require_strong(new, *_names(conn, person))
        _set_password(conn, desk, person, new, now)
        people.end_sessions(conn, person, at=now, but=visitor.session_id)


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


def sessions_of(desk: PeopleDesk, visitor: Visitor) -> tuple[ConsoleSession, ...]:
    """Return the open sessions of a person, the last used first."""
    with desk.store.read() as conn:
        found = people.open_sessions(
            conn, visitor.person, seen_after=desk.clock() - desk.terms.idle
        )
    return tuple(each for each in found if _is_open(desk, each, desk.clock()))


def canonical_login(login: str) -> str:
    """Return a login as it is kept: lower case, without blanks around it."""
    return login.strip().lower()[:_LONGEST_LOGIN]


def _require_strong(password: str, *known: str) -> None:
    fault = fault_of(password, known=known)
    if fault is not None:
        raise WeakPasswordError(fault)


def _names(conn: Connection, person: Person) -> tuple[str, ...]:
    """Return what somebody who knows the person would try first."""
    owner = people.organisation_of(conn, person)
    return (person.login, *person.name.split(), owner.code, *owner.name.split())


def _require_patience(
    conn: Connection,
    desk: PeopleDesk,
    login: str,
    origin: Origin,
    person: Person | None,
    now: datetime,
) -> None:
    since, mac = now - WINDOW, desk.secrets.mac("login", login)
    here = people.failures_since(conn, since, login_mac=mac, network=origin.network)
    network = people.failures_since(conn, since, network=origin.network)
    login_everywhere = people.failures_since(conn, since, login_mac=mac)
    known = person is not None and people.was_here(
        conn, person, origin.network, since=now - REMEMBERED
    )
    too_many = login_everywhere >= PER_LOGIN and not known
    if here >= PER_LOGIN_AND_NETWORK or network >= PER_NETWORK or too_many:
        raise SlowDownError("too many tries to sign in", retry_after=WINDOW.total_seconds())


def _note_failure(
    conn: Connection,
    desk: PeopleDesk,
    login: str,
    origin: Origin,
    person: Person | None,
    now: datetime,
) -> None:
    mac = desk.secrets.mac("login", login)
    people.add_failure(conn, at=now, login_mac=mac, network=origin.network)
    if person is not None:
        people.note(
            conn,
            login,
            JournalAction.PERSON_TURNED_AWAY,
            at=now,
            actor="console",
            detail={"network": origin.network},
        )


def _may_enter(conn: Connection, person: Person) -> bool:
    owner = people.organisation_of(conn, person)
    active = owner.state is OrganisationState.ACTIVE
    return active and person.state is PersonState.ACTIVE


def _takes_code(conn: Connection, person: Person, mac: str, now: datetime) -> bool:
    return _may_enter(conn, person) and people.use_code(
        conn, person, mac, is_recovery=False, at=now
    )


def _renew_hash(
    conn: Connection, desk: PeopleDesk, person: Person, password: str, now: datetime
) -> None:
    kept = person.password_hash
    if kept is not None and desk.secrets.is_outdated(kept):
        people.change(conn, person, at=now, password_hash=desk.secrets.hash_password(password))


def _set_password(
    conn: Connection, desk: PeopleDesk, person: Person, password: str, now: datetime
) -> Person:
    kept = desk.secrets.hash_password(password)
    changed = people.change(conn, person, at=now, password_hash=kept, password_set_at=now)
    actor = f"user:{person.login}"
    people.note(conn, person.login, JournalAction.PASSWORD_SET, at=now, actor=actor)
    return changed


def _is_code(conn: Connection, desk: PeopleDesk, person: Person, code: str, now: datetime) -> bool:
    step = desk.secrets.step_of(desk.secrets.seed(person.id, person.factor_version), code, now)
    return step is not None and people.use_step(conn, person, step)


def _is_recovery(
    conn: Connection, desk: PeopleDesk, person: Person, code: str, now: datetime
) -> bool:
    mac = desk.secrets.code_mac(person.login, code)
    if not people.use_code(conn, person, mac, is_recovery=True, at=now):
        return False
    left = people.codes_left(conn, person, at=now)
    people.note(
        conn,
        person.login,
        JournalAction.RECOVERY_CODE_USED,
        at=now,
        actor=f"user:{person.login}",
        detail={"left": left},
    )
    return True


def _new_recovery_codes(
    conn: Connection, desk: PeopleDesk, person: Person, now: datetime
) -> tuple[str, ...]:
    made = tuple(new_code() for _ in range(RECOVERY_CODES))
    macs = [desk.secrets.code_mac(person.login, each) for each in made]
    people.add_codes(conn, person, macs, is_recovery=True, expires_at=now + _RECOVERY_DAYS)
    return made


def _open(
    conn: Connection, desk: PeopleDesk, person: Person, origin: Origin, now: datetime
) -> Entry:
    """Open a session; it is whole only once the second factor was shown, where one is due."""
    whole = not person.factor_confirmed and not desk.terms.needs_factor
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
        ),
    )
    if whole:
        person = _note_entry(conn, desk, person, origin, now)
    owner = people.organisation_of(conn, person)
    return Entry(token=token, visitor=_visitor(desk, opened, person, owner))


def _open_wholly(
    conn: Connection, desk: PeopleDesk, visitor: Visitor, origin: Origin, now: datetime
) -> Entry:
    """Open a new session in the place of the one in which only the password was shown."""
    person = visitor.person
    people.end_sessions(conn, person, at=now, only=visitor.session_id)
    token = new_token()
    opened = people.open_session(
        conn,
        NewConsoleSession(
            token_mac=desk.secrets.mac("session", token),
            person_id=person.id,
            created_at=now,
            network=origin.network,
            agent=origin.agent,
            factor_at=now,
        ),
    )
    person = _note_entry(conn, desk, person, origin, now)
    return Entry(token=token, visitor=_visitor(desk, opened, person, visitor.organisation))


def _note_entry(
    conn: Connection, desk: PeopleDesk, person: Person, origin: Origin, now: datetime
) -> Person:
    mac = desk.secrets.mac("login", person.login)
    people.forgive(conn, login_mac=mac, network=origin.network)
    people.note(
        conn,
        person.login,
        JournalAction.PERSON_SIGNED_IN,
        at=now,
        actor=f"user:{person.login}",
        detail={"network": origin.network},
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
    )
