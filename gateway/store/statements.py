"""Statements of the hot path: built and compiled once, run straight on the driver.

SQLAlchemy spells them, for either database, and knows how values are bound and read; building
and looking them up anew for each row costs more than the database takes to run them.  Here the
compiled text and the converters of its values are kept.  Transactions, connections, listeners
and errors stay SQLAlchemy's: whoever listens to statements sees these too, and a failure is the
error that ``Connection.execute`` would raise.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]
Build = Callable[[str], Any]


class _Value(NamedTuple):
    """Says where one value of a statement comes from: the caller, or the statement itself."""

    name: str
    fixed: Any
    is_fixed: bool
    convert: Convert | None


class _Ready:
    """Is one statement in the words of one database."""

    def __init__(self, construct: Any, keys: Sequence[str], dialect: Dialect) -> None:
        compiled: Any = construct.compile(dialect=dialect, column_keys=list(keys) or None)
        self.text = str(compiled)
        self.is_positional: bool = compiled.positional
        self._dialect = dialect
        self._values = [
            _value(name, compiled.binds[name], dialect)
            for name in (compiled.positiontup if compiled.positional else compiled.binds)
        ]
        columns = getattr(construct, "exported_columns", ())
        self._types = [column.type for column in columns]
        self._row = _row_of([column.key for column in columns])
        self._converts: list[tuple[int, Convert]] | None = None

    def bound(self, given: Mapping[str, Any]) -> Any:
        """Return the values as the driver takes them."""
        values = [
            value.fixed
            if value.is_fixed
            else given[value.name]
            if value.convert is None
            else value.convert(given[value.name])
            for value in self._values
        ]
        if self.is_positional:
            return tuple(values)
        return dict(zip((value.name for value in self._values), values, strict=True))

    def rows(self, cursor: Any) -> list[Any]:
        """Return what the cursor found, as named tuples of our own types."""
        found = cursor.fetchall()
        if self._converts is None:
            self._converts = self._converters(cursor.description)
        rows = []
        for raw in found:
            values = list(raw)
            for index, convert in self._converts:
                values[index] = convert(values[index])
            rows.append(self._row._make(values))
        return rows

    def _converters(self, description: Sequence[Sequence[Any]]) -> list[tuple[int, Convert]]:
        found = []
        for index, (kind, column) in enumerate(zip(self._types, description, strict=True)):
            convert = kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if convert is not None:
                found.append((index, convert))
        return found


def _row_of(names: Sequence[str]) -> Any:
    return namedtuple("Row", names)


class Statement:
    """Is one statement of the hot path, ready after its first use on a database.

    Args:
        construct: what SQLAlchemy compiles; or a function of the dialect's name that builds it,
            where the databases differ.  It holds no ``in_`` over values.
        keys: columns that an INSERT or UPDATE sets from the caller's values.
    """

    def __init__(self, construct: Any, keys: Iterable[str] = ()) -> None:
        self._build: Build = construct if callable(construct) else lambda _name: construct
        self._keys = tuple(keys)
        self._ready: dict[str, _Ready] = {}

    def all(self, conn: Connection, **given: Any) -> list[Any]:
        """Return every row."""
        rows: list[Any] = self._run(conn, given, _Ready.rows)
        return rows

    def first(self, conn: Connection, **given: Any) -> Any:
        """Return the first row, None where there is none."""
        return next(iter(self.all(conn, **given)), None)

    def scalar(self, conn: Connection, **given: Any) -> Any:
        """Return the first column of the first row, None where there is none."""
        row = self.first(conn, **given)
        return None if row is None else row[0]

    def run(self, conn: Connection, **given: Any) -> int:
        """Run a statement without rows and return how many rows it changed."""
        changed: int = self._run(conn, given, lambda _ready, cursor: cursor.rowcount)
        return changed

    def run_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement without rows once for each of ``rows``."""
        if rows:
            ready = self._of(conn.dialect)
            _on_cursor(conn, ready.text, [ready.bound(row) for row in rows], many=True)

    def _run(
        self, conn: Connection, given: Mapping[str, Any], take: Callable[[_Ready, Any], Any]
    ) -> Any:
        ready = self._of(conn.dialect)
        return _on_cursor(conn, ready.text, ready.bound(given), take=lambda at: take(ready, at))

    def _of(self, dialect: Dialect) -> _Ready:
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = _Ready(self._build(dialect.name), self._keys, dialect)
            self._ready[dialect.name] = ready
        return ready


def inserting(
    table: Table, keys: Iterable[str], *returning: Column[Any], if_absent: bool = False
) -> Statement:
    """Return the statement that inserts a row of ``keys``.

    Args:
        returning: columns of the inserted row.
        if_absent: do nothing, and return nothing, where a unique key is taken.  On PostgreSQL
            it waits for a concurrent insert of the same key to end.
    """

    def build(dialect: str) -> Any:
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement: Any = make(table)
        if if_absent:
            statement = statement.on_conflict_do_nothing()
        return statement.returning(*returning) if returning else statement.inline()

    return Statement(build, keys)


def _value(name: str, bind: Any, dialect: Dialect) -> _Value:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return _Value(name, None, False, convert)
    fixed = bind.effective_value
    return _Value(name, fixed if convert is None else convert(fixed), True, None)


def _on_cursor(
    conn: Connection,
    text: str,
    values: Any,
    *,
    many: bool = False,
    take: Callable[[Any], Any] = lambda _cursor: None,
) -> Any:
    """Return what ``take`` makes of the cursor that ran a statement."""
    dialect: Any = conn.dialect
    with closing(conn.connection.cursor()) as cursor:
        try:
            _announce(conn, cursor, text, values, many=many)
            if many:
                cursor.executemany(text, values)
            else:
                cursor.execute(text, values)
            return take(cursor)
        except dialect.loaded_dbapi.Error as exc:
            raise _as_execute_raises(conn, cursor, text, exc) from exc


def _announce(conn: Connection, cursor: Any, text: str, values: Any, *, many: bool) -> None:
    """Tell SQLAlchemy's listeners of a statement, as ``Connection.execute`` does."""
    conn_events, driver_events = conn.dispatch, conn.dialect.dispatch
    for listener in conn_events.before_cursor_execute:
        listener(conn, cursor, text, values, None, many)
    for listener in driver_events.do_executemany if many else driver_events.do_execute:
        listener(cursor, text, values, None)


def _as_execute_raises(conn: Connection, cursor: Any, text: str, exc: Exception) -> BaseException:
    dialect: Any = conn.dialect
    is_lost = dialect.is_disconnect(exc, conn.connection, cursor)
    error = DBAPIError.instance(
        text,
        None,
        exc,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    if is_lost and not conn.invalidated:
        conn.invalidate(exc)
    return error
