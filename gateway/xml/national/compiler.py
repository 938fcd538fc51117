"""Compiling the rows of a national mapping file against the document model.

Every mistake has file, line, row and remedy; one row's mistake does not hide another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TypeVar

from gateway.documents.base import Record
from gateway.documents.fields import Leaf, groups, leaves
from gateway.xml.national.checks import (
    columns_of,
    incomplete,
    lists_of,
    omissions,
    reads,
    texts,
    wrong_omissions,
)
from gateway.xml.national.ends import Conventions, conversion_of, neutral_value
from gateway.xml.national.marks import Marked
from gateway.xml.national.mistakes import Complaints, FaultyMapping
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

T = TypeVar("T")

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
        broken: paths of rows that are there, but wrong.
    """

    model: type[NationalDocument]
    prefix: str
    known: Conventions
    carrier: str
    complaints: Complaints
    in_line: bool = False
    broken: set[str] = field(default_factory=set)


def compile_section(
    name: str,
    mark: Marked,
    model: type[NationalDocument],
    known: Conventions,
    carrier: str,
    complaints: Complaints,
) -> Section | None:
    """Return the compiled ``certificate:`` or ``response:`` part of a mapping file.

    What is wrong becomes complaints, and is left out; None where nothing can be made of it.
    """
    keys = mark.known_keys(complaints, SECTION_KEYS, ("reference", "rows"))
    if "rows" not in keys:
        return None
    scope = Scope(model, "", known, carrier, complaints)
    rows = _complete_rows(keys["rows"], keys["rows"], scope)
    blank = SourcePath.parse(".")
    section = Section(
        format_name=name,
        model=model,
        reference=_part(keys, "reference", complaints, lambda it: path_of(it, carrier)) or blank,
        rows=rows,
        layout={
            key: text
            for key in _LAYOUT_KEYS
            if (text := _part(keys, key, complaints, Marked.text)) is not None
        },
        around=_part(keys, "around", complaints, texts) or {},
        record_types=_part(keys, "types", complaints, texts) or {},
        columns=columns_of(rows),
        listed_columns=_part(keys, "columns", complaints, lists_of) or {},
        ignored=_part(keys, "ignored", complaints, lambda it: omissions(it, "source")) or (),
        omitted=_part(keys, "omitted", complaints, lambda it: omissions(it, "field")) or (),
        line=mark.line,
    )
    complaints.note(*wrong_omissions(keys.get("omitted"), section))
    return section


def _part(
    keys: Mapping[str, Marked], key: str, complaints: Complaints, read: Callable[[Marked], T]
) -> T | None:
    """Return what ``read`` makes of one key; None where it is missing or wrong."""
    return complaints.attempt(lambda: read(keys[key])) if key in keys else None


def _complete_rows(marked: Marked, blamed: Marked, scope: Scope) -> tuple[AnyRow, ...]:
    """Return the rows that are right; what they leave out becomes complaints."""
    rows = tuple(_rows(marked, scope))
    scope.complaints.note(*incomplete(blamed, rows, scope.model, scope.prefix, scope.broken))
    return rows


def _rows(marked: Marked, scope: Scope) -> Iterator[AnyRow]:
    seen: set[str] = set()
    for entry in scope.complaints.attempt(marked.items) or ():
        with scope.complaints.gathering():
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
    field_name = entry.mapping()["group"].text()
    path = scope.prefix + field_name
    named = entry.named(f'"{path}"')
    keys = named.known_keys(scope.complaints, GROUP_KEYS, ("group", "rows"))
    member = groups(scope.model).get(path)
    if member is None or not field_name.endswith("[]") or not issubclass(member, Record):
        raise named.error(
            f"{path} is no repeated record of {scope.model.__name__}",
            "Name one of: " + ", ".join(_repeated_records(scope.model)),
        )
    if scope.in_line and "each" in keys and scope.carrier == "csv":
        raise named.error("a CSV line has no repeated parts", "Leave each: out for flat columns")
    each = None
    if "each" in keys:
        each = scope.complaints.attempt(lambda: _each(keys["each"], scope))
    inner = replace(scope, prefix=path + ".", in_line=scope.in_line or "each" in keys, broken=set())
    rows = _complete_rows(keys["rows"], named, inner) if "rows" in keys else ()
    return Group(field_name, path, each, rows, entry.line)


def _each(marked: Marked, scope: Scope) -> SourcePath:
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
    return FixedRow(path_of(keys["source"], scope.carrier), keys["fixed"].text(), line=entry.line)


def _field(entry: Marked, scope: Scope) -> AnyRow:
    if "field" not in entry.mapping():
        raise entry.error('the row has neither "field", "group" nor "fixed"', 'Add "field:"')
    field_name = entry.mapping()["field"].text()
    path = scope.prefix + field_name
    named = entry.named(f'"{path}"')
    leaf = leaves(scope.model).get(path)
    if leaf is None or "[]" in field_name.removesuffix("[]"):
        scope.complaints.note(*named.wrong_keys(ROW_KEYS))
        raise named.error(
            f"{path} is no field of {scope.model.__name__} here",
            _nearest(scope, field_name)
            + 'Take the path from docs/document-fields.md; repeated records need "group:"',
        )
    scope.broken.add(path)
    keys = named.known_keys(scope.complaints, ROW_KEYS)
    _require_origin(named, keys, leaf)
    row: AnyRow
    if "constant" in keys:
        value = neutral_value(keys["constant"], leaf, scope.model)
        row = ConstantRow(field_name, path, value, entry.line)
    elif "position" in keys:
        row = PositionRow(field_name, path, entry.line)
    else:
        row = _sourced(named, keys, leaf, scope)
    scope.broken.discard(path)
    return row


def _nearest(scope: Scope, field_name: str) -> str:
    """Return a question for the field that a misspelt one may mean."""
    inner = (path.removeprefix(scope.prefix) for path in leaves(scope.model))
    found = get_close_matches(field_name, [path for path in inner if "[]" not in path], 1)
    return f'Perhaps "{found[0]}" is meant. ' if found else ""


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
    attempt = scope.complaints.attempt
    sources = attempt(lambda: sources_of(keys, scope.carrier))
    kinds = attempt(lambda: kinds_of(keys, leaf, scope.carrier))
    only = attempt(lambda: direction_of(keys.get("only")))
    default = None
    if "default" in keys:
        default = attempt(lambda: neutral_value(keys["default"], leaf, scope.model))
    absent = scope.known.of(keys, "absent", named)
    conversion = conversion_of(named, keys, leaf, scope.known, scope.complaints)
    if sources is None or kinds is None or only is None:
        raise FaultyMapping(())  # each of them is a complaint by now
    return Row(
        field=leaf.path.removeprefix(scope.prefix),
        path=leaf.path,
        leaf=leaf,
        conversion=conversion,
        sources=sources,
        join=keys["join"].text() if "join" in keys else "",
        default=default,
        split=keys["split"].text() if "split" in keys else None,
        absent=frozenset(absent.texts()) if absent else frozenset(),
        only=only,
        kinds=kinds[0],
        write_kind=kinds[1],
        line=named.line,
    )
