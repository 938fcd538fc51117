"""Queries about people at the console: accounts, sessions, one-time codes, failures."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.dialects import insert_if_absent
from gateway.store.roles import PersonState
from gateway.store.rows import ConsoleSession, NewConsoleSession, NewPerson, Organisation, Person
from gateway.store.states import JournalAction
from gateway.store.tables import console_sessions as sessions
from gateway.store.tables import one_time_codes as codes
from gateway.store.tables import organisations, people
from gateway.store.tables import sign_in_failures as failures

_FAILURES_KEPT = timedelta(days=1)


def add(conn: Connection, new: NewPerson, *, at: datetime, actor: str) -> Person:
    """Enter a person, ACTIVE and without a password, and return them.

    Raises:
        ConflictError: the login is taken.
    """
    values = {
        **vars(new),
        "state": PersonState.ACTIVE,
        "factor_version": 0,
        "factor_confirmed": False,
        "factor_step": 0,
        "created_at": at,
        "updated_at": at,
    }
    row = conn.execute(insert_if_absent(conn, people, *people.c), values).one_or_none()
    if row is None:
        raise ConflictError(f"the login {new.login} is taken")
    detail = {"role": new.role, "organisation": new.organisation_id, "administers": new.administers}
    note(conn, new.login, JournalAction.PERSON_ADDED, at=at, actor=actor, detail=detail)
    return Person(**row._mapping)


def find(conn: Connection, login: str) -> Person | None:
    """Return the person with this login, or None."""
    row = conn.execute(select(people).where(people.c.login == login)).one_or_none()
    return None if row is None else Person(**row._mapping)


def by_login(conn: Connection, login: str) -> Person:
    """Return the person with this login.

    Raises:
        NotFoundError: there is none.
    """
    found = find(conn, login)
    if found is None:
        raise NotFoundError(f"nobody signs in as {login!r}")
    return found


def every(conn: Connection, organisation_id: int | None = None) -> tuple[Person, ...]:
    """Return the people of one organisation, or of all, by login."""
    query = select(people).order_by(people.c.login)
    if organisation_id is not None:
        query = query.where(people.c.organisation_id == organisation_id)
    return tuple(Person(**row._mapping) for row in conn.execute(query))


def organisation_of(conn: Connection, person: Person) -> Organisation:
    """Return the organisation that a person belongs to."""
    query = select(organisations).where(organisations.c.id == person.organisation_id)
    return Organisation(**conn.execute(query).one()._mapping)


def change(conn: Connection, person: Person, *, at: datetime, **values: Any) -> Person:
    """Change columns of a person and return them as they are now."""
    row = conn.execute(
        update(people)
        .where(people.c.id == person.id)
        .values(**values, updated_at=at)
        .returning(people)
    ).one()
    return Person(**row._mapping)


def use_step(conn: Connection, person: Person, step: int) -> bool:
    """Note that the code of a time step was used; False if it, or a later one, was before."""
    done = conn.execute(
        update(people)
        .where(people.c.id == person.id, people.c.factor_step < step)
        .values(factor_step=step)
    )
    return done.rowcount == 1


def note(
    conn: Connection,
    login: str,
    action: JournalAction,
    *,
    at: datetime,
    actor: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write into the journal what became of a person's account."""
    journal.append(conn, at=at, actor=actor, action=action, subject=login, detail=detail or {})


def add_codes(
    conn: Connection,
    person: Person,
    macs: Collection[str],
    *,
    is_recovery: bool,
    expires_at: datetime,
) -> None:
    """Put one-time codes in the place of those of the same sort that the person had."""
    conn.execute(
        delete(codes).where(codes.c.person_id == person.id, codes.c.is_recovery == is_recovery)
    )
    rows = [
        {
            "person_id": person.id,
            "code_mac": mac,
            "is_recovery": is_recovery,
            "expires_at": expires_at,
        }
        for mac in macs
    ]
    if rows:
        conn.execute(insert(codes), rows)


