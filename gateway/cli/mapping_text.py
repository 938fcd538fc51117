"""The mapping workbench as text for a person, as wide as the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from gateway.cli.columns import Columns, hanging, isolated, window
from gateway.cli.output import MARKS
from gateway.documents import Severity
from gateway.documents.fields import general_path
from gateway.services.mappings import (
    Became,
    CheckView,
    ComparisonView,
    CoverageView,
    DocumentChange,
    MappingSummary,
    MistakeView,
)
from gateway.services.mappings.views import SectionCoverage
from gateway.services.wording import FindingView

_BECAME: Mapping[Became, str] = MappingProxyType(
    {
        Became.CHANGED: "comes out differently",
        Became.NOW_FAILS: "can no longer be read",
        Became.NOW_PASSES: "can be read now",
        Became.GONE: "is no longer found",
        Became.NEW: "is found now",
    }
)


def list_lines(found: Sequence[MappingSummary], language: str) -> Iterator[str]:
    """Yield a table of the formats, and below it why a file is not in force."""
    rows = [
        (
            each.name,
            each.version or "–",
            (each.sha256 or "–")[:12],
            each.carrier or "–",
            "home" if each.own else "ships",
            "" if each.label is None else each.label.in_language(language),
        )
        for each in found
    ]
    columns = Columns(("format", "version", "sha256", "kind", "from", "label"), rows, window())
    yield from columns.heading()
    for row in rows:
        yield from columns.row(row)
    for each in found:
        if each.refused:
            held = f"{each.version} stays in force" if each.version else "no version is in force"
            yield f"✗ {each.name}.yaml is not in force as it stands; {held}:"
            yield from _mistake_lines(each.refused)


def check_lines(found: CheckView) -> Iterator[str]:
    """Yield every mistake of a mapping file with its remedy, then the judgement."""
    yield from _mistake_lines(found.mistakes)
    if found.sound:
        yield f"✓ {found.file}: {found.name} {found.version} is sound"
        return
    errors = sum(each.severity is Severity.ERROR for each in found.mistakes)
    yield f"✗ {found.file}: not sound, {_number(errors, 'mistake')}"


def _mistake_lines(mistakes: Sequence[MistakeView]) -> Iterator[str]:
    for each in mistakes:
        row = "" if each.row is None else f", row {each.row}"
        yield f"{MARKS[each.severity]} {each.file}, line {each.line}{row}"
        yield from hanging("    ", f"{each.problem}.", window())
        yield from hanging("    → ", f"{each.remedy}.", window())


def coverage_lines(found: CoverageView) -> Iterator[str]:
    """Yield what a mapping covers, section by section."""
    yield from check_lines(found.mapping)
    for section in found.sections:
        mapped = section.fields - len(section.unmapped)
        yield ""
        yield f"{section.document_type}: {mapped} of {section.fields} fields have a row"
        if section.read or section.failed:
            yield from _samples(section)
        yield from _listed("✗ never filled, though every document must have it", section.unfillable)
        yield from _listed("– never filled, as it has no row", section.unmapped)
        for heading, left in (("read", section.ignored), ("written", section.omitted)):
            if left:
                yield f"  – left out on purpose when {heading}"
            for one in left:
                yield from hanging("      ", f"{one.name}: {one.reason}", window())


def _samples(section: SectionCoverage) -> Iterator[str]:
    more = " (the first ones of a longer sample)" if section.cut else ""
    read = _number(section.read, "document")
    yield f"  samples: {read} read{more}, {section.failed} could not be"
    if section.unread:
        yield "  ! lost: stands in the samples, but no row reads it"
    for each in section.unread:
        seen = f"{each.field} ({each.count} ×, first: {each.example})"
        yield from hanging("      ", seen, window())
    yield from _listed("– has a row, but no sample fills it", section.unfilled)


def _listed(heading: str, paths: Sequence[str]) -> Iterator[str]:
    """Yield paths, those of one record together."""
    if paths:
        yield f"  {heading}"
    for record, below in groupby(paths, lambda path: path.rpartition(".")[0]):
        names = ", ".join(path.rpartition(".")[2] for path in below)
        yield from hanging(f"      {record}: " if record else "      ", names, window())


def comparison_lines(found: ComparisonView) -> Iterator[str]:
    """Yield each document that comes out differently, with its fields, then all in numbers."""
    for change in found.changes:
        yield from _change_lines(change)
        yield ""
    old, new = found.old, found.new
    more = "; the first ones of a longer sample" if found.cut else ""
    yield (
        f"{old.name} {old.version} → {new.name} {new.version}: "
        f"{_number(found.documents, 'document')}, {found.same} the same, "
        f"{len(found.changes)} not{more}"
    )
    if len(found.changes) > 1:
        yield from _totals(found.changes)


def _change_lines(change: DocumentChange) -> Iterator[str]:
    said = _BECAME[change.became]
    yield f"{isolated(change.reference) or '(no reference)'} {said} ({isolated(change.file)})"
    if change.fields:
        rows = [(f"  {each.field}", each.old or "–", each.new or "–") for each in change.fields]
        columns = Columns(("  field", "old", "new"), rows, window())
        yield from columns.heading()
        for row in rows:
            yield from columns.row(row)
    yield from finding_view_lines(change.findings)


def _totals(changes: Sequence[DocumentChange]) -> Iterator[str]:
    """Yield how many documents have which change."""
    fields = Counter(
        field for each in changes for field in {general_path(one.field) for one in each.fields}
    )
    kinds = Counter(each.became for each in changes if each.became is not Became.CHANGED)
    for became, count in kinds.most_common():
        yield f"  {count} × {_BECAME[became]}"
    for field, count in fields.most_common():
        yield f"  {count} × {field}"


def finding_view_lines(findings: Sequence[FindingView], indent: str = "  ") -> Iterator[str]:
    """Yield each finding: what is wrong and where, then how to mend it."""
    for each in findings:
        place = f" {isolated(each.path)}" if each.path else ""
        box = f" (box {each.box})" if each.box else ""
        article = f" [Art. {each.article}]" if each.article else ""
        said = f"{each.rule}{place}{box}: {each.message}{article}"
        yield from hanging(f"{indent}{MARKS[each.severity]} ", said, window())
        yield from hanging(f"{indent}    → ", each.remedy, window())


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
