"""The few statements that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.statements import Statement

_LOCK_NAME = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)).label("held"))
)


def by_no_index(dialect: str, column: Column[Any]) -> ColumnElement[Any]:
    """Return ``column`` in words by which SQLite chooses no index; PostgreSQL chooses well.

    SQLite knows nothing of how many rows a partial index saves, or a LIMIT: it would walk a whole
    archive, or sort a dead peer's backlog, for the sake of the index that names this column.
    """
    if dialect != "sqlite":
        return column
    return literal_column(f"+{column.table.name}.{column.name}", column.type)


def insert_if_absent(conn: Connection, table: Table, *returning: Column[Any]) -> Any:
    """Return an INSERT that does nothing where a unique key is taken.

    Execute it with the row's values; it returns ``returning`` where it inserted.  On
    PostgreSQL it waits for a concurrent insert of the same key to end.
    """
    return _insert_if_absent(conn.dialect.name, table, returning)


@cache
def _insert_if_absent(dialect: str, table: Table, returning: tuple[Column[Any], ...]) -> Any:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing()
    return statement.returning(*returning) if returning else statement


def insert_or_change(
    conn: Connection, table: Table, *, add: tuple[str, ...] = (), put: tuple[str, ...] = ()
) -> Any:
    """Return an INSERT that changes the row where its primary key is taken.

    Args:
        add: columns to which the new value is added.
        put: columns that take the new value.
    """
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    sums = {name: table.c[name] + statement.excluded[name] for name in add}
    taken = {name: statement.excluded[name] for name in put}
    keys = list(table.primary_key.columns)
    return statement.on_conflict_do_update(index_elements=keys, set_=sums | taken)


def lock_name(conn: Connection, name: str) -> None:
    """Hold ``name`` until the transaction ends, so that two writers cannot both miss a row.

    SQLite has one writer at a time already.
    """
    if conn.dialect.name == "postgresql":
        _LOCK_NAME.all(conn, name=name)
