"""Queries about how far a folder was filled with what comes for an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.store.dialects import insert_if_absent
from gateway.store.tables import hand_overs as table


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Is how far one folder was filled.

    Attributes:
        cursor: everything up to it was handed over, or lies in ``batch``.
        batch: name of the prepared files that follow from the last step; they are shown after it
            was noted, whoever does that.
    """

    name: str
    organisation_id: int
    cursor: int
    batch: str | None


def begin(
    conn: Connection, name: str, organisation_id: int, cursor: int, *, at: datetime
) -> HandOver:
    """Return how far a folder was filled; one that is new begins at ``cursor``."""
    conn.execute(
        insert_if_absent(conn, table),
        {
            "name": name,
            "organisation_id": organisation_id,
            "cursor": cursor,
            "batch": None,
            "updated_at": at,
        },
    )
    found = find(conn, name, organisation_id)
    assert found is not None  # noqa: S101 - it was there, or was just entered
    return found


def find(conn: Connection, name: str, organisation_id: int) -> HandOver | None:
    """Return how far a folder was filled, None if nothing was ever handed over there."""
    columns = (table.c[each] for each in HandOver.__dataclass_fields__)
    query = select(*columns).where(table.c.name == name, table.c.organisation_id == organisation_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else HandOver(**row._mapping)


def advance(
    conn: Connection, known: HandOver, cursor: int, batch: str | None, *, at: datetime
) -> bool:
    """Note the next step and return True; False where another worker took it meanwhile."""
    done = conn.execute(
        update(table)
        .where(
            table.c.name == known.name,
            table.c.organisation_id == known.organisation_id,
            table.c.cursor == known.cursor,
            table.c.batch.is_not_distinct_from(known.batch),
        )
        .values(cursor=cursor, batch=batch, updated_at=at)
    )
    return done.rowcount == 1
