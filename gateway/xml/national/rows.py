"""Compiled mapping rows: what one national format says about one document type.

Compiled from YAML by ``gateway.xml.national.compiler``; used by reader and writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.documents.base import Record
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.fields import Leaf, groups
from gateway.xml.national.conversions import Conversion
from gateway.xml.national.tree import NodeKind, SourcePath

NationalDocument = CertificateOfOrigin | CustomsResponse


class Direction(StrEnum):
    """Says when a row works, where it does not work both ways."""

    BOTH = "both"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class ConstantRow:
    """Is one field of the document that has the same value in every file."""

    field: str
    path: str
    value: object
    line: int = 0


@dataclass(frozen=True)
class PositionRow:
    """Is one field of the document that counts the members of its group from 1."""

    field: str
    path: str
    line: int = 0


@dataclass(frozen=True)
class Row:
    """Is one field of the document and where the national file has it.

    Attributes:
        field: path below the enclosing group, as ``packages.kind``.
        path: full path of the leaf, as ``items[].packages.kind``.
        sources: where the value stands; several are joined by ``join``.
        default: value when the source is blank.
        split: separator of the values of a repeated leaf that stand in one text.
        absent: texts that mean "nothing" beside the blank.
        line: of the mapping file.
        kinds: kinds of source node admitted; ``write_kind`` is what we write.
    """

    field: str
    path: str
    leaf: Leaf
    conversion: Conversion
    sources: tuple[SourcePath, ...]
    join: str = ""
    default: object | None = None
    split: str | None = None
    absent: frozenset[str] = frozenset()
    only: Direction = Direction.BOTH
    kinds: frozenset[NodeKind] = frozenset({NodeKind.TEXT})
    write_kind: NodeKind = NodeKind.TEXT
    line: int = 0

    @property
    def repeated(self) -> bool:
        """Whether the field is a tuple of plain values."""
        return self.field.endswith("[]")


@dataclass(frozen=True)
class FixedRow:
    """Is a source value that must be this text, and carries nothing for the document."""

    source: SourcePath
    text: str
    kind: NodeKind = NodeKind.TEXT
    line: int = 0


@dataclass(frozen=True)
class Group:
    """Is a repeated part of the document.

    Attributes:
        each: the repeated part of the source; None for one slot of flat fields, which
            exists when any of its fields does.
    """

    field: str
    path: str
    each: SourcePath | None
    rows: tuple[AnyRow, ...]
    line: int = 0

    @property
    def name(self) -> str:
        """The field without brackets, as values are keyed."""
        return self.field.removesuffix("[]")

    @property
    def takes_text(self) -> bool:
        """Whether a member may be a plain text, as a row reads the repeated part itself."""
        sourced = (row for row in self.rows if isinstance(row, Row))
        return any(not source.steps for row in sourced for source in row.sources)

    def constants(self) -> Iterator[ConstantRow]:
        """Yield the rows that say which members of the tuple belong to this group."""
        return (row for row in self.rows if isinstance(row, ConstantRow))


AnyRow = Row | ConstantRow | PositionRow | FixedRow | Group


@dataclass(frozen=True)
class Omission:
    """Is something left out on purpose, with the reason."""

    what: str
    reason: str


@dataclass(frozen=True)
class Section:
    """Is everything one national format says about one document type.

    Attributes:
        reference: where the document's own number stands, to name it in readings.
        around: path to fixed text in what surrounds the documents of a file.
        layout: what the carrier needs to find documents in a file, see each carrier.
        columns: source names that rows use, by repeated part, "" being the document itself.
        listed_columns: names of columns as the mapping file lists them, by type of line.
        ignored: source fields that are not read, with reasons.
        omitted: document fields that are not written, with reasons.
        line: of the mapping file.
    """

    format_name: str
    model: type[NationalDocument]
    reference: SourcePath
    rows: tuple[AnyRow, ...]
    layout: Mapping[str, str]
    around: Mapping[str, str]
    record_types: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    listed_columns: Mapping[str, tuple[str, ...]]
    ignored: tuple[Omission, ...]
    omitted: tuple[Omission, ...]
    line: int = 0

    def mapped(self) -> frozenset[str]:
        """Return the leaves of the model that rows fill."""
        return frozenset(_mapped(self.rows))


def _mapped(rows: tuple[AnyRow, ...]) -> Iterator[str]:
    for row in rows:
        if isinstance(row, Group):
            yield from _mapped(row.rows)
        elif not isinstance(row, FixedRow):
            yield row.path


def optional_records(model: type[Record]) -> frozenset[str]:
    """Return the paths of single records that a document of ``model`` may lack."""
    found = set()
    for path, member in groups(model).items():
        if path.endswith("[]") or not issubclass(member, Record):
            continue
        parent, _, name = path.rpartition(".")
        owner = groups(model)[parent] if parent else model
        if not owner.model_fields[name].is_required():
            found.add(path)
    return frozenset(found)
