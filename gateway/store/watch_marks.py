"""Marks: how far each watcher of the journal and of the feed has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.store.dialects import insert_if_absent
from gateway.store.rows.operations import Mark
from gateway.store.tables import watch_marks as table


def lock(conn: Connection, name: str) -> Mark:
    """Return a mark, made at zero where it is new; no other watcher moves it until we end."""
    conn.execute(insert_if_absent(conn, table), {"name": name, "position": 0})
    row = conn.execute(select(table).where(table.c.name == name).with_for_update()).one()
    return Mark(**row._mapping)


def find(conn: Connection, name: str) -> Mark | None:
    """Return a mark, None before its watcher ran first."""
    row = conn.execute(select(table).where(table.c.name == name)).one_or_none()
    return None if row is None else Mark(**row._mapping)


def move(
    conn: Connection,
    name: str,
    position: int,
    *,
    at: datetime,
    anchor: str | None = None,
    fault: str | None = None,
) -> None:
    """Note that the watcher ``name`` has come to ``position``."""
    values = {"position": position, "anchor": anchor, "fault": fault, "noted_at": at}
    conn.execute(update(table).where(table.c.name == name).values(**values))
