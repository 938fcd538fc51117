"""The second factor: codes of an authenticator app, and recovery codes for who lost it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.errors import SignInError
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.patience import note_failure, require_patience
from gateway.services.people.roles import Visitor
from gateway.services.people.secrets import new_code
from gateway.services.people.sessions import Entry, open_wholly
from gateway.store import JournalAction, Person, people

RECOVERY_CODES: Final = 10
_RECOVERY_DAYS: Final = timedelta(days=3650)
_WRONG: Final = "the code is wrong, was used, or came late"


class Step(StrEnum):
    """Names what a person has to do before the console is open to them."""

    FACTOR = "FACTOR"
    ENROL = "ENROL"


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
        require_patience(conn, desk, person.login, origin, person, now)
    with desk.store.begin() as conn:
        if person.factor_confirmed and _is_shown(conn, desk, person, code, now):
            return open_wholly(conn, desk, visitor, origin, now)
        note_failure(conn, desk, person.login, origin, person, now)
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
        require_patience(conn, desk, person.login, origin, person, now)
    with desk.store.begin() as conn:
        if not person.factor_version or not _is_code(conn, desk, person, code, now):
            note_failure(conn, desk, person.login, origin, person, now)
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
            return open_wholly(conn, desk, visitor, origin, now), codes
    raise SignInError(_WRONG)


def _is_shown(conn: Connection, desk: PeopleDesk, person: Person, code: str, now: datetime) -> bool:
    by_app = _is_code(conn, desk, person, code, now)
    return by_app or _is_recovery(conn, desk, person, code, now)


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
