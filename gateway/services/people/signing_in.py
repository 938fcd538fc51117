"""Signing in with a password, or with a one-time code that sets one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.errors import SignInError, WeakPasswordError
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.patience import note_failure, require_patience
from gateway.services.people.roles import Visitor
from gateway.services.people.secrets import fault_of
from gateway.services.people.sessions import Entry, open_halfway
from gateway.store import JournalAction, OrganisationState, Person, PersonState, people

_LONGEST_LOGIN: Final = 60
_WRONG: Final = "the login, the password or the code is wrong"


def sign_in(desk: PeopleDesk, login: str, password: str, origin: Origin) -> Entry:
    """Return a new session of whoever has this login and password.

    Raises:
        LocalAccountsOffError: no password opens anything here.
        SignInError: they are wrong; which of them is not said.
        SlowDownError: too many tries.
    """
    desk.require_local_accounts()
    now, name = desk.clock(), canonical_login(login)
    with desk.store.read() as conn:
        person = people.find(conn, name)
        require_patience(conn, desk, name, origin, person, now)
    right = desk.secrets.is_password(password, None if person is None else person.password_hash)
    with desk.store.begin() as conn:
        if person is not None and right and _may_enter(conn, person):
            _renew_hash(conn, desk, person, password, now)
            return open_halfway(conn, desk, person, origin, now)
        note_failure(conn, desk, name, origin, person, now)
    raise SignInError(_WRONG)


def welcome(desk: PeopleDesk, login: str, code: str, password: str, origin: Origin) -> Entry:
    """Return a new session of whoever was given this one-time code; sets their password.

    This is the owner's way in where people sign in through a provider only.

    Raises:
        SignInError: login and code do not belong together, or the code has ended.
        SlowDownError: too many tries.
        WeakPasswordError: the password is too easy.
    """
    now, name = desk.clock(), canonical_login(login)
    with desk.store.read() as conn:
        person = people.find(conn, name)
        require_patience(conn, desk, name, origin, person, now)
    _require_strong(password, name)
    mac = desk.secrets.code_mac(name, code)
    with desk.store.begin() as conn:
        if person is not None and _takes_code(conn, person, mac, now):
            _require_strong(password, *_names(conn, person))
            people.end_sessions(conn, person, at=now)
            person = _set_password(conn, desk, person, password, now)
            return open_halfway(conn, desk, person, origin, now)
        note_failure(conn, desk, name, origin, person, now)
    raise SignInError(_WRONG)


def change_password(desk: PeopleDesk, visitor: Visitor, present: str, new: str) -> None:
    """Set a new password; every other session of the person ends.

    Raises:
        LocalAccountsOffError: no password opens anything here.
        SignInError: the present password is wrong.
        WeakPasswordError: the new one is too easy.
    """
    desk.require_local_accounts()
    now, person = desk.clock(), visitor.person
    if not desk.secrets.is_password(present, person.password_hash):
        raise SignInError(_WRONG)
    with desk.store.begin() as conn:
        _require_strong(new, *_names(conn, person))
        _set_password(conn, desk, person, new, now)
        people.end_sessions(conn, person, at=now, but=visitor.session_id)


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
