"""Linking an identity at the provider to an account: by who looks after it, or by its owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.errors import InputError, NotFoundError, SignInError
from gateway.services.people.desk import PeopleDesk
from gateway.services.people.id_token import SUBJECT
from gateway.services.people.roles import Visitor
from gateway.services.people.signing_in import canonical_login
from gateway.store import Identity, JournalAction, Person, identities, people

_SUBJECT: Final = re.compile(SUBJECT, re.ASCII)


def link(desk: PeopleDesk, login: str, subject: str, *, actor: str) -> Identity:
    """Link an identity to an account and return it.

    Args:
        subject: what the provider calls the person.

    Raises:
        NotFoundError: nobody has this login, or there is no provider here.
        InputError: no provider calls anybody so.
        ConflictError: identity or account are linked otherwise.
    """
    if not _SUBJECT.fullmatch(subject):
        raise InputError("a subject has 1 to 255 printable ASCII letters")
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        return _link(conn, desk, person, subject, actor)


def link_own(desk: PeopleDesk, visitor: Visitor, subject: str) -> Identity:
    """Link the identity that the provider has just stated to the visitor's own account.

    Raises:
        ConflictError: identity or account are linked otherwise.
    """
    with desk.store.begin() as conn:
        return _link(conn, desk, visitor.person, subject, visitor.actor)


def unlink(desk: PeopleDesk, login: str, *, actor: str) -> Person:
    """Take the identity of an account away and return whose it was; their sessions end.

    Raises:
        NotFoundError: nobody has this login, or no identity is linked.
    """
    now, issuer = desk.clock(), _issuer(desk)
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        gone = identities.unlink(conn, person, issuer)
        if gone is None:
            raise NotFoundError(f"no identity is linked to {person.login}")
        people.end_sessions(conn, person, at=now)
        _note(conn, person, JournalAction.PERSON_UNLINKED, gone, now, actor)
    return person


def identity_of(desk: PeopleDesk, person: Person) -> Identity | None:
    """Return the identity of an account at the provider of today, None without either."""
    if desk.provider is None:
        return None
    with desk.store.read() as conn:
        return identities.of_person(conn, person.id, desk.provider.terms.issuer)


def identities_here(desk: PeopleDesk) -> Mapping[int, Identity]:
    """Return the identities at the provider of today, by the id of their person."""
    if desk.provider is None:
        return {}
    with desk.store.read() as conn:
        return identities.by_person(conn, desk.provider.terms.issuer)


def require_password(desk: PeopleDesk, visitor: Visitor, password: str) -> None:
    """Return if the visitor shows the password of the account, as linking needs.

    Raises:
        SignInError: it is wrong.
    """
    if not desk.secrets.is_password(password, visitor.person.password_hash):
        raise SignInError("the password is wrong")


def _issuer(desk: PeopleDesk) -> str:
    if desk.provider is None:
        raise NotFoundError("nobody signs in through an identity provider here ([console.oidc])")
    return desk.provider.terms.issuer


def _link(conn: Connection, desk: PeopleDesk, person: Person, subject: str, actor: str) -> Identity:
    now = desk.clock()
    found, is_new = identities.link(conn, person, issuer=_issuer(desk), subject=subject, at=now)
    if is_new:
        _note(conn, person, JournalAction.PERSON_LINKED, found, now, actor)
    return found


def _note(
    conn: Connection,
    person: Person,
    action: JournalAction,
    identity: Identity,
    now: datetime,
    actor: str,
) -> None:
    detail = {"issuer": identity.issuer, "subject": identity.subject}
    people.note(conn, person.login, action, at=now, actor=actor, detail=detail)
