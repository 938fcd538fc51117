"""Trying a mapping on a sample: source, document, message and findings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from gateway.documents import (
    Document,
    DocumentType,
    Finding,
    Language,
    document_type_of,
    verdict_of,
)
from gateway.documents.fields import in_order, values_of
from gateway.documents.shape import MODELS
from gateway.errors import GatewayError
from gateway.exchange.context import Desk
from gateway.exchange.outbound import dry_run
from gateway.exchange.trust_findings import finding_of
from gateway.services.mappings.samples import first_documents
from gateway.services.mappings.views import (
    FieldView,
    TrialView,
    TriedView,
    checked,
    place_view,
    safe,
    value_text,
)
from gateway.services.wording import finding_view
from gateway.xml.mapping import Placed, Row, placed
from gateway.xml.national import Examination, NationalFormat
from gateway.xml.national.rows import Section
from gateway.xml.national.trace import Trace
from gateway.xml.national.tracing import Traced
from gateway.xml.parsing import parse

MOST_DOCUMENTS: Final = 20
MOST_FIELDS: Final = 1_000


def try_sample(
    desk: Desk,
    found: Examination,
    raw: bytes,
    *,
    language: Language,
    kind: DocumentType = DocumentType.CERTIFICATE_OF_ORIGIN,
) -> TrialView:
    """Return what would become of the first documents of a sample; nothing is stored or sent.

    Args:
        kind: which section of the mapping reads it.
    """
    documents: tuple[TriedView, ...] = ()
    cut = False
    if found.format is not None:
        section = section_of(found.format, kind)
        readings, cut = first_documents(found.format.carrier, section, raw, most=MOST_DOCUMENTS)
        documents = tuple(_tried(desk, reading, kind, language) for reading in readings)
    return TrialView(mapping=checked(found), documents=documents, cut=cut)


def section_of(format_: NationalFormat, kind: DocumentType) -> Section:
    """Return the section of a format that reads documents of a type."""
    response = kind is DocumentType.CUSTOMS_RESPONSE
    return format_.response if response else format_.certificate


def _tried(desk: Desk, reading: Traced, kind: DocumentType, language: Language) -> TriedView:
    findings, receiver = reading.findings, None
    values: dict[str, object] = {}
    places: Mapping[str, Placed] = {}
    table = desk.tables[kind]
    if reading.document is not None:
        values = dict(islice(values_of(reading.document), MOST_FIELDS + 1))
        said, receiver = _judged(desk, reading.document)
        findings += said
        root = parse(table.render(reading.document))
        places = placed(table, reading.document, root, values.keys())
    others = (path for path in reading.trace.sources if _has_no_value(path, values))
    paths = in_order(MODELS[kind], (*values, *others))
    return TriedView(
        reference=safe(reading.reference),
        document_type=kind,
        readable=reading.document is not None,
        verdict=verdict_of(findings),
        receiver=receiver,
        fields=tuple(
            _field(reading.trace, table.row_for(path), path, values.get(path), places, language)
            for path in paths[:MOST_FIELDS]
        ),
        cut=len(paths) > MOST_FIELDS,
        unread=tuple(place_view(each.value) for each in reading.unread[:MOST_FIELDS]),
        findings=tuple(finding_view(each, language) for each in findings),
    )


def _has_no_value(path: str, values: Mapping[str, object]) -> bool:
    """Whether a path of the trace is that of no value, nor of a list of values."""
    return path not in values and f"{path}[0]" not in values


def _judged(desk: Desk, document: Document) -> tuple[tuple[Finding, ...], str | None]:
    """Return what rules and schema say of a document, and which peer would get it."""
    try:
        answer = dry_run(desk, document)
        message = desk.tables[document_type_of(document)].render(document)
        desk.schemas.require_valid(parse(message))
    except GatewayError as exc:
        if exc.retryable:
            raise
        return exc.findings or (finding_of(exc),), None
    return answer.findings, answer.receiver


def _field(
    trace: Trace,
    row: Row | None,
    path: str,
    value: object,
    places: Mapping[str, Placed],
    language: Language,
) -> FieldView:
    stood = path if path in trace.sources or path in trace.given else _list_of(path)
    place = places.get(path)
    label = None if row is None or row.label is None else row.label.in_language(language)
    return FieldView(
        field=path,
        label=label,
        box=None if row is None else row.box,
        origin=trace.origin(stood),
        row_line=trace.lines.get(stood),
        source=tuple(place_view(each) for each in trace.sources.get(stood, ())),
        document=None if value is None else value_text(value),
        xml_path=None if place is None else place.path,
        xml=None if place is None else safe(place.text),
    )


def _list_of(path: str) -> str:
    """Return the path of the list of plain values that a path ends in."""
    return path.rpartition("[")[0] if path.endswith("]") else path
