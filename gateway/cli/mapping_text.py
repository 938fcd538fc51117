"""The mapping workbench as text for a person; Arabic stands in lines of its own direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.cli.output import MARKS, table
from gateway.services.mappings import (
    CheckView,
    ComparisonView,
    CoverageView,
    DocumentChange,
    FieldView,
    MappingSummary,
    TrialView,
    TriedView,
)
from gateway.services.mappings.views import PlaceView, SectionCoverage
from gateway.services.wording import FindingView

_ISOLATE, _POP = "\u2068", "\u2069"


def isolated(text: str) -> str:
    """Return text of a sample so that its direction cannot turn the line around it."""
    return f"{_ISOLATE}{text}{_POP}" if any(ord(char) > 0x58F for char in text) else text


def list_lines(found: Sequence[MappingSummary], language: str) -> Iterator[str]:
    """Yield a table of the formats, and below it why a file is not in force."""
    rows = [
        (
            each.name,
            each.version,
            None if each.sha256 is None else each.sha256[:12],
            each.carrier,
            "home" if each.own else "ships",
            "" if each.label is None else isolated(each.label.in_language(language)),
        )
        for each in found
    ]
    yield from table(("format", "version", "sha256", "kind", "from", "label"), rows)
    for each in found:
        if each.refused:
            yield f"✗ {each.name}.yaml is not in force as it stands:"
            for mistake in each.refused:
                yield f"    line {mistake.line}: {mistake.problem}. {mistake.remedy}."


def check_lines(found: CheckView) -> Iterator[str]:
    """Yield every mistake of a mapping file with its remedy, then the judgement."""
    for mistake in found.mistakes:
        row = "" if mistake.row is None else f", row {mistake.row}"
        yield f"{MARKS[mistake.severity]} {mistake.file}, line {mistake.line}{row}: " + (
            f"{isolated(mistake.problem)}."
        )
        yield f"    → {mistake.remedy}."
    if found.sound:
        yield f"✓ {found.file}: {found.name} {found.version} is sound"


def coverage_lines(found: CoverageView, *, sampled: bool) -> Iterator[str]:
    """Yield what a mapping covers, section by section."""
    yield from check_lines(found.mapping)
    for section in found.sections:
        yield f"{section.document_type}"
        yield from _listed("✗ can never be filled, though every document must have it",
                           section.unfillable)
        yield from _listed("– has no row", section.unmapped)
        if section.read or section.failed:
            yield from _samples(section)


def _samples(section: SectionCoverage) -> Iterator[str]:
    yield f"  {section.read} documents of the samples read, {section.failed} not"
    yield from _listed("– has a row, but no sample fills it", section.unfilled)
    if section.unread:
        yield "  ! stands in the samples, but no row reads it:"
    for each in section.unread:
        yield f"      {isolated(each.field)} ({each.count} ×, first: {isolated(each.example)})"


def _listed(heading: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"  {heading}:"
        yield from (f"      {name}" for name in names)


def trial_lines(found: TrialView) -> Iterator[str]:
    """Yield each document of a sample, field by field, then what is said about it."""
    for document in found.documents:
        yield f"{isolated(document.reference) or '(no reference)'}: {document.verdict}" + (
            f", for {document.receiver}" if document.receiver else ""
        )
        for field in document.fields:
            yield from _field_lines(field)
        yield from _rest(document)


def _field_lines(field: FieldView) -> Iterator[str]:
    box = f", box {field.box}" if field.box else ""
    name = f" ({isolated(field.label)}{box})" if field.label or box else ""
    yield f"  {field.field}{name}"
    if not field.source:
        yield f"      source    – {field.origin.lower()}" + (
            f", mapping line {field.row_line}" if field.row_line else ""
        )
    for place in field.source:
        yield f"      source    {isolated(place.text)}  [{_place(place)}]"
    yield f"      document  {'✗' if field.document is None else isolated(field.document)}"
    if field.xml is not None:
        yield f"      XML       {isolated(field.xml)}"
        yield f"                {field.xml_path}"


def _rest(document: TriedView) -> Iterator[str]:
    if document.cut:
        yield "  … further fields are not shown"
    for place in document.unread:
        yield f"  ! not read: {isolated(place.text)}  [{_place(place)}]"
    yield from finding_view_lines(document.findings)


def _place(place: PlaceView) -> str:
    line = "" if place.line is None else f"line {place.line}"
    return ", ".join(part for part in (line, isolated(place.place)) if part) or "the file"


def comparison_lines(found: ComparisonView) -> Iterator[str]:
    """Yield each document that comes out differently, with its fields."""
    old, new = found.old, found.new
    yield f"{old.name} {old.version} → {new.name} {new.version}: {found.documents} documents, " + (
        f"{found.same} the same, {len(found.changes)} not"
    )
    for change in found.changes:
        yield from _change_lines(change)


def _change_lines(change: DocumentChange) -> Iterator[str]:
    yield f"{isolated(change.reference)} ({isolated(change.file)}): {change.became}"
    for field in change.fields:
        yield f"  {field.field}"
        yield f"      old  {'–' if field.old is None else isolated(field.old)}"
        yield f"      new  {'–' if field.new is None else isolated(field.new)}"
    yield from finding_view_lines(change.findings)


def finding_view_lines(findings: Sequence[FindingView]) -> Iterator[str]:
    """Yield two lines for each finding: what is wrong and where, then how to mend it."""
    for each in findings:
        place = f" {each.path}" if each.path else ""
        box = f" (box {each.box})" if each.box else ""
        yield f"  {MARKS[each.severity]} {each.rule}{place}{box}: {isolated(each.message)}"
        yield f"      → {isolated(each.remedy)}"
