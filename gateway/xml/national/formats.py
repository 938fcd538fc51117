"""National formats: one mapping file each, certificate and customs response, both directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Self, TypeVar, cast

from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import Severity
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.fields import leaves
from gateway.documents.findings import Finding, LocalisedText
from gateway.errors import InvalidDocumentError, MappingError
from gateway.resources import data_path
from gateway.xml.national.carrier import LIMITS, Carrier, SourceFile, SourceRecord
from gateway.xml.national.compiler import compile_section
from gateway.xml.national.csv_carrier import CsvCarrier
from gateway.xml.national.ends import Conventions, load_tables_of
from gateway.xml.national.json_carrier import JsonCarrier
from gateway.xml.national.marks import Marked, load_marked
from gateway.xml.national.reader import read_document
from gateway.xml.national.rows import NationalDocument, Section
from gateway.xml.national.texts import Problem, UnfitError, finding, shown
from gateway.xml.national.tree import Location, Node
from gateway.xml.national.writer import losses, write_document
from gateway.xml.national.xml_carrier import XmlCarrier

D = TypeVar("D", CertificateOfOrigin, CustomsResponse)

FILE_KEYS = frozenset(
    (
        "format",
        "version",
        "label",
        "media_type",
        "suffixes",
        "carrier",
        "values",
        "tables",
        "certificate",
        "response",
        "note",
    )
)
VALUE_KEYS = frozenset({"date", "datetime", "offset", "decimal", "digits", "absent"})
CARRIERS: Mapping[str, type[JsonCarrier] | type[XmlCarrier] | type[CsvCarrier]] = MappingProxyType(
    {"json": JsonCarrier, "xml": XmlCarrier, "csv": CsvCarrier}
)


@dataclass(frozen=True)
class Reading(Generic[D]):
    """Is one document of a national file as read.

    Attributes:
        reference: the document's own number where it can be made out, else where it stands.
        document: the document; None when a finding is an error.
        findings: everything to say about it, errors first.
    """

    reference: str
    document: D | None
    findings: tuple[Finding, ...]


NationalReading = Reading[CertificateOfOrigin]
ResponseReading = Reading[CustomsResponse]


@dataclass(frozen=True)
class Coverage:
    """Names the leaves of the two documents that a format has no row for."""

    certificate: tuple[str, ...]
    response: tuple[str, ...]


@dataclass(frozen=True)
class NationalFormat:
    """Is one national format, compiled from its mapping file.

    Attributes:
        suffixes: endings of file names that suggest this format.
    """

    name: str
    version: str
    media_type: str
    label: LocalisedText
    suffixes: tuple[str, ...]
    carrier: Carrier
    certificate: Section
    response: Section

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the format that a mapping file describes.

        Raises:
            MappingError: the file is wrong; the detail names file, line, row and remedy.
        """
        root = load_marked(path)
        keys = root.keys(
            FILE_KEYS, ("format", "version", "label", "media_type", "carrier", "certificate")
        )
        name = keys["format"].text()
        if name != path.stem:
            raise keys["format"].error(f'the format is called "{name}"', f"Write {path.stem}")
        carrier = _carrier(keys["carrier"])
        values = keys["values"].keys(VALUE_KEYS) if "values" in keys else {}
        known = Conventions(values, load_tables_of(keys.get("tables")))
        if "response" not in keys:
            raise root.error('the key "response" is missing', "Say how responses are written")
        return cls(
            name=name,
            version=keys["version"].text(),
            media_type=keys["media_type"].text(),
            label=_label(keys["label"]),
            suffixes=keys["suffixes"].texts() if "suffixes" in keys else (),
            carrier=carrier,
            certificate=_section(name, keys["certificate"], CertificateOfOrigin, known, carrier),
            response=_section(name, keys["response"], CustomsResponse, known, carrier),
        )

    def read(self, raw: bytes) -> tuple[NationalReading, ...]:
        """Return every certificate in the file; bad data become findings, never exceptions."""
        return tuple(self._read(raw, self.certificate, CertificateOfOrigin))

    def read_response(self, raw: bytes) -> tuple[ResponseReading, ...]:
        """Return every customs response in the file; as ``read``."""
        return tuple(self._read(raw, self.response, CustomsResponse))

    def write(self, certificate: CertificateOfOrigin) -> bytes:
        """Return the certificate as a file of this format.

        Raises:
            InvalidDocumentError: the format cannot say everything; findings name each value.
        """
        return self._write([certificate], self.certificate, CertificateOfOrigin)

    def write_all(self, certificates: Sequence[CertificateOfOrigin]) -> bytes:
        """Return the certificates as one file of this format; raises as ``write``."""
        return self._write(certificates, self.certificate, CertificateOfOrigin)

    def write_response(self, response: CustomsResponse) -> bytes:
        """Return the customs response as a file of this format; raises as ``write``."""
        return self._write([response], self.response, CustomsResponse)

    def coverage(self) -> Coverage:
        """Return the leaves that no row of this format fills."""
        return Coverage(_unmapped(self.certificate), _unmapped(self.response))

    def _read(self, raw: bytes, section: Section, model: type[D]) -> Iterator[Reading[D]]:
        try:
            source = _bounded(self.carrier.read(raw, section))
        except UnfitError as exc:
            yield Reading("", None, (finding(exc.problem, "", Location(), **exc.details),))
            return
        refused = any(item.severity is Severity.ERROR for item in source.findings)
        for index, record in enumerate(source.records):
            extra = source.findings if refused or index == 0 else ()
            yield _reading(record, section, model, extra)

    def _write(self, documents: Sequence[D], section: Section, model: type[D]) -> bytes:
        nodes, findings = [], []
        for document in documents:
            node, unfit = write_document(section, document)
            nodes.append(node)
            findings += unfit
        raw = b""
        if not findings:
            try:
                raw = self.carrier.write(nodes, section)
                findings = self._losses(raw, documents, section, model)
            except UnicodeEncodeError as exc:
                place = Location(None, exc.encoding)
                findings = [finding(Problem.LOST, "", place, name=self.name)]
        if findings:
            raise InvalidDocumentError(
                f"{self.name} cannot express {len(findings)} value(s) of the document",
                findings=findings,
            )
        return raw

    def _losses(
        self, raw: bytes, documents: Sequence[D], section: Section, model: type[D]
    ) -> list[Finding]:
        """Return what reading the written file back does not give back."""
        found: list[Finding] = []
        readings = list(self._read(raw, section, model))
        if len(readings) != len(documents):
            return [finding(Problem.LOST, "", Location(), name=self.name)]
        for document, reading in zip(documents, readings, strict=True):
            if reading.document is None:
                found += reading.findings
            else:
                found += losses(section, document, reading.document)
        return found


