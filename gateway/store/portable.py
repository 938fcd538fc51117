"""Tables as values that belong to no database: for backups that either engine can take back.

Every column has one of few kinds, and each kind one spelling in JSON.  Text of enumerations
and JSON columns travels as it stands, so that digests over it still hold.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, TableClause, func, insert, select
from sqlalchemy.types import TypeEngine

from gateway.errors import BackupDamagedError
from gateway.store.tables import metadata
from gateway.store.types import BigId, EnumText, ExactDecimal, JsonText, UtcMoment

_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_TEXT, _BASE64 = "t:", "b:"


class ColumnKind(StrEnum):
    """Names what a column holds, whatever the database calls it."""

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    BOOLEAN = "BOOLEAN"
    MOMENT = "MOMENT"
    DATE = "DATE"
    DECIMAL = "DECIMAL"
    BYTES = "BYTES"


@dataclass(frozen=True)
class TableShape:
    """Is a table with its columns and their kinds; ``key`` are the columns of its primary key."""

    name: str
    columns: tuple[tuple[str, ColumnKind], ...]
    key: tuple[str, ...]

    def clause(self) -> TableClause:
        """Return the table as SQLAlchemy reads and writes it."""
        return sa.table(self.name, *(sa.column(name, _TYPES[kind]) for name, kind in self.columns))


_KINDS: Sequence[tuple[type[TypeEngine[Any]], ColumnKind]] = (
    (UtcMoment, ColumnKind.MOMENT),
    (ExactDecimal, ColumnKind.DECIMAL),
    (EnumText, ColumnKind.TEXT),
    (JsonText, ColumnKind.TEXT),
    (sa.LargeBinary, ColumnKind.BYTES),
    (sa.Date, ColumnKind.DATE),
    (sa.Boolean, ColumnKind.BOOLEAN),
    (sa.Integer, ColumnKind.INTEGER),
    (sa.String, ColumnKind.TEXT),
)
_TYPES: Mapping[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.TEXT: sa.Text(),
    ColumnKind.INTEGER: BigId,
    ColumnKind.BOOLEAN: sa.Boolean(),
    ColumnKind.MOMENT: UtcMoment(),
    ColumnKind.DATE: sa.Date(),
    ColumnKind.DECIMAL: ExactDecimal(),
    ColumnKind.BYTES: sa.LargeBinary(),
}


def shapes() -> tuple[TableShape, ...]:
    """Return every table of the newest version, each after those it refers to."""
    return tuple(
        TableShape(
            name=table.name,
            columns=tuple((column.name, _kind(column.type)) for column in table.columns),
            key=tuple(column.name for column in table.primary_key.columns),
        )
        for table in metadata.sorted_tables
    )


def rows(conn: Connection, shape: TableShape, *, batch: int = 500) -> Iterator[list[Any]]:
    """Yield the rows of a table in the order of its key, as JSON values."""
    table = shape.clause()
    query = select(table).order_by(*(table.c[name] for name in shape.key))
    spell = [_SPELL[kind] for _, kind in shape.columns]
    for row in conn.execute(query.execution_options(stream_results=True, yield_per=batch)):
        yield [
            None if value is None else turn(value) for turn, value in zip(spell, row, strict=True)
        ]


def write(
    conn: Connection, shape: TableShape, lines: Iterable[list[Any]], *, batch: int = 500
) -> int:
    """Insert rows as ``rows`` yields them and return how many there were.

    Raises:
        BackupDamagedError: a value does not fit the kind of its column.
    """
    table, written = shape.clause(), 0
    if conn.execute(select(func.count()).select_from(table)).scalar_one():
        conn.execute(sa.delete(table))  # what the migration itself put there
    pending: list[dict[str, Any]] = []
    for line in lines:
        pending.append(_values(shape, line))
        if len(pending) == batch:
            conn.execute(insert(table), pending)
            written, pending = written + batch, []
    if pending:
        conn.execute(insert(table), pending)
    _go_on_numbering(conn, shape)
    return written + len(pending)


def count(conn: Connection, shape: TableShape) -> int:
    """Return how many rows a table has."""
    counted: int = conn.execute(select(func.count()).select_from(shape.clause())).scalar_one()
    return counted


def _go_on_numbering(conn: Connection, shape: TableShape) -> None:
    """Let PostgreSQL number new rows after those that were written with their numbers."""
    if conn.dialect.name != "postgresql" or "id" not in shape.key:
        return
    last = shape.clause().c.id
    sequence = func.pg_get_serial_sequence(shape.name, "id")
    highest = func.coalesce(func.max(last), 1)
    conn.execute(select(func.setval(sequence, highest, func.max(last).is_not(None))))


def _values(shape: TableShape, line: list[Any]) -> dict[str, Any]:
    if len(line) != len(shape.columns):
        raise BackupDamagedError(f"a row of {shape.name} has {len(line)} values")
    try:
        return {
            name: None if value is None else _READ[kind](value)
            for (name, kind), value in zip(shape.columns, line, strict=True)
        }
    except (TypeError, ValueError, InvalidOperation, binascii.Error) as exc:
        raise BackupDamagedError(f"a row of {shape.name} holds a value of another kind") from exc


def _kind(column_type: TypeEngine[Any]) -> ColumnKind:
    for known, kind in _KINDS:
        if isinstance(column_type, known):
            return kind
    raise TypeError(f"columns of {column_type!r} have no spelling in backups yet")


def _spell_bytes(value: Any) -> str:
    raw = bytes(value)
    try:
        return _TEXT + raw.decode("utf-8")  # XML, as most is, packs far better than base64
    except UnicodeDecodeError:
        return _BASE64 + base64.b64encode(raw).decode("ascii")


def _read_bytes(value: str) -> bytes:
    if value.startswith(_TEXT):
        return value[len(_TEXT) :].encode("utf-8")
    if value.startswith(_BASE64):
        return base64.b64decode(value[len(_BASE64) :], validate=True)
    raise ValueError("neither text nor base64")


def _same(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"not of {kind}")
        return value

    return read


_SPELL: Mapping[ColumnKind, Callable[[Any], Any]] = {
    ColumnKind.TEXT: str,
    ColumnKind.INTEGER: int,
    ColumnKind.BOOLEAN: bool,
    ColumnKind.MOMENT: lambda value: value.astimezone(UTC).strftime(_ISO),
    ColumnKind.DATE: lambda value: value.isoformat(),
    ColumnKind.DECIMAL: lambda value: format(value, "f"),
    ColumnKind.BYTES: _spell_bytes,
}
_READ: Mapping[ColumnKind, Callable[[Any], Any]] = {
    ColumnKind.TEXT: _same(str),
    ColumnKind.INTEGER: _same(int),
    ColumnKind.BOOLEAN: _same(bool),
    ColumnKind.MOMENT: lambda value: datetime.strptime(value, _ISO).replace(tzinfo=UTC),
    ColumnKind.DATE: date.fromisoformat,
    ColumnKind.DECIMAL: Decimal,
    ColumnKind.BYTES: _read_bytes,
}
