"""Compiling the rows of a national mapping file against the document model.

Every mistake is a ``MappingError`` with file, line, row and remedy, when the file is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.documents.base import Record
from gateway.documents.fields import Leaf, groups, leaves
from gateway.xml.national.checks import (
    check_omitted,
    columns_of,
    lists_of,
    omissions,
    reads,
    require_complete,
    texts,
)
from gateway.xml.national.ends import Conventions, conversion_of, neutral_value
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import (
    AnyRow,
    ConstantRow,
    FixedRow,
    Group,
    NationalDocument,
    PositionRow,
    Row,
    Section,
)
from gateway.xml.national.sources import direction_of, kinds_of, path_of, sources_of
from gateway.xml.national.tree import SourcePath

ROW_KEYS = frozenset(
    (
        "field",
        "source",
        "constant",
        "default",
        "date",
        "datetime",
        "offset",
        "decimal",
        "digits",
        "table",
        "column",
        "otherwise",
        "prefix",
        "source_prefix",
        "remove",
        "join",
        "split",
        "absent",
        "only",
        "as",
        "position",
        "note",
    )
)
FIXED_KEYS = frozenset({"fixed", "source", "note"})
GROUP_KEYS = frozenset({"group", "each", "rows", "note"})
SECTION_KEYS = frozenset(
    (
        "reference",
        "record",
        "root",
        "around",
        "type_column",
        "types",
        "key",
        "lines",
        "columns",
        "rows",
        "ignored",
        "omitted",
    )
)
_LAYOUT_KEYS = ("record", "root", "type_column", "key", "lines")


@dataclass(frozen=True)
class Scope:
    """Is where in the document the rows being compiled stand.

    Attributes:
        prefix: path of the enclosing group with its dot, as ``items[].``.
        carrier: ``json``, ``xml`` or ``csv``.
        in_line: inside a repeated part of the source.
    """

    model: type[NationalDocument]
    prefix: str
    known: Conventions
    carrier: str
    in_line: bool = False


def compile_section(
    name: str, mark: Marked, model: type[NationalDocument], known: Conventions, carrier: str
) -> Section:
    """Return the compiled ``certificate:`` or ``response:`` part of a mapping file.

    Raises:
        MappingError: a row does not fit the model, or required fields are not filled.
    """
    keys = mark.keys(SECTION_KEYS, ("reference", "rows"))
    scope = Scope(model, "", known, carrier)
    rows = tuple(_rows(keys["rows"], scope))
    require_complete(keys["rows"], rows, model, "")
    section = Section(
        format_name=name,
        model=model,
        reference=path_of(keys["reference"], scope.carrier),
        rows=rows,
        layout={key: keys[key].text() for key in _LAYOUT_KEYS if key in keys},
        around=texts(keys.get("around")),
        record_types=texts(keys.get("types")),
        columns=columns_of(rows),
        listed_columns=lists_of(keys.get("columns")),
        ignored=omissions(keys.get("ignored"), "source"),
        omitted=omissions(keys.get("omitted"), "field"),
    )
    check_omitted(keys.get("omitted"), section)
    return section


def _rows(marked: Marked, scope: Scope) -> Iterator[AnyRow]:
    seen: set[str] = set()
    for entry in marked.items():
        row = _row_of(entry, scope)
        if not isinstance(row, Group | FixedRow) and reads(row):
            if row.path in seen:
                raise entry.named(f'"{row.path}"').error(
                    "the field is filled twice", 'Keep one row, or mark one "only: write"'
                )
            seen.add(row.path)
        yield row


def _row_of(entry: Marked, scope: Scope) -> AnyRow:
    keys = entry.mapping()
    if "group" in keys:
        return _group(entry, scope)
    if "fixed" in keys:
        return _fixed(entry, scope)
    return _field(entry, scope)


def _group(entry: Marked, scope: Scope) -> Group:
    field = entry.mapping()["group"].text()
    path = scope.prefix + field
    named = entry.named(f'"{path}"')
    keys = named.keys(GROUP_KEYS, ("group", "rows"))
    member = groups(scope.model).get(path)
    if member is None or not field.endswith("[]") or not issubclass(member, Record):
        raise named.error(
            f"{path} is no repeated record of {scope.model.__name__}",
            "Name one of: " + ", ".join(_repeated_records(scope.model)),
        )
    if scope.in_line and "each" in keys and scope.carrier == "csv":
        raise named.error("a CSV line has no repeated parts", "Leave each: out for flat columns")
    inner = replace(scope, prefix=path + ".", in_line=scope.in_line or "each" in keys)
    rows = tuple(_rows(keys["rows"], inner))
    require_complete(named, rows, inner.model, inner.prefix)
    return Group(field, path, _each(keys.get("each"), scope), rows)


def _each(marked: Marked | None, scope: Scope) -> SourcePath | None:
    if marked is None:
        return None
    path = path_of(marked, scope.carrier)
    if not path.steps:
        raise marked.error('"." cannot be repeated', "Leave each: out for flat fields")
    return path


def _repeated_records(model: type[Record]) -> Iterator[str]:
    for path, member in groups(model).items():
        if path.endswith("[]") and issubclass(member, Record):
            yield path


def _fixed(entry: Marked, scope: Scope) -> FixedRow:
    keys = entry.keys(FIXED_KEYS, ("fixed", "source"))
    return FixedRow(path_of(keys["source"], scope.carrier), keys["fixed"].text())


def _field(entry: Marked, scope: Scope) -> AnyRow:
    if "field" not in entry.mapping():
        raise entry.error('the row has neither "field", "group" nor "fixed"', 'Add "field:"')
    field = entry.mapping()["field"].text()
    path = scope.prefix + field
    named = entry.named(f'"{path}"')
    keys = named.keys(ROW_KEYS)
    leaf = leaves(scope.model).get(path)
    if leaf is None or "[]" in field.removesuffix("[]"):
        raise named.error(
            f"{path} is no field of {scope.model.__name__} here",
            "Take the path from the document description; repeated records need group:",
        )
    _require_origin(named, keys, leaf)
    if "constant" in keys:
        return ConstantRow(field, path, neutral_value(keys["constant"], leaf, scope.model))
    if "position" in keys:
        return PositionRow(field, path)
    return _sourced(named, keys, leaf, scope)


def _require_origin(named: Marked, keys: Mapping[str, Marked], leaf: Leaf) -> None:
    origins = [key for key in ("source", "constant", "position") if key in keys]
    if len(origins) != 1:
        raise named.error(
            "exactly one of source, constant and position says where the value comes from",
            "Write one of them",
        )
    extra = set(keys) - {"field", "note", *origins}
    if origins != ["source"] and extra:
        raise named.error(
            f'"{sorted(extra)[0]}" makes sense with "source" only', "Remove it, or name a source"
        )
    if leaf.path.endswith("[]") and origins != ["source"]:
        raise named.error(f"{leaf.path} is a list of values", 'Name its "source"')
    if "position" in keys and leaf.type is not int:
        raise named.error(f"{leaf.path} cannot count positions", "Use it for whole numbers only")
    if "split" in keys and not leaf.path.endswith("[]"):
        raise named.error(f"{leaf.path} holds one value", 'Remove "split"')


def _sourced(named: Marked, keys: Mapping[str, Marked], leaf: Leaf, scope: Scope) -> Row:
    absent = scope.known.of(keys, "absent", named)
    kinds, write_kind = kinds_of(keys, leaf, scope.carrier)
    default = keys.get("default")
    return Row(
        field=leaf.path.removeprefix(scope.prefix),
        path=leaf.path,
        leaf=leaf,
        conversion=conversion_of(named, keys, leaf, scope.known),
        sources=sources_of(keys, scope.carrier),
        join=keys["join"].text() if "join" in keys else "",
        default=None if default is None else neutral_value(default, leaf, scope.model),
        split=keys["split"].text() if "split" in keys else None,
        absent=frozenset(absent.texts()) if absent else frozenset(),
        only=direction_of(keys.get("only")),
        kinds=kinds,
        write_kind=write_kind,
    )
