"""Slowing down whoever guesses logins, passwords or codes.

Guessing is bounded three ways: for one login from one network, for one network, and for one
login.  The last two do not hold for people where they signed in before, so that nobody can keep
them out from where they work by guessing elsewhere, or at other logins.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.errors import SlowDownError
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.store import JournalAction, Person, people

WINDOW: Final = timedelta(minutes=15)
PER_LOGIN_AND_NETWORK, PER_NETWORK, PER_LOGIN = 5, 50, 50
REMEMBERED: Final = timedelta(days=30)


def require_patience(
    conn: Connection,
    desk: PeopleDesk,
    login: str,
    origin: Origin,
    person: Person | None,
    now: datetime,
) -> None:
    """Return if this login may be tried from this network now.

    Raises:
        SlowDownError: too many tries.
    """
    since, mac = now - WINDOW, desk.secrets.mac("login", login)
    here = people.failures_since(conn, since, login_mac=mac, network=origin.network)
    network = people.failures_since(conn, since, network=origin.network)
    login_everywhere = people.failures_since(conn, since, login_mac=mac)
    known = person is not None and people.was_here(
        conn, person, origin.network, since=now - REMEMBERED
    )
    many = network >= PER_NETWORK or login_everywhere >= PER_LOGIN
    if here >= PER_LOGIN_AND_NETWORK or (many and not known):
        raise SlowDownError("too many tries to sign in", retry_after=WINDOW.total_seconds())


def note_failure(
    conn: Connection,
    desk: PeopleDesk,
    login: str,
    origin: Origin,
    person: Person | None,
    now: datetime,
) -> None:
    """Note that signing in failed; in the journal too, if the login is somebody's."""
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
