"""How far each organisation has confirmed the feed of events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.store.dialects import insert_if_absent
from gateway.store.tables import event_readers as table


def confirmed(conn: Connection, organisation_id: int) -> int:
    """Return the last cursor that an organisation has confirmed, 0 if none."""
    query = select(table.c.cursor).where(table.c.organisation_id == organisation_id)
    cursor: int | None = conn.execute(query).scalar_one_or_none()
    return cursor or 0


def confirm(conn: Connection, organisation_id: int, cursor: int, *, at: datetime) -> int:
    """Note that an organisation has everything up to ``cursor``; return what is confirmed.

    What was confirmed stays so, however late an earlier confirmation comes.
    """
    values = {"organisation_id": organisation_id, "cursor": cursor, "confirmed_at": at}
    conn.execute(insert_if_absent(conn, table), values)
    conn.execute(
        update(table)
        .where(table.c.organisation_id == organisation_id, table.c.cursor < cursor)
        .values(cursor=cursor, confirmed_at=at)
    )
    return confirmed(conn, organisation_id)
