"""Pages of reports: tables with plots, each table as a file, and the certificates they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.documents import CertificateKind
from gateway.errors import InputError, NotFoundError
from gateway.services.people.roles import Right
from gateway.services.reports import certificates as reports
from gateway.services.reports.asking import country_of, question_of
from gateway.services.reports.certificates import Line, Report, Table
from gateway.services.reports.listing import Column, Wanted, certificates_behind
from gateway.services.tabular import csv_of
from gateway.store import Side
from gateway.store.reporting import Counted
from gateway.web.console.pages import Answer, Page, Sent, Shown, Visit
from gateway.web.console.plots import piles, share_bar
from gateway.web.console.report_paper import printed
from gateway.web.console.report_tables import Tables, reason_said

_LINE: Final = ("issued", "sent", "used", "received", "used_here", "rate")
_ALL: Final = "all"
_KEPT: Final = ("first", "last", "country", "kind", "of", "name", "side", "from", "to")


def show_reports(visit: Visit) -> Answer:
    """Show every table of a period."""
    found = _found(visit)
    values = {
        "it": found,
        "asked": dict(found.asked.written),
        "sections": Tables(visit, found).all(),
        "kinds": tuple(CertificateKind),
        "piles": piles,
        "share_bar": share_bar,
    }
    return Shown(template="reports.html", values=values)


def show_list(visit: Visit) -> Answer:
    """Show the certificates that a number counts."""
    asked = question_of(visit.query, visit.counter.desk.clock().date())
    wanted = Wanted(
        asked=asked,
        column=_one_of(Column, visit.query.get("of")) or Column.ISSUED,
        name=visit.query.get("name", ""),
        side=_one_of(Side, visit.query.get("side")),
        origin=country_of(visit.query.get("from")),
        destination=country_of(visit.query.get("to")),
    )
    page = certificates_behind(
        visit.counter, visit.person, wanted, cursor=visit.query.get("cursor")
    )
    values = {
        "page": page,
        "wanted": wanted,
        "name": _name(visit, wanted),
        "asked": {name: visit.query[name] for name in _KEPT if visit.query.get(name)},
        "report": dict(asked.written),
    }
    return Shown(template="report_list.html", values=values)


def send_report(visit: Visit) -> Answer:
    """Send one table of a period as CSV."""
    table, found = _table_asked(visit), _found(visit)
    heads, rows = _table(visit, found, table)
    content = csv_of(heads, rows)
    name = f"{_file_name(found, table.value)}.csv"
    return Sent(content=content, media_type="text/csv; charset=utf-8", name=name)


def send_paper(visit: Visit) -> Answer:
    """Send a report as PDF: one table, or all."""
    whole = visit.path["table"] == _ALL
    table = None if whole else _table_asked(visit)
    found = _found(visit)
    sections = Tables(visit, found).all()
    chosen = tuple(each for each in sections if whole or each.table is table)
    name = f"{_file_name(found, _ALL if table is None else table.value)}.pdf"
    return Sent(content=printed(visit, found, chosen), media_type="application/pdf", name=name)


def _found(visit: Visit) -> Report:
    desk = visit.counter.desk
    return reports.report(desk, visit.person, question_of(visit.query, desk.clock().date()))


def _table_asked(visit: Visit) -> Table:
    name = visit.path["table"].upper()
    if name not in {each.value for each in Table}:
        raise NotFoundError("there is no such table")
    return Table(name)


def _file_name(found: Report, table: str) -> str:
    return "-".join((table.lower(), *(said.lower() for said in found.asked.written.values())))


def _one_of(vocabulary: Any, written: str | None) -> Any:
    if not written:
        return None
    try:
        return vocabulary(written)
    except ValueError as exc:
        raise InputError("the list has changed; begin at the report") from exc


def _name(visit: Visit, wanted: Wanted) -> object:
    if wanted.column is Column.REASON:
        return reason_said(visit.words, wanted.name)
    if wanted.column is Column.OVERDUE:
        return visit.words.word("state", wanted.name)
    return visit.words.code(wanted.name) if wanted.name else ""


def _table(
    visit: Visit, found: Report, table: Table
) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    lines: Mapping[Table, tuple[tuple[str, ...], list[tuple[tuple[str, ...], Line]]]] = {
        Table.PAIRS: (("from", "to"), list(found.pairs.items())),
        Table.KINDS: (("kind",), [((kind,), line) for kind, line in found.kinds.items()]),
        Table.MONTHS: (
            ("month",),
            [((f"{month:%Y-%m}",), line) for month, line in found.months.items()],
        ),
    }
    if table in lines:
        heads, named = lines[table]
        return (*heads, *_LINE), [(*names, *_figures(line)) for names, line in named]
    if table is Table.TIMES:
        times = [
            (each.step, each.count, _whole(each.median), _whole(each.p90)) for each in found.times
        ]
        return ("step", "count", "median_seconds", "p90_seconds"), times
    if table is Table.RULES:
        return ("peer", "rule", "count"), [
            (each.peer, each.rule, each.count) for each in found.rules
        ]
    counted: Mapping[Table, tuple[Counted, ...]] = {
        Table.CHAPTERS: found.chapters,
        Table.REASONS: found.reasons,
        Table.OVERDUE: found.overdue,
    }
    rows = [(row.side, row.name, row.count) for row in counted[table]]
    if table is not Table.REASONS:
        return ("side", "name", "count"), rows
    said = {name: _plain(reason_said(visit.words, name)) for _, name, _ in rows}
    return ("side", "name", "reason", "count"), [
        (side, name, said[name], count) for side, name, count in rows
    ]


def _plain(said: Any) -> str:
    return str(getattr(said, "striptags", lambda: said)())


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _figures(line: Line) -> tuple[Any, ...]:
    return tuple(getattr(line, name) for name in _LINE)


PAGES: Final = (
    Page(name="reports", path="/reports", right=Right.REPORT, handler=show_reports),
    Page(name="report_list", path="/reports/list", right=Right.FIND, handler=show_list),
    Page(name="report_csv", path="/reports/<table>.csv", right=Right.REPORT, handler=send_report),
    Page(name="report_pdf", path="/reports/<table>.pdf", right=Right.REPORT, handler=send_paper),
)
