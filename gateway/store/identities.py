"""Queries about people as an identity provider knows them, and sign-ins on their way to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from gateway.errors import ConflictError
from gateway.store.dialects import insert_if_absent
from gateway.store.rows import Identity, Journey, Person
from gateway.store.tables import identities, people
from gateway.store.tables import provider_journeys as journeys


def link(
    conn: Connection, person: Person, *, issuer: str, subject: str, at: datetime
) -> tuple[Identity, bool]:
    """Link an identity to a person; return it, and whether that is new.

    Raises:
        ConflictError: it is somebody else's, or the person has another one there.
    """
    values = {"person_id": person.id, "issuer": issuer, "subject": subject, "linked_at": at}
    row = conn.execute(insert_if_absent(conn, identities, *identities.c), values).one_or_none()
    if row is not None:
        return Identity(**row._mapping), True
    found = of_person(conn, person.id, issuer)
    if found is None:
        raise ConflictError("this identity is linked to another account")
    if found.subject != subject:
        raise ConflictError(f"{person.login} is linked to another identity; unlink that first")
    return found, False


def unlink(conn: Connection, person: Person, issuer: str) -> Identity | None:
    """Take a person's identity at this provider away and return it, None if there was none."""
    row = conn.execute(
        delete(identities)
        .where(identities.c.person_id == person.id, identities.c.issuer == issuer)
        .returning(identities)
    ).one_or_none()
    return None if row is None else Identity(**row._mapping)


def of_person(conn: Connection, person_id: int, issuer: str) -> Identity | None:
    """Return a person's identity at this provider, or None."""
    query = select(identities).where(
        identities.c.person_id == person_id, identities.c.issuer == issuer
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else Identity(**row._mapping)


def by_person(conn: Connection, issuer: str) -> Mapping[int, Identity]:
    """Return every identity at this provider by the id of its person."""
    rows = conn.execute(select(identities).where(identities.c.issuer == issuer))
    return {row.person_id: Identity(**row._mapping) for row in rows}


def owner(conn: Connection, *, issuer: str, subject: str) -> Person | None:
    """Return whose identity this is, or None."""
    query = (
        select(people)
        .join(identities, identities.c.person_id == people.c.id)
        .where(identities.c.issuer == issuer, identities.c.subject == subject)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else Person(**row._mapping)


def use(conn: Connection, person: Person, issuer: str, *, at: datetime) -> None:
    """Note that an identity opened a session."""
    conn.execute(
        update(identities)
        .where(identities.c.person_id == person.id, identities.c.issuer == issuer)
        .values(last_used_at=at)
    )


def begin_journey(conn: Connection, journey: Journey, *, at: datetime) -> None:
    """Note that a sign-in was led to the provider, and forget those whose time is over."""
    conn.execute(delete(journeys).where(journeys.c.expires_at <= at))
    conn.execute(insert(journeys).values(**vars(journey)))


def end_journey(conn: Connection, token_mac: str, *, at: datetime) -> Journey | None:
    """Return the journey that comes back now, None if it came back before, late, or never left."""
    row = conn.execute(
        update(journeys)
        .where(
            journeys.c.token_mac == token_mac,
            journeys.c.used_at.is_(None),
            journeys.c.expires_at > at,
        )
        .values(used_at=at)
        .returning(journeys)
    ).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = dict(row._mapping)
    return Journey(**{name: values[name] for name in Journey.__dataclass_fields__})
