"""One mapping table: loaded and checked once, then writing and reading its message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from gateway.documents.codes import DocumentType
from gateway.documents.findings import Finding
from gateway.documents.shape import MODELS, Document, from_values
from gateway.errors import InvalidDocumentError, MappingError
from gateway.resources import data_path
from gateway.xml.mapping import complaints
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.blueprint import Blueprint
from gateway.xml.mapping.checks import check_coverage, check_plan
from gateway.xml.mapping.entries import Entry, Place, localised
from gateway.xml.mapping.marked_yaml import MarkedDict, load_marked
from gateway.xml.mapping.mirroring import Mirror, compile_mirror
from gateway.xml.mapping.plan import Node
from gateway.xml.mapping.planning import Planner
from gateway.xml.mapping.reading import compile_reader
from gateway.xml.mapping.rendering import Write, compile_writer
from gateway.xml.mapping.rows import Row, RowKind
from gateway.xml.mapping.slots import MAX_FINDINGS, Reading
from gateway.xml.namespaces import MESSAGE_PREFIXES, message_namespace

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_KEYS: Final = frozenset({"document", "version", "labels", "not_carried", "rows"})
_VERSION: Final = re.compile(r"[1-9][0-9]?\.[0-9]{1,2}", re.ASCII)
_INDEX: Final = re.compile(r"\[[0-9]+\]", re.ASCII)


@dataclass(frozen=True)
class MappingTable:
    """Is the table of one message: what each field of a document is in XML.

    Attributes:
        version: version of the message, as ``1.0``.
        rows: every row in the order of the file.
        file: where the table was loaded from.
    """

    document_type: DocumentType
    version: str
    rows: tuple[Row, ...]
    file: Path
    plan: Node = field(repr=False, compare=False)
    _write: Write = field(repr=False, compare=False)
    _mirror: Mirror = field(repr=False, compare=False)
    _read: Callable[[etree._Element], Reading] = field(repr=False, compare=False)
    _by_field: Mapping[str, Row] = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: Path) -> MappingTable:
        """Return the table in the YAML file at ``path``, checked and compiled.

        Raises:
            MappingError: names the file, the line and the row that is wrong.
        """
        raw = load_marked(path)
        document_type, version = _heading(raw, path)
        planner, prefixes = _planner(raw, path, document_type, version)
        planner.add(_entries(raw, path))
        check_plan(planner.root, path)
        anatomy = Anatomy(MODELS[document_type])
        check_coverage(anatomy, planner.places, _not_carried(raw, path), path)
        return cls(
            document_type=document_type,
            version=version,
            rows=tuple(planner.rows),
            file=path,
            plan=planner.root,
            _write=compile_writer(planner.root, anatomy, prefixes),
            _mirror=compile_mirror(planner.root, anatomy),
            _read=compile_reader(planner.root, anatomy),
            _by_field={row.field: row for row in planner.rows if row.kind is RowKind.VALUE},
        )

    def render(self, document: Document) -> bytes:
        """Return the unsigned message that carries ``document``: UTF-8, no line breaks added.

        Raises:
            TypeError: the document is not of this table's type, which is our own mistake.
        """
        if type(document) is not MODELS[self.document_type]:
            raise TypeError(f"{type(document).__name__} is no {self.document_type}")
        return (_DECLARATION + self._write(document)).encode("utf-8")

    def read(self, root: etree._Element) -> Document:
        """Return the document that the message below ``root`` carries.

        Signatures (``ds:Signature`` below the root) are passed over.

        Raises:
            InvalidDocumentError: with one finding for each thing that cannot be read.
        """
        if root.tag != self.plan.step.tag:
            wrong = complaints.WRONG_ROOT.about("", str(root.tag), self.plan.step.tag)
            raise InvalidDocumentError("the message is of another type", findings=[wrong])
        values = self._mirror(root)  # nearly every message is spelled as we spell it
        reading = self._read(root) if values is None else Reading(values=values)
        model = MODELS[self.document_type]
        try:
            document = from_values(model, reading.values)
        except InvalidDocumentError as exc:
            raise self._refusal([*reading.findings, *self._placed(exc, reading)]) from exc
        if reading.findings:
            raise self._refusal(reading.findings)
        return document

    def row_for(self, path: str) -> Row | None:
        """Return the row of a datum by its path in a document, as ``items[2].hs_code``.

        For the path of a record, the row of its first field.
        """
        wanted = _INDEX.sub("[]", path)
        row = self._by_field.get(wanted)
        if row is None:
            fields = (name for name in self._by_field if name.startswith((f"{wanted}.", wanted)))
            row = self._by_field.get(next(fields, ""))
        return row

    def _placed(self, error: InvalidDocumentError, reading: Reading) -> list[Finding]:
        """Return the model's complaints with box and article, less those already made."""
        placed = []
        for finding in error.findings:
            if finding.path in reading.unreadable:
                continue
            row = self.row_for(finding.path)
            where = {"box": row.box, "article": row.article} if row else {}
            placed.append(finding.model_copy(update=where))
        return placed

    def _refusal(self, findings: Sequence[Finding]) -> InvalidDocumentError:
        return InvalidDocumentError(
            f"{self.document_type}: {len(findings)} element(s) cannot be read",
            findings=findings[:MAX_FINDINGS],
        )


