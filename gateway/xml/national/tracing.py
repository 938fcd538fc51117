"""Reading a sample the way it is read in earnest, with where every value came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import Severity
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.findings import Finding
from gateway.xml.national.carrier import Carrier, SourceRecord
from gateway.xml.national.formats import Reading, bounded, reading_of
from gateway.xml.national.rows import NationalDocument, Section
from gateway.xml.national.texts import UnfitError, finding
from gateway.xml.national.trace import SourceValue, Trace
from gateway.xml.national.tree import Location
from gateway.xml.national.unread import unread_values


@dataclass(frozen=True, kw_only=True)
class Unread:
    """Is one value of a sample that no row reads.

    Attributes:
        path: of names in the source.
    """

    path: str
    value: SourceValue


@dataclass(frozen=True, kw_only=True)
class Traced:
    """Is one document of a sample as read, with where its values came from."""

    reference: str
    document: NationalDocument | None
    findings: tuple[Finding, ...]
    trace: Trace
    unread: tuple[Unread, ...] = ()


def traced(carrier: Carrier, section: Section, raw: bytes, *, most: int) -> tuple[Traced, ...]:
    """Return the first documents of a sample; bad data become findings, never exceptions.

    Args:
        most: documents that are looked at.
    """
    try:
        source = bounded(carrier.read(raw, section))
    except UnfitError as exc:
        said = finding(exc.problem, "", Location(), **exc.details)
        return (Traced(reference="", document=None, findings=(said,), trace=Trace()),)
    refused = any(item.severity is Severity.ERROR for item in source.findings)
    return tuple(
        _traced(record, section, source.findings if refused or index == 0 else ())
        for index, record in enumerate(source.records[:most])
    )


def _traced(record: SourceRecord, section: Section, extra: tuple[Finding, ...]) -> Traced:
    trace = Trace()
    reading: Reading[CertificateOfOrigin] | Reading[CustomsResponse]
    if section.model is CertificateOfOrigin:
        reading = reading_of(record, section, CertificateOfOrigin, extra, trace)
    else:
        reading = reading_of(record, section, CustomsResponse, extra, trace)
    return Traced(
        reference=reading.reference,
        document=reading.document,
        findings=reading.findings,
        trace=trace,
        unread=tuple(_unread(record, section)),
    )


def _unread(record: SourceRecord, section: Section) -> Iterator[Unread]:
    if record.node is None:
        return
    for path, node in unread_values(record.node, section):
        yield Unread(path=path, value=SourceValue(node.text or "", node.location))
