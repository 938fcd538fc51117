"""Checks and plain parts of a section of a mapping file, beside its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from gateway.documents.base import Record
from gateway.documents.fields import leaves
from gateway.xml.national.marks import Marked
from gateway.xml.national.mistakes import Mistake
from gateway.xml.national.rows import (
    AnyRow,
    Direction,
    FixedRow,
    Group,
    Omission,
    Row,
    Section,
    optional_records,
)


def reads(row: AnyRow) -> bool:
    """Whether the row works when reading."""
    return not (isinstance(row, Row) and row.only is Direction.WRITE)


def incomplete(
    mark: Marked, rows: tuple[AnyRow, ...], model: type[Record], prefix: str, broken: Set[str]
) -> Iterator[Mistake]:
    """Yield what rows leave out although every record that they begin must have it.

    Args:
        broken: paths of rows that are there, but wrong.
    """
    for path in missing_fields(filled_by(rows) | broken, model, prefix):
        yield mark.named(f'"{path}"').mistake(
            "the field is obligatory, but no row fills it", "Add a row for it"
        )


def filled_by(rows: tuple[AnyRow, ...]) -> Set[str]:
    """Return the fields that rows fill on reading, those of groups left out."""
    return {row.path for row in rows if not isinstance(row, Group | FixedRow) and reads(row)}


def missing_fields(filled: Set[str], model: type[Record], prefix: str) -> Iterator[str]:
    """Yield the fields that every record begun by the ``filled`` ones must have beside them."""
    optional = optional_records(model)
    for leaf in leaves(model).values():
        inner = leaf.path.removeprefix(prefix)
        if not leaf.path.startswith(prefix) or "[]" in inner or not leaf.required:
            continue
        begun = all(
            owner not in optional or any(path.startswith(owner + ".") for path in filled)
            for owner in _owners(leaf.path, prefix)
        )
        if begun and leaf.path not in filled:
            yield leaf.path


def _owners(path: str, prefix: str) -> list[str]:
    parts = path.removeprefix(prefix).split(".")[:-1]
    return [prefix + ".".join(parts[: index + 1]) for index in range(len(parts))]


def texts(marked: Marked | None) -> dict[str, str]:
    """Return keys and plain values; nothing where nothing is written."""
    return {} if marked is None else {key: item.text() for key, item in marked.mapping().items()}


def omissions(marked: Marked | None, key: str) -> tuple[Omission, ...]:
    """Return what is left out on purpose, each with its reason."""
    if marked is None:
        return ()
    found = []
    for entry in marked.items():
        keys = entry.keys(frozenset({key, "reason"}), (key, "reason"))
        found.append(Omission(keys[key].text(), keys["reason"].text()))
    return tuple(found)


def wrong_omissions(marked: Marked | None, section: Section) -> Iterator[Mistake]:
    """Yield a mistake for each omission that names no field of the document."""
    known = leaves(section.model)
    for omission in section.omitted:
        if marked is not None and omission.what not in known:
            yield marked.mistake(
                f'"{omission.what}" is no field of {section.model.__name__}',
                "Take the path from the document description",
            )


def columns_of(rows: tuple[AnyRow, ...]) -> dict[str, tuple[str, ...]]:
    """Return the names that stand in each kind of line, "" being the document's own line."""
    found: dict[str, dict[str, None]] = {"": {}}
    _collect_columns(rows, "", found)
    return {name: tuple(names) for name, names in found.items()}


def lists_of(marked: Marked | None) -> dict[str, tuple[str, ...]]:
    """Return keys with the values listed under each."""
    if marked is None:
        return {}
    return {name: entry.texts() for name, entry in marked.mapping().items()}


def _collect_columns(rows: Iterable[AnyRow], line: str, found: dict[str, dict[str, None]]) -> None:
    for row in rows:
        if isinstance(row, Group):
            name = row.each.names[0] if row.each else line
            found.setdefault(name, {})
            _collect_columns(row.rows, name, found)
        elif isinstance(row, Row | FixedRow):
            for source in row.sources if isinstance(row, Row) else (row.source,):
                target = "" if source.absolute else line
                found[target].update(dict.fromkeys(source.names[:1]))
