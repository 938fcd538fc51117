"""Looking after people: who enters, invites, changes and suspends whom.

The owner of the home may everything by command line; at the console an administrator looks after
the people of the same organisation only, and nobody after themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.errors import InputError, NotFoundError, NotPermittedError
from gateway.services.people.desk import PeopleDesk
from gateway.services.people.roles import Right, Visitor, require_fit
from gateway.services.people.secrets import new_code
from gateway.services.people.signing_in import canonical_login
from gateway.store import (
    JournalAction,
    NewPerson,
    Organisation,
    Person,
    PersonRole,
    PersonState,
    people,
)

INVITATION: Final = timedelta(hours=72)
_LOGIN_MARKS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_@")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Is a one-time code with which a person sets a password; shown this once."""

    person: Person
    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Invitation({self.person.login})"


@dataclass(frozen=True, kw_only=True)
class PersonOrder:
    """Says whom to enter."""

    login: str
    name: str
    role: PersonRole
    administers: bool = False
    language: str = "en"


def enter(desk: PeopleDesk, owner: Organisation, order: PersonOrder, *, actor: str) -> Invitation:
    """Enter a person and return their invitation.

    Raises:
        InputError: login or name cannot be taken, or the role is not held in that organisation.
        ConflictError: the login is taken.
    """
    with desk.store.begin() as conn:
        person = _add(conn, desk, owner, order, actor)
        return _invite(conn, desk, person, actor)


def enter_for_provider(
    desk: PeopleDesk, owner: Organisation, order: PersonOrder, *, actor: str
) -> Person:
    """Enter a person who signs in through the identity provider once they are linked.

    Raises:
        InputError: login or name cannot be taken, or the role is not held in that organisation.
        ConflictError: the login is taken.
    """
    with desk.store.begin() as conn:
        return _add(conn, desk, owner, order, actor)


def _add(
    conn: Connection, desk: PeopleDesk, owner: Organisation, order: PersonOrder, actor: str
) -> Person:
    login = canonical_login(order.login)
    if len(login) < 3 or not set(login) <= _LOGIN_MARKS:
        raise InputError("a login has 3 to 60 letters a-z, digits, dots, dashes, underscores or @")
    if not 1 <= len(order.name.strip()) <= 200 or not order.name.isprintable():
        raise InputError("a name has 1 to 200 printable characters")
    require_fit(order.role, owner)
    new = NewPerson(
        login=login,
        name=order.name.strip(),
        organisation_id=owner.id,
        role=order.role,
        administers=order.administers,
        language=order.language,
    )
    return people.add(conn, new, at=desk.clock(), actor=actor)


def invite(desk: PeopleDesk, login: str, *, actor: str, forget_factor: bool = False) -> Invitation:
    """Return a new one-time code for a person who forgot the password, or never set one.

    Args:
        forget_factor: the second factor is lost as well; a new one is asked for.

    Raises:
        NotFoundError: nobody has this login.
    """
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        if forget_factor:
            person = people.change(conn, person, at=desk.clock(), factor_confirmed=False)
        return _invite(conn, desk, person, actor)


def forget_factor(desk: PeopleDesk, login: str, *, actor: str) -> Person:
    """Let a person who lost the second factor set another one; their sessions end.

    Raises:
        NotFoundError: nobody has this login.
    """
    now = desk.clock()
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        changed = people.change(conn, person, at=now, factor_confirmed=False)
        people.end_sessions(conn, person, at=now)
        _note_change(conn, person, now, actor, {"second_factor": "forgotten"})
    return changed


def set_state(
    desk: PeopleDesk, login: str, state: PersonState, *, actor: str, reason: str
) -> Person:
    """Suspend a person, whose sessions end at once, or let them in again.

    Raises:
        NotFoundError: nobody has this login.
    """
    now = desk.clock()
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        changed = people.change(conn, person, at=now, state=state)
        if state is PersonState.SUSPENDED:
            people.end_sessions(conn, person, at=now)
        _note_change(conn, person, now, actor, {"state": state, "reason": reason[:200]})
    return changed


def set_role(
    desk: PeopleDesk, login: str, role: PersonRole, *, administers: bool, actor: str
) -> Person:
    """Give a person another role; their sessions end, so that no page of the old one stays.

    Raises:
        NotFoundError: nobody has this login.
        InputError: the role is not held in their organisation.
    """
    now = desk.clock()
    with desk.store.begin() as conn:
        person = people.by_login(conn, canonical_login(login))
        require_fit(role, people.organisation_of(conn, person))
        changed = people.change(conn, person, at=now, role=role, administers=administers)
        people.end_sessions(conn, person, at=now)
        _note_change(conn, person, now, actor, {"role": role, "administers": administers})
    return changed


def colleagues(desk: PeopleDesk, visitor: Visitor) -> tuple[Person, ...]:
    """Return the people of the visitor's organisation.

    Raises:
        NotPermittedError: the visitor looks after nobody.
    """
    visitor.require(Right.PEOPLE)
    with desk.store.read() as conn:
        return people.every(conn, visitor.organisation.id)


def colleague(desk: PeopleDesk, visitor: Visitor, login: str) -> Person:
    """Return a person whom the visitor looks after.

    Raises:
        NotPermittedError: the visitor looks after nobody, or it is the visitor.
        NotFoundError: nobody in the organisation has this login.
    """
    visitor.require(Right.PEOPLE)
    with desk.store.read() as conn:
        found = people.find(conn, canonical_login(login))
    if found is None or found.organisation_id != visitor.organisation.id:
        raise NotFoundError("nobody in your organisation has this login")
    if found.id == visitor.person.id:
        raise NotPermittedError("nobody changes the own account here; another administrator does")
    return found


def _invite(conn: Connection, desk: PeopleDesk, person: Person, actor: str) -> Invitation:
    now, code = desk.clock(), new_code()
    expires_at = now + INVITATION
    mac = desk.secrets.code_mac(person.login, code)
    people.add_codes(conn, person, [mac], is_recovery=False, expires_at=expires_at)
    people.note(conn, person.login, JournalAction.PERSON_INVITED, at=now, actor=actor)
    return Invitation(person=person, code=code, expires_at=expires_at)


def _note_change(
    conn: Connection, person: Person, now: datetime, actor: str, detail: dict[str, object]
) -> None:
    people.note(
        conn, person.login, JournalAction.PERSON_CHANGED, at=now, actor=actor, detail=detail
    )