@cache
def load_national_formats() -> Mapping[str, NationalFormat]:
    """Return every national format that ships in ``mappings/national``, by name.

    Raises:
        MappingError: one of the files is wrong.
    """
    paths = sorted(data_path("mappings", "national").glob("*.yaml"))
    return MappingProxyType({path.stem: NationalFormat.load(path) for path in paths})


def _carrier(marked: Marked) -> Carrier:
    keys = marked.mapping()
    if "kind" not in keys:
        raise marked.error('the key "kind" is missing', "Write json, xml or csv")
    kind = keys["kind"].text()
    if kind not in CARRIERS:
        raise keys["kind"].error(f'"{kind}" is no carrier', "Write json, xml or csv")
    return cast("Carrier", CARRIERS[kind].load(marked))


def _section(
    name: str,
    mark: Marked,
    model: type[NationalDocument],
    known: Conventions,
    carrier: Carrier,
) -> Section:
    section = compile_section(name, mark, model, known, carrier.kind)
    carrier.check(mark, section)
    return section


def _bounded(source: SourceFile) -> SourceFile:
    if len(source.records) > LIMITS.max_documents:
        raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_documents, what="documents")
    if not source.records:
        raise UnfitError(Problem.EMPTY)
    return source


def _label(marked: Marked) -> LocalisedText:
    keys = marked.keys(frozenset({"en", "fr", "ar"}), ("en", "fr", "ar"))
    return LocalisedText(en=keys["en"].text(), fr=keys["fr"].text(), ar=keys["ar"].text())


def _reading(
    record: SourceRecord, section: Section, model: type[D], extra: tuple[Finding, ...]
) -> Reading[D]:
    findings = (*extra, *record.findings)
    if record.node is None:
        return Reading("", None, findings)
    document, said = read_document(section, record.node)
    findings += said
    if document is None or any(item.severity is Severity.ERROR for item in findings):
        return Reading(_reference(record.node, section), None, findings)
    if not isinstance(document, model):
        raise MappingError(f"{section.format_name}: the section reads another document type")
    return Reading(_reference(record.node, section), document, findings)


def _reference(node: Node, section: Section) -> str:
    found = section.reference.select(node, node)
    text = (found[0].text or "").strip() if found else ""
    if text:
        return shown(text)
    place = node.location
    return f"{place.line or ''}{place.pointer}"


def _unmapped(section: Section) -> tuple[str, ...]:
    mapped = section.mapped()
    return tuple(path for path in leaves(section.model) if path not in mapped)
