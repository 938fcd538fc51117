"""National formats: one mapping file each, certificate and customs response, both directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Self, TypeVar

from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import Severity
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.fields import leaves
from gateway.documents.findings import Finding, LocalisedText
from gateway.errors import InvalidDocumentError, MappingError
from gateway.resources import data_path
from gateway.xml.national.carrier import LIMITS, Carrier, SourceFile, SourceRecord
from gateway.xml.national.drafting import Draft, read_draft
from gateway.xml.national.mistakes import FaultyMapping, Mistake, visible
from gateway.xml.national.reader import read_document
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, UnfitError, finding, shown
from gateway.xml.national.trace import Trace
from gateway.xml.national.tree import Location, Node
from gateway.xml.national.writer import losses, write_document

D = TypeVar("D", CertificateOfOrigin, CustomsResponse)


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


@dataclass(frozen=True, kw_only=True)
class FormatMark:
    """Names the very mapping file that a document was read with.

    Attributes:
        sha256: of the mapping file, byte for byte.
    """

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class NationalFormat:
    """Is one national format, compiled from its mapping file.

    Attributes:
        suffixes: endings of file names that suggest this format.
        sha256: of the mapping file, byte for byte.
    """

    name: str
    version: str
    media_type: str
    label: LocalisedText
    suffixes: tuple[str, ...]
    carrier: Carrier
    certificate: Section
    response: Section
    sha256: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the format that a mapping file describes.

        Raises:
            FaultyMapping: the file is wrong; it names every mistake with file, line and remedy.
        """
        return cls.of(read_draft(content_of(path), path.name, name=path.stem))

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """Return the format that a draft without mistakes describes.

        Raises:
            FaultyMapping: the draft has mistakes.
        """
        carrier, certificate, response = draft.carrier, draft.certificate, draft.response
        if draft.mistakes or carrier is None or certificate is None or response is None:
            raise FaultyMapping(draft.mistakes)
        return cls(
            name=draft.name,
            version=draft.version,
            media_type=draft.media_type,
            label=draft.label,
            suffixes=draft.suffixes,
            carrier=carrier,
            certificate=certificate,
            response=response,
            sha256=draft.sha256,
        )

    @property
    def mark(self) -> FormatMark:
        """What records name this very mapping file by."""
        return FormatMark(name=self.name, version=self.version, sha256=self.sha256)

    @property
    def draft(self) -> Draft:
        """The draft that the format was made of, its tables left out."""
        return Draft(
            file=f"{self.name}.yaml",
            sha256=self.sha256,
            name=self.name,
            version=self.version,
            media_type=self.media_type,
            label=self.label,
            suffixes=self.suffixes,
            kind=self.carrier.kind,
            carrier=self.carrier,
            tables={},
            certificate=self.certificate,
            response=self.response,
            mistakes=(),
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
            source = bounded(self.carrier.read(raw, section))
        except UnfitError as exc:
            yield Reading("", None, (finding(exc.problem, "", Location(), **exc.details),))
            return
        refused = any(item.severity is Severity.ERROR for item in source.findings)
        for index, record in enumerate(source.records):
            extra = source.findings if refused or index == 0 else ()
            yield reading_of(record, section, model, extra)

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
        FaultyMapping: one of the files is wrong.
    """
    paths = sorted(data_path("mappings", "national").glob("*.yaml"))
    return MappingProxyType({path.stem: NationalFormat.load(path) for path in paths})


def content_of(path: Path) -> bytes:
    """Return the bytes of a mapping file.

    Raises:
        FaultyMapping: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        problem = f"the file cannot be read ({type(exc).__name__})"
        raise FaultyMapping(
            [Mistake(visible(path.name), 1, problem, "Check its name and who may read it")]
        ) from exc


def bounded(source: SourceFile) -> SourceFile:
    """Return the source file, which must hold a document, and not too many.

    Raises:
        UnfitError: it does not.
    """
    if len(source.records) > LIMITS.max_documents:
        raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_documents, what="documents")
    if not source.records:
        raise UnfitError(Problem.EMPTY)
    return source


def reading_of(
    record: SourceRecord,
    section: Section,
    model: type[D],
    extra: tuple[Finding, ...],
    trace: Trace | None = None,
) -> Reading[D]:
    """Return one document of a file as read.

    Args:
        extra: findings about what surrounds the documents.
        trace: gets to know where each value came from.
    """
    findings = (*extra, *record.findings)
    if record.node is None:
        return Reading("", None, findings)
    document, said = read_document(section, record.node, trace)
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
