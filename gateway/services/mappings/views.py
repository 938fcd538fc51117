"""What the mapping workbench shows, in one language, ready for a person or a program."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.documents import DocumentType, LocalisedText, Severity, Verdict
from gateway.services.wording import FindingView, View
from gateway.xml.national import Examination, FormatState, Mistake
from gateway.xml.national.trace import Origin, SourceValue

_MOST_TEXT: Final = 500


class MistakeView(View):
    """Is one thing that is wrong in a mapping file.

    Attributes:
        severity: an ERROR keeps the file out of force, a WARNING does not.
    """

    file: str
    line: int
    row: str | None
    severity: Severity
    problem: str
    remedy: str


class CheckView(View):
    """Is what was found in one mapping file.

    Attributes:
        sound: it may be put in force; nothing in it is an error.
        name, version, sha256: null where the file is no YAML.
    """

    file: str
    name: str | None
    version: str | None
    sha256: str | None
    sound: bool
    mistakes: tuple[MistakeView, ...]


class MappingSummary(View):
    """Is a national format with the version in force and where it comes from.

    Attributes:
        own: its file lies in the gateway home; otherwise it ships with the gateway.
        version, sha256, label: of the version in force; null where there is none.
        refused: why the file as it stands is not in force; empty where it is.
    """

    name: str
    own: bool
    version: str | None
    sha256: str | None
    label: LocalisedText | None
    media_type: str | None
    carrier: str | None
    refused: tuple[MistakeView, ...]


class PlaceView(View):
    """Is where a value stood in a sample: a line, a place by names, or both."""

    line: int | None
    place: str
    text: str


class FieldView(View):
    """Is one field of a document, side by side in the sample, the document and the message.

    Attributes:
        field: path in the document, as ``items[0].hs_code``.
        label: what people call it.
        box: of the paper form.
        origin: where its value comes from.
        row_line: line of the mapping file that filled it.
        source: what stood in the sample; several where a row joins them.
        document: the value; null where it could not be read.
        xml_path, xml: the same in the message; null where the message has no row for it.
    """

    field: str
    label: str | None
    box: str | None
    origin: Origin
    row_line: int | None
    source: tuple[PlaceView, ...]
    document: str | None
    xml_path: str | None
    xml: str | None


class UnreadView(View):
    """Is a field of samples that no row reads.

    Attributes:
        count: how often it stood there with a value.
        example: where it stood first.
    """

    field: str
    count: int
    example: str


class TriedView(View):
    """Is one document of a sample, as it would be read, judged and sent.

    Attributes:
        receiver: peer that would get it; null where none is registered.
        cut: there are more fields than are shown.
    """

    reference: str
    document_type: DocumentType
    readable: bool
    verdict: Verdict
    receiver: str | None
    fields: tuple[FieldView, ...]
    cut: bool
    unread: tuple[PlaceView, ...]
    findings: tuple[FindingView, ...]


class TrialView(View):
    """Is a sample tried with a mapping; no documents where the mapping is not sound.

    Attributes:
        cut: the sample holds more documents than are tried.
    """

    mapping: CheckView
    documents: tuple[TriedView, ...]
    cut: bool


class LeftOutView(View):
    """Is what a mapping leaves out on purpose, and why."""

    name: str
    reason: str


class SectionCoverage(View):
    """Is what one section of a mapping covers.

    Attributes:
        fields: how many fields such a document can have.
        unfillable: targets that every document must have and that can never be filled.
        unmapped: other targets without a row.
        unfilled: targets with a row that no sample has filled; empty without samples.
        unread: fields of the samples that no row reads.
        ignored: fields of the source that are lost on purpose.
        omitted: fields of the document that are lost on purpose when one is written.
        read, failed: documents of the samples.
        cut: a sample holds more documents than are looked at.
    """

    document_type: DocumentType
    fields: int
    unfillable: tuple[str, ...]
    unmapped: tuple[str, ...]
    unfilled: tuple[str, ...]
    unread: tuple[UnreadView, ...]
    ignored: tuple[LeftOutView, ...]
    omitted: tuple[LeftOutView, ...]
    read: int
    failed: int
    cut: bool


class CoverageView(View):
    """Is what a mapping covers of the documents, and loses of the samples."""

    mapping: CheckView
    sections: tuple[SectionCoverage, ...]


class Became(StrEnum):
    """Says what a new version of a mapping makes of a document."""

    CHANGED = "CHANGED"
    NOW_FAILS = "NOW_FAILS"
    NOW_PASSES = "NOW_PASSES"
    GONE = "GONE"
    NEW = "NEW"


class FieldChange(View):
    """Is one field that comes out differently; null where it has no value."""

    field: str
    old: str | None
    new: str | None


class DocumentChange(View):
    """Is one document of the samples that comes out differently.

    Attributes:
        findings: of the version with which it cannot be read.
    """

    file: str
    reference: str
    became: Became
    fields: tuple[FieldChange, ...]
    findings: tuple[FindingView, ...]


class ComparisonView(View):
    """Is what a new version of a mapping makes of samples, compared with the old one.

    Attributes:
        same: documents that come out the same, or fail with both.
        cut: a sample holds more documents than are compared.
    """

    old: CheckView
    new: CheckView
    documents: int
    same: int
    changes: tuple[DocumentChange, ...]
    cut: bool


def checked(found: Examination) -> CheckView:
    """Return what was found in one mapping file."""
    draft = found.draft
    return CheckView(
        file=found.file,
        name=None if draft is None else draft.name,
        version=None if draft is None else draft.version,
        sha256=None if draft is None else draft.sha256,
        sound=found.sound,
        mistakes=tuple(map(mistake_view, found.mistakes)),
    )


def summaries(states: Iterable[FormatState]) -> tuple[MappingSummary, ...]:
    """Return the national formats, in force or not."""
    return tuple(_summary(state) for state in states)


def mistake_view(mistake: Mistake) -> MistakeView:
    """Return one mistake."""
    return MistakeView(
        file=mistake.file,
        line=mistake.line,
        row=mistake.row.strip('"') or None,
        severity=mistake.severity,
        problem=mistake.problem,
        remedy=mistake.remedy,
    )


def place_view(value: SourceValue) -> PlaceView:
    """Return a value of a sample with where it stood."""
    place = value.location
    return PlaceView(line=place.line, place=safe(place.pointer), text=safe(value.text))


def value_text(value: object) -> str:
    """Return a value of a document as its canonical JSON writes it; bytes by their number."""
    match value:
        case StrEnum():
            return value.value
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case bytes():
            return f"({len(value)} bytes)"
        case _:
            return safe(str(value))


def safe(text: str) -> str:
    """Return text cut short, without anything that a terminal or a page would obey."""
    shown = "".join(char if char.isprintable() else " " for char in text[:_MOST_TEXT])
    return shown + ("…" if len(text) > _MOST_TEXT else "")


def _summary(state: FormatState) -> MappingSummary:
    found = state.format
    return MappingSummary(
        name=state.name,
        own=state.own,
        version=None if found is None else found.version,
        sha256=None if found is None else found.sha256,
        label=None if found is None else found.label,
        media_type=None if found is None else found.media_type,
        carrier=None if found is None else found.carrier.kind,
        refused=() if state.fault is None else tuple(map(mistake_view, state.fault.mistakes)),
    )
