"""A report on its way to paper: the sections of the page as text, with head and foot."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gateway.paper.reports import (
    PaperCell,
    PaperColumn,
    PaperSection,
    ReportSheet,
    print_report,
)
from gateway.services.reports.certificates import Report
from gateway.web.console.pages import Visit
from gateway.web.console.report_tables import Section, TableCell


def printed(visit: Visit, found: Report, sections: Sequence[Section]) -> bytes:
    """Return these sections of a report as PDF."""
    return print_report(_sheet(visit, found, sections))


def _sheet(visit: Visit, found: Report, sections: Sequence[Section]) -> ReportSheet:
    words, person, now = visit.words, visit.person, visit.counter.desk.clock()
    period = found.asked.period
    span = dict.fromkeys((words.month(period.first), words.month(period.last)))
    made = words(
        "reports.made_by",
        name=person.person.name,
        organisation=person.organisation.code,
        at=words.moment(now),
    )
    return ReportSheet(
        language=words.language,
        title=_text(words("menu.reports")),
        gateway=visit.settings.name,
        organisation=person.organisation.name,
        period=" – ".join(span),
        facts=tuple(_facts(visit, found)),
        made=_text(made),
        page=_text(words("reports.page", here=Markup("{here}"), of=Markup("{of}"))),
        nothing=_text(words("reports.nothing")),
        sections=tuple(_section(each) for each in sections),
        made_at=now,
    )


def _facts(visit: Visit, found: Report) -> list[str]:
    words, asked, counted = visit.words, found.asked, found.currency
    said = [words("reports.period")]
    if asked.country is not None:
        said.append(Markup("{}: {}").format(words("reports.country"), words.country(asked.country)))
    if asked.kind is not None:
        said.append(Markup("{}: {}").format(words("public.kind"), words.word("kind", asked.kind)))
    if counted.at is None:
        said.append(words("reports.not_counted"))
    else:
        said.append(words("reports.as_of", at=words.moment(counted.at)))
    if counted.at is not None and counted.share < 1:
        said.append(words("reports.counting", share=words.percent(counted.share)))
    return [_text(each) for each in said]


def _section(section: Section) -> PaperSection:
    return PaperSection(
        title=_text(section.title),
        heads=tuple(_cell(each) for each in section.heads),
        rows=tuple(tuple(_cell(each) for each in row) for row in section.rows),
        columns=tuple(PaperColumn(label=each.label, parts=each.parts) for each in section.columns),
        alt="; ".join(each.says for each in section.columns),
        key=tuple((tone, _text(said)) for tone, said in section.key),
        hint=None if section.hint is None else _text(section.hint),
    )


def _cell(cell: TableCell) -> PaperCell:
    return PaperCell(
        said=_text(cell.said),
        is_figure=cell.is_figure,
        is_head=cell.is_head,
        share=cell.share,
    )


def _text(said: str | Markup) -> str:
    return str(said.striptags()) if isinstance(said, Markup) else said
