"""Statements of the hot path: built and compiled once, run straight on the driver.

SQLAlchemy spells them, for either database, and knows how values are bound and read; building
and looking them up anew for each row costs more than the database takes to run them.  Here the
compiled text and the converters of its values are kept.  Transactions, connections, listeners
and errors stay SQLAlchemy's: whoever listens to statements sees these too, and a failure is the
error that ``Connection.execute`` would raise.

On PostgreSQL each statement is a journey to the server and back.  What returns no rows is kept
back (``begin_keeping``) and travels with the next statement that does, or with ``send_kept``
before the commit.  The order of statements never changes; a failure of one that was kept is raised
by whatever sends it, in the same transaction.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Dialect, String, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

Convert = Callable[[Any], Any]
Build = Callable[[str], Any]

_KEPT: Final = "eco_kept"
_MANY: Final = 2


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

    def run(self, conn: Connection, **given: Any) -> None:
        """Run a statement without rows, before the next one that has rows."""
        ready = self._of(conn.dialect)
        _run_or_keep(conn, _Sent(ready.text, ready.bound(given), many=False))

    def run_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement without rows once for each of ``rows``, as ``run`` does."""
        if rows:
            ready = self._of(conn.dialect)
            values = [ready.bound(row) for row in rows]
            _run_or_keep(conn, _Sent(ready.text, values, many=True))

    def _run(
        self, conn: Connection, given: Mapping[str, Any], take: Callable[[_Ready, Any], Any]
    ) -> Any:
        ready = self._of(conn.dialect)
        sent = _Sent(ready.text, ready.bound(given), many=False)
        return _on_cursor(conn, sent, lambda cursor: take(ready, cursor))

    def _of(self, dialect: Dialect) -> _Ready:
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = _Ready(self._build(dialect.name), self._keys, dialect)
            self._ready[dialect.name] = ready
        return ready


class _Insert(Statement):
    """Inserts rows, on PostgreSQL many of them by one statement instead of one for each."""

    def __init__(self, table: Table, keys: Iterable[str], build: Build) -> None:
        super().__init__(build, keys)
        columns = [table.c[key] for key in self._keys]
        rows = select(*(func.unnest(_list_of(column)) for column in columns))
        self._together = Statement(lambda name: build(name).from_select(self._keys, rows))

    def run_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if len(rows) < _MANY or conn.dialect.name != "postgresql":
            super().run_each(conn, rows)
            return
        lists = {_name_of_list(key): [row[key] for row in rows] for key in self._keys}
        self._together.run(conn, **lists)


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

    return _Insert(table, keys, build)


def _list_of(column: Column[Any]) -> Any:
    """Return the parameter that holds the values of one column, one for each row."""
    return bindparam(_name_of_list(column.key), type_=postgresql.ARRAY(_unbounded(column.type)))


def _unbounded(kind: Any) -> Any:
    """Return the type without its length: a cast would cut what is longer, an INSERT refuses it."""
    copied = kind.copy()
    if isinstance(copied, TypeDecorator):
        copied.impl = _unbounded(copied.impl)
    elif isinstance(copied, String):
        copied.length = None
    return copied


def _name_of_list(key: str) -> str:
    return f"each_{key}"


def _value(name: str, bind: Any, dialect: Dialect) -> _Value:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return _Value(name, None, False, convert)
    fixed = bind.effective_value
    return _Value(name, fixed if convert is None else convert(fixed), True, None)


class _Sent(NamedTuple):
    """Is one statement with its values, as the driver takes them."""

    text: str
    values: Any
    many: bool

    def run_on(self, cursor: Any) -> None:
        if self.many:
            cursor.executemany(self.text, self.values)
        else:
            cursor.execute(self.text, self.values)


@dataclass
class _Kept:
    """Holds what of one transaction was not sent yet.

    Attributes:
        begin: its BEGIN, if nothing was sent at all.
    """

    begin: _Sent | None
    statements: list[_Sent] = field(default_factory=list)

    def take(self) -> list[_Sent]:
        """Return all of it in order; it counts as sent from now on."""
        taken = [*([self.begin] if self.begin else []), *self.statements]
        self.begin, self.statements = None, []
        return taken


def begin_keeping(conn: Connection, begin: str) -> None:
    """Begin a transaction with the first statement that is sent, and keep back what may wait.

    Args:
        begin: the BEGIN of the transaction.
    """
    conn.info[_KEPT] = _Kept(_Sent(begin, None, many=False))


def send_kept(conn: Connection) -> None:
    """Run the statements that were kept back in this transaction; none if there are none."""
    kept: _Kept | None = conn.info.get(_KEPT)
    if kept is not None and kept.statements:
        _send(conn, kept)


def catch_up(conn: Connection) -> None:
    """Run all that has to come before a statement of somebody else: BEGIN, if it is the first."""
    kept: _Kept | None = conn.info.get(_KEPT)
    if kept is not None and (kept.begin or kept.statements):
        _send(conn, kept)


def forget_kept(conn: Connection) -> None:
    """Forget what was kept back in a transaction that is over."""
    conn.info.pop(_KEPT, None)


def _send(conn: Connection, kept: _Kept) -> None:
    *before, last = kept.take()
    with closing(conn.connection.cursor()) as cursor, _as_execute_raises(conn, cursor, last.text):
        _in_one_journey(conn, before, last, cursor)


def _run_or_keep(conn: Connection, sent: _Sent) -> None:
    kept: _Kept | None = conn.info.get(_KEPT)
    if kept is None:
        _on_cursor(conn, sent, lambda _cursor: None)
        return
    with closing(conn.connection.cursor()) as cursor, _as_execute_raises(conn, cursor, sent.text):
        _announce(conn, cursor, sent)
    kept.statements.append(sent)


def _on_cursor(conn: Connection, sent: _Sent, take: Callable[[Any], Any]) -> Any:
    """Return what ``take`` makes of the cursor that ran a statement, after those kept back."""
    kept: _Kept | None = conn.info.get(_KEPT)
    with closing(conn.connection.cursor()) as cursor, _as_execute_raises(conn, cursor, sent.text):
        _announce(conn, cursor, sent)
        _in_one_journey(conn, () if kept is None else kept.take(), sent, cursor)
        return take(cursor)


def _in_one_journey(conn: Connection, before: Sequence[_Sent], last: _Sent, cursor: Any) -> None:
    """Run statements one after the other without waiting between, the last one on ``cursor``."""
    if not before:
        last.run_on(cursor)
        return
    driver: Any = conn.connection.driver_connection
    with driver.pipeline():
        for sent in before:
            sent.run_on(driver.cursor())
        last.run_on(cursor)


def _announce(conn: Connection, cursor: Any, sent: _Sent) -> None:
    """Tell SQLAlchemy's listeners of a statement, as ``Connection.execute`` does.

    They get no context of execution, by which ours are told from those of SQLAlchemy.
    """
    conn_events, driver_events = conn.dispatch, conn.dialect.dispatch
    for listener in conn_events.before_cursor_execute:
        listener(conn, cursor, sent.text, sent.values, None, sent.many)
    for listener in driver_events.do_executemany if sent.many else driver_events.do_execute:
        listener(cursor, sent.text, sent.values, None)


@contextmanager
def _as_execute_raises(conn: Connection, cursor: Any, text: str) -> Iterator[None]:
    """Turn the driver's errors into those that ``Connection.execute`` raises."""
    dialect: Any = conn.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as exc:
        raise _as_sqlalchemys(conn, cursor, text, exc) from exc


def _as_sqlalchemys(conn: Connection, cursor: Any, text: str, exc: Exception) -> BaseException:
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
