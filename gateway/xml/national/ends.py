"""Choosing the conversion of a row: its keys against the type of the document field.

Raises ``FaultyMapping`` naming file, line and row wherever the two do not agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.documents.base import Record
from gateway.documents.fields import Leaf, groups
from gateway.xml.national.conversions import (
    Choice,
    CodeTable,
    Conversion,
    DecimalStyle,
    Flag,
    Picture,
    PlainText,
    Prefix,
    Removal,
    SourcePrefix,
    TextStep,
    TypedEnd,
    WesternDigits,
    WholeNumber,
)
from gateway.xml.national.marks import Marked
from gateway.xml.national.mistakes import Complaints, FaultyMapping, Mistake
from gateway.xml.national.styles import day_style, decimal_style, moment_style
from gateway.xml.national.texts import UnfitError
from gateway.xml.national.times import DayStyle, MomentStyle, TimePattern

_TYPED_KEYS: Mapping[str, tuple[type[Any], ...]] = {
    "date": (date,),
    "datetime": (datetime,),
    "offset": (datetime,),
    "decimal": (Decimal,),
    "digits": (int, Decimal, date, datetime),
}
_NEUTRAL_DAY = DayStyle(TimePattern("yyyy-mm-dd"))
_NEUTRAL_MOMENT = MomentStyle(TimePattern("yyyy-mm-ddThh:mizone"), None)


@dataclass(frozen=True)
class Table:
    """Is a code table of a mapping file; a simple one has the single column ``""``."""

    name: str
    columns: Mapping[str, Mapping[str, str]]
    line: int = 0


@dataclass(frozen=True)
class Conventions:
    """Holds what every row of a mapping file may lean on.

    Attributes:
        values: the file's ``values:`` section, used where a row states nothing itself.
    """

    values: Mapping[str, Marked]
    tables: Mapping[str, Table]

    def of(self, row: Mapping[str, Marked], key: str, mark: Marked) -> Marked | None:
        """Return what the row, or else the file, says under ``key``."""
        found = row.get(key) or self.values.get(key)
        return found.named(mark.row) if found else None


def load_tables_of(marked: Marked | None, complaints: Complaints) -> dict[str, Table]:
    """Return the code tables written under ``tables:``; wrong ones become complaints."""
    found: dict[str, Table] = {}
    if marked is None:
        return found
    for name, body in (complaints.attempt(marked.mapping) or {}).items():
        with complaints.gathering():
            found[name] = _table(name, body)
    return found


def _table(name: str, marked: Marked) -> Table:
    columns: dict[str, dict[str, str]] = {}
    for code, value in marked.mapping().items():
        cells = value.mapping() if isinstance(value.value, dict) else {"": value}
        for column, cell in cells.items():
            columns.setdefault(column, {})[code] = cell.text()
    if not columns:
        raise marked.error(f'the table "{name}" is empty', "Write at least one code")
    return Table(name, columns, marked.line)


def conversion_of(
    mark: Marked,
    row: Mapping[str, Marked],
    leaf: Leaf,
    known: Conventions,
    complaints: Complaints,
) -> Conversion:
    """Return the conversion that a row asks for.

    Raises:
        FaultyMapping: the row's keys and the field's type do not agree.
    """
    complaints.note(*_foreign_keys(row, leaf))
    end = _end(mark, row, leaf, known)
    steps: list[TextStep] = []
    if (prefix := row.get("source_prefix")) is not None:
        steps.append(SourcePrefix(prefix.text()))
    if (removed := row.get("remove")) is not None:
        steps.append(Removal(removed.text()))
    if _reads_arabic_digits(mark, row, leaf, known):
        steps.append(WesternDigits())
    if (name := row.get("table")) is not None:
        steps.append(_code_table(name, row, known, end))
    if (prefix := row.get("prefix")) is not None:
        steps.append(Prefix(prefix.text()))
    return Conversion(tuple(steps), end)


def neutral_value(marked: Marked, leaf: Leaf, model: type[Record]) -> object:
    """Return a constant or default, written the way our own JSON writes it.

    Raises:
        FaultyMapping: the field cannot hold it.
    """
    text = marked.text()
    ends: Mapping[type[Any], TypedEnd] = {
        Decimal: DecimalStyle("."),
        datetime: _NEUTRAL_MOMENT,
        date: _NEUTRAL_DAY,
    }
    try:
        value = (ends.get(leaf.type) or _plain_end(leaf.type)).read(text)
        _adapter(model, leaf).validate_python(value, strict=True)
    except (UnfitError, ValidationError) as exc:
        raise marked.error(
            f'"{text}" is no value that {leaf.path} can hold', f"Write {_neutral_form(leaf)}"
        ) from exc
    return value


def _neutral_form(leaf: Leaf) -> str:
    """Return how a constant of the type of ``leaf`` is written."""
    if issubclass(leaf.type, StrEnum):
        return "one of: " + ", ".join(each.value for each in leaf.type)
    forms: Mapping[type[Any], str] = {
        bool: 'true or false in quotes: "false"',
        int: "a whole number",
        Decimal: "a number with a decimal point, as 18500.50",
        datetime: "a moment as 2026-03-09T11:15:00+02:00",
        date: "a day as 2026-03-09",
    }
    return forms.get(leaf.type, "a text that the field admits")


def _adapter(model: type[Record], leaf: Leaf) -> TypeAdapter[Any]:
    parent, _, name = leaf.path.removesuffix("[]").rpartition(".")
    owner = groups(model)[parent] if parent else model
    annotation = owner.model_fields[name].rebuild_annotation()
    return TypeAdapter(annotation)


def _foreign_keys(row: Mapping[str, Marked], leaf: Leaf) -> Iterator[Mistake]:
    for key, types in _TYPED_KEYS.items():
        if key in row and leaf.type not in types:
            yield row[key].mistake(
                f'"{key}" does not suit {leaf.path}, which is {_type_name(leaf)}',
                f'Remove "{key}" or name another field',
            )
    if "column" in row and "table" not in row:
        yield row["column"].mistake('"column" stands without "table"', "Name the table")
    if "otherwise" in row and "table" not in row:
        yield row["otherwise"].mistake('"otherwise" stands without "table"', "Name the table")


def _type_name(leaf: Leaf) -> str:
    names = {str: "text", int: "a whole number", Decimal: "a decimal", date: "a date"}
    names |= {datetime: "a moment", bool: "a flag", bytes: "a picture"}
    return names.get(leaf.type, f"one of {leaf.type.__name__}")


def _end(mark: Marked, row: Mapping[str, Marked], leaf: Leaf, known: Conventions) -> TypedEnd:
    if leaf.type is datetime:
        written = _needed(mark, row, leaf, known, "datetime")
        return moment_style(written, lambda: _needed(mark, row, leaf, known, "offset"))
    if leaf.type is date:
        return day_style(_needed(mark, row, leaf, known, "date"))
    if leaf.type is Decimal:
        return decimal_style(_needed(mark, row, leaf, known, "decimal"))
    return _plain_end(leaf.type)


def _plain_end(kind: type[Any]) -> TypedEnd:
    if issubclass(kind, StrEnum):
        return Choice(kind)
    ends: Mapping[type[Any], TypedEnd] = {
        bool: Flag(),
        int: WholeNumber(),
        bytes: Picture(),
    }
    return ends.get(kind, PlainText())


def _needed(
    mark: Marked, row: Mapping[str, Marked], leaf: Leaf, known: Conventions, key: str
) -> Marked:
    found = known.of(row, key, mark)
    if found is None:
        raise mark.error(
            f'{leaf.path} is {_type_name(leaf)}, but nothing says how it is written ("{key}:")',
            f'Add "{key}:" to the row or to the values: section',
        )
    return found


def _reads_arabic_digits(
    mark: Marked, row: Mapping[str, Marked], leaf: Leaf, known: Conventions
) -> bool:
    written = known.of(row, "digits", mark)
    if written is None or leaf.type not in _TYPED_KEYS["digits"]:
        return False
    if written.text() not in ("western", "arabic-indic"):
        raise written.error(
            f'"{written.text()}" is no kind of digits', 'Write "western" or "arabic-indic"'
        )
    return written.text() == "arabic-indic"


def _code_table(
    name: Marked, row: Mapping[str, Marked], known: Conventions, end: TypedEnd
) -> CodeTable:
    table = known.tables.get(name.text())
    if table is None:
        names = ", ".join(known.tables) or "none"
        raise name.error(
            f'there is no table "{name.text()}"',
            f'Write it under "tables:"; those there are: {names}',
        )
    column = row["column"].text() if "column" in row else ""
    if column not in table.columns:
        columns = ", ".join(filter(None, table.columns)) or "none, leave column: out"
        raise name.error(f'table "{table.name}" has no column "{column}"', f"Columns: {columns}")
    keep = _keeps_unknown(row.get("otherwise"))
    for code in table.columns[column].values():
        _require_readable(name, code, end)
    return CodeTable(table.name, table.columns[column], keep)


def _keeps_unknown(marked: Marked | None) -> bool:
    if marked is None or marked.text() == "refuse":
        return False
    if marked.text() != "keep":
        raise marked.error(f'"{marked.text()}" is not known here', 'Write "keep" or "refuse"')
    return True


def _require_readable(name: Marked, code: str, end: TypedEnd) -> None:
    if isinstance(end, PlainText):
        return
    try:
        end.read(code)
    except UnfitError as exc:
        raise _unreadable(name, code) from exc


def _unreadable(name: Marked, code: str) -> FaultyMapping:
    return name.error(
        f'table "{name.text()}" gives "{code}", which the field cannot hold',
        "Correct the table or the field",
    )
