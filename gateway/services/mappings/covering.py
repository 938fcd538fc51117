"""What a mapping covers: targets that nothing fills, and fields of samples that nobody reads."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.documents import DocumentType
from gateway.documents.fields import general_path, leaves, values_of
from gateway.services.mappings.samples import Sample, first_documents, place_of
from gateway.services.mappings.views import (
    CoverageView,
    LeftOutView,
    SectionCoverage,
    UnreadView,
    checked,
    safe,
)
from gateway.xml.national import Examination
from gateway.xml.national.drafting import Draft
from gateway.xml.national.reachability import lifeless_fields, unfillable
from gateway.xml.national.rows import Omission, Section
from gateway.xml.national.tracing import Traced


def coverage(
    found: Examination,
    samples: Sequence[Sample] = (),
    *,
    kind: DocumentType = DocumentType.CERTIFICATE_OF_ORIGIN,
) -> CoverageView:
    """Return what a mapping file covers, also of one that is not sound yet.

    Args:
        kind: which section of the mapping reads the samples.
    """
    draft = found.draft
    sections = []
    if draft is not None:
        for of, section in (
            (DocumentType.CERTIFICATE_OF_ORIGIN, draft.certificate),
            (DocumentType.CUSTOMS_RESPONSE, draft.response),
        ):
            if section is not None:
                sections.append(_section(draft, section, of, samples if of is kind else ()))
    return CoverageView(mapping=checked(found), sections=tuple(sections))


def _section(
    draft: Draft, section: Section, kind: DocumentType, samples: Sequence[Sample]
) -> SectionCoverage:
    readings: list[tuple[Sample, Traced]] = []
    cut = False
    for sample in samples:
        if draft.carrier is None:
            break
        found, more = first_documents(draft.carrier, section, sample.raw)
        readings += ((sample, reading) for reading in found)
        cut |= more
    filled = {
        general_path(path)
        for _, reading in readings
        if reading.document is not None
        for path, _ in values_of(reading.document)
    }
    mapped = section.mapped() - lifeless_fields(section)
    without = tuple(unfillable(section))
    read = sum(reading.document is not None for _, reading in readings)
    return SectionCoverage(
        document_type=kind,
        fields=len(leaves(section.model)),
        unfillable=without,
        unmapped=tuple(
            path for path in leaves(section.model) if path not in mapped and path not in without
        ),
        unfilled=tuple(path for path in leaves(section.model) if read and path in mapped - filled),
        unread=_unread(readings),
        ignored=_left_out(section.ignored),
        omitted=_left_out(section.omitted),
        read=read,
        failed=len(readings) - read,
        cut=cut,
    )


def _left_out(found: Sequence[Omission]) -> tuple[LeftOutView, ...]:
    return tuple(LeftOutView(name=safe(each.what), reason=safe(each.reason)) for each in found)


def _unread(readings: Sequence[tuple[Sample, Traced]]) -> tuple[UnreadView, ...]:
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for sample, reading in readings:
        for each in reading.unread:
            counts[each.path] = counts.get(each.path, 0) + 1
            first.setdefault(each.path, place_of(sample.name, each.value.location))
    return tuple(
        UnreadView(field=safe(path), count=count, example=first[path])
        for path, count in counts.items()
    )
