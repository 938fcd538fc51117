"""Comparing two versions of a mapping over the same samples, document by document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.documents import DocumentType, Language
from gateway.documents.fields import values_of
from gateway.services.mappings.samples import Sample, first_documents
from gateway.services.mappings.trying import section_of
from gateway.services.mappings.views import (
    Became,
    ComparisonView,
    DocumentChange,
    FieldChange,
    checked,
    safe,
    value_text,
)
from gateway.services.wording import finding_view
from gateway.xml.national import Examination, NationalFormat
from gateway.xml.national.tracing import Traced

_Pair = tuple[Traced | None, Traced | None]


def compare(
    old: Examination,
    new: Examination,
    samples: Sequence[Sample],
    *,
    language: Language,
    kind: DocumentType = DocumentType.CERTIFICATE_OF_ORIGIN,
) -> ComparisonView:
    """Return which documents of the samples come out differently; none where one is not sound.

    Args:
        kind: which section of the mappings reads the samples.
    """
    documents, changes, cut = 0, [], False
    if old.format is not None and new.format is not None:
        for sample in samples:
            pairs, more = _pairs(old.format, new.format, sample.raw, kind)
            cut |= more
            for before, after in pairs:
                documents += 1
                changed = _change(sample.name, before, after, language)
                if changed is not None:
                    changes.append(changed)
    return ComparisonView(
        old=checked(old),
        new=checked(new),
        documents=documents,
        same=documents - len(changes),
        changes=tuple(changes),
        cut=cut,
    )


def _pairs(
    old: NationalFormat, new: NationalFormat, raw: bytes, kind: DocumentType
) -> tuple[tuple[_Pair, ...], bool]:
    """Return the documents of one file as both versions read them, and whether it holds more."""
    (before, more_before), (after, more_after) = (
        first_documents(each.carrier, section_of(each, kind), raw) for each in (old, new)
    )
    return tuple(_paired(before, after)), more_before or more_after


def _paired(before: Sequence[Traced], after: Sequence[Traced]) -> Iterator[_Pair]:
    """Yield what belongs together.

    By position where both find as many, since a new version may name documents otherwise.
    """
    if len(before) == len(after):
        yield from zip(before, after, strict=True)
        return
    known = {each.reference: each for each in after}
    for each in before:
        yield each, known.pop(each.reference, None)
    for each in known.values():
        yield None, each


def _change(
    file: str, before: Traced | None, after: Traced | None, language: Language
) -> DocumentChange | None:
    """Return what became of one document, None where nothing did."""
    became = _became(before, after)
    fields = _fields(before, after) if became is Became.CHANGED else ()
    if became is None or (became is Became.CHANGED and not fields):
        return None
    shown = after or before
    failing = before if became is Became.NOW_PASSES else after
    return DocumentChange(
        file=file,
        reference="" if shown is None else safe(shown.reference),
        became=became,
        fields=fields,
        findings=()
        if failing is None or failing.document is not None
        else tuple(finding_view(each, language) for each in failing.findings),
    )


def _became(before: Traced | None, after: Traced | None) -> Became | None:
    if after is None:
        return Became.GONE
    if before is None:
        return Became.NEW
    if (before.document is None) is (after.document is None):
        return None if after.document is None else Became.CHANGED
    return Became.NOW_FAILS if after.document is None else Became.NOW_PASSES


def _values(reading: Traced | None) -> dict[str, object]:
    if reading is None or reading.document is None:
        return {}
    return dict(values_of(reading.document))


def _fields(before: Traced | None, after: Traced | None) -> tuple[FieldChange, ...]:
    old, new = _values(before), _values(after)
    return tuple(
        FieldChange(
            field=path,
            old=value_text(old[path]) if path in old else None,
            new=value_text(new[path]) if path in new else None,
        )
        for path in dict.fromkeys((*old, *new))
        if old.get(path) != new.get(path)
    )
