"""The few statements that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(conn: Connection, table: Table) -> Any:
    """Return an INSERT that does nothing where a unique key is taken; add ``values()``.

    On PostgreSQL it waits for a concurrent insert of the same key to end.
    """
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def lock_name(conn: Connection, name: str) -> None:
    """Hold ``name`` until the transaction ends, so that two writers cannot both miss a row.

    SQLite has one writer at a time already.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