def use_code(
    conn: Connection, person: Person, mac: str, *, is_recovery: bool, at: datetime
) -> bool:
    """Use a one-time code up; False if the person has no such code that still holds."""
    done = conn.execute(
        update(codes)
        .where(
            codes.c.person_id == person.id,
            codes.c.code_mac == mac,
            codes.c.is_recovery == is_recovery,
            codes.c.used_at.is_(None),
            codes.c.expires_at > at,
        )
        .values(used_at=at)
    )
    return done.rowcount == 1


def codes_left(conn: Connection, person: Person, *, at: datetime) -> int:
    """Return how many recovery codes a person has left."""
    query = select(func.count()).where(
        codes.c.person_id == person.id,
        codes.c.is_recovery.is_(True),
        codes.c.used_at.is_(None),
        codes.c.expires_at > at,
    )
    return int(conn.execute(query).scalar_one())


def open_session(conn: Connection, new: NewConsoleSession) -> ConsoleSession:
    """Enter a session and return it."""
    values = {**vars(new), "last_seen_at": new.created_at}
    row = conn.execute(insert(sessions).values(**values).returning(sessions)).one()
    return ConsoleSession(**row._mapping)


def session(conn: Connection, token_mac: str) -> tuple[ConsoleSession, Person, Organisation] | None:
    """Return the session with this digest, ended or not, whose it is, and their organisation."""
    row = conn.execute(select(sessions).where(sessions.c.token_mac == token_mac)).one_or_none()
    if row is None:
        return None
    owner = conn.execute(select(people).where(people.c.id == row.person_id)).one()
    person = Person(**owner._mapping)
    return ConsoleSession(**row._mapping), person, organisation_of(conn, person)


def open_sessions(
    conn: Connection, person: Person, *, seen_after: datetime
) -> tuple[ConsoleSession, ...]:
    """Return the sessions of a person that have not ended, the last seen first."""
    query = (
        select(sessions)
        .where(
            sessions.c.person_id == person.id,
            sessions.c.ended_at.is_(None),
            sessions.c.last_seen_at > seen_after,
        )
        .order_by(sessions.c.last_seen_at.desc())
    )
    return tuple(ConsoleSession(**row._mapping) for row in conn.execute(query))


def see(conn: Connection, session_id: int, *, at: datetime) -> None:
    """Note that a session was used."""
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(last_seen_at=at))


def end_sessions(
    conn: Connection,
    person: Person,
    *,
    at: datetime,
    only: int | None = None,
    but: int | None = None,
) -> int:
    """End the sessions of a person; return how many ended.

    Args:
        only, but: id of the one session that is meant, or spared.
    """
    statement = update(sessions).where(
        sessions.c.person_id == person.id, sessions.c.ended_at.is_(None)
    )
    if only is not None:
        statement = statement.where(sessions.c.id == only)
    if but is not None:
        statement = statement.where(sessions.c.id != but)
    return conn.execute(statement.values(ended_at=at)).rowcount


def was_here(conn: Connection, person: Person, network: str, *, since: datetime) -> bool:
    """Return whether a person signed in wholly from this network since then."""
    query = select(sessions.c.id).where(
        sessions.c.person_id == person.id,
        sessions.c.network == network,
        sessions.c.factor_at > since,
    )
    return conn.execute(query.limit(1)).first() is not None


def add_failure(conn: Connection, *, at: datetime, login_mac: str, network: str) -> None:
    """Note a failure to sign in, and forget those of days before."""
    conn.execute(delete(failures).where(failures.c.at < at - _FAILURES_KEPT))
    conn.execute(insert(failures).values(at=at, login_mac=login_mac, network=network))


def forgive(conn: Connection, *, login_mac: str, network: str) -> None:
    """Forget the failures of one login from one network."""
    conn.execute(
        delete(failures).where(failures.c.login_mac == login_mac, failures.c.network == network)
    )


def failures_since(
    conn: Connection,
    since: datetime,
    *,
    login_mac: str | None = None,
    network: str | None = None,
) -> int:
    """Return how often signing in failed since then, for one login, one network, or both."""
    query = select(func.count()).where(failures.c.at > since)
    if login_mac is not None:
        query = query.where(failures.c.login_mac == login_mac)
    if network is not None:
        query = query.where(failures.c.network == network)
    return int(conn.execute(query).scalar_one())
