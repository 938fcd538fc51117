"""The feed of the national system: events in the order of commit, read by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from gateway.store import chain
from gateway.store.rows import Event
from gateway.store.states import EventKind as Kind
from gateway.store.tables import chain_heads
from gateway.store.tables import events as table

__all__ = ["Kind", "after", "append", "last_cursor", "newest"]


def append(
    conn: Connection,
    *,
    at: datetime,
    kind: Kind,
    subject: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell the national system ``kind`` about ``subject`` when the transaction commits.

    Args:
        subject: serial number or message id.
        data: JSON values that spare the reader a second question.
    """
    event = chain.PendingEvent(at, kind, subject[:140], dict(data or {}))
    chain.pending(conn).events.append(event)


def after(conn: Connection, cursor: int, *, limit: int = 100) -> tuple[Event, ...]:
    """Return the events that follow ``cursor``, oldest first; 0 starts at the beginning.

    A reader that remembers the last cursor it handled misses none and sees none twice.
    """
    query = select(table).where(table.c.cursor > cursor).order_by(table.c.cursor).limit(limit)
    return tuple(Event(**row._mapping) for row in conn.execute(query))


def newest(conn: Connection, *, subject: str | None = None, limit: int = 50) -> tuple[Event, ...]:
    """Return the newest events first, of one subject if given."""
    query = select(table).order_by(table.c.cursor.desc()).limit(limit)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    return tuple(Event(**row._mapping) for row in conn.execute(query))


def last_cursor(conn: Connection) -> int:
    """Return the cursor of the newest event, 0 when there is none."""
    cursor: int = conn.execute(select(chain_heads.c.event_cursor)).scalar_one()
    return cursor