def _heading(raw: MarkedDict, path: Path) -> tuple[DocumentType, str]:
    unknown = sorted(set(raw) - _KEYS)
    if unknown:
        raise MappingError(f"{path}:1: does not know the key {unknown[0]!r}")
    version = raw.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise MappingError(f"{path}:1: needs a version such as 1.0")
    try:
        return DocumentType(str(raw.get("document"))), version
    except ValueError as exc:
        raise MappingError(f"{path}:1: there is no document {raw.get('document')!r}") from exc


def _planner(
    raw: MarkedDict, path: Path, document_type: DocumentType, version: str
) -> tuple[Planner, Mapping[str, str]]:
    namespace = message_namespace(document_type)
    schema = f"{document_type}_{version.replace('.', 'p')}.xsd"
    root = Blueprint.load(data_path("schemas", "uncefact", schema)).roots.get(
        f"{{{namespace}}}{document_type}"
    )
    if root is None:
        raise MappingError(f"{path}:1: {schema} declares no element {document_type}")
    labels = raw.get("labels", MarkedDict())
    if not isinstance(labels, MarkedDict):
        raise MappingError(f"{path}:1: labels must be a mapping")
    place = Place(path, labels.line, "labels")
    shared = {name: localised(texts, place) for name, texts in labels.items()}
    prefixes = {"rsm": namespace, **MESSAGE_PREFIXES}
    anatomy = Anatomy(MODELS[document_type])
    return Planner(root, f"rsm:{document_type}", anatomy, prefixes, shared), prefixes


def _entries(raw: MarkedDict, path: Path) -> list[Entry]:
    rows: Any = raw.get("rows")
    if not isinstance(rows, list) or not rows:
        raise MappingError(f"{path}:1: needs a list under 'rows'")
    return [Entry(entry, path, 1) for entry in rows]


def _not_carried(raw: MarkedDict, path: Path) -> dict[str, str]:
    reasons = raw.get("not_carried", {})
    if not isinstance(reasons, dict) or not all(
        isinstance(reason, str) and reason for reason in reasons.values()
    ):
        raise MappingError(f"{path}:1: not_carried needs a reason for each field")
    return reasons


@cache
def load_tables() -> Mapping[DocumentType, MappingTable]:
    """Return the tables of all messages, loaded once.

    Raises:
        MappingError: a table is wrong.
    """
    names = {
        DocumentType.CERTIFICATE_OF_ORIGIN: "certificate-of-origin.yaml",
        DocumentType.CUSTOMS_RESPONSE: "customs-response.yaml",
        DocumentType.ACKNOWLEDGEMENT: "acknowledgement.yaml",
        DocumentType.BOOKS_STATEMENT: "books-statement.yaml",
    }
    tables = {kind: MappingTable.load(data_path("mappings", name)) for kind, name in names.items()}
    return MappingProxyType(tables)
