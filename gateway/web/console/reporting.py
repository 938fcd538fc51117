"""Pages of reports: tables with plots, and each table as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from gateway.errors import NotFoundError
from gateway.services.people.roles import Right
from gateway.services.reports import certificates as reports
from gateway.services.reports.certificates import Line, Period, Report, Table
from gateway.services.tabular import csv_of
from gateway.store import Side
from gateway.store.reporting import Counted
from gateway.web.console.pages import Answer, Page, Sent, Shown, Visit
from gateway.web.console.plots import Pile, piles

_LINE: Final = ("issued", "sent", "used", "received", "used_here", "rate")
_PARTS: Final = {"issued": "sent", "received": "reexported"}


def show_reports(visit: Visit) -> Answer:
    """Show every table of a period."""
    period, found = _found(visit)
    values = {
        "it": found,
        "rules": reports.failing_rules(visit.counter.desk, visit.person),
        "asked": {"first": f"{period.first:%Y-%m}", "last": f"{period.last:%Y-%m}"},
        "months": _months_plot(visit, found),
        "chapters": _chapters_plot(visit, found.chapters),
        "span": lambda seconds: visit.words.age(timedelta(seconds=seconds)),
    }
    return Shown(template="reports.html", values=values)


def send_report(visit: Visit) -> Answer:
    """Send one table of a period as CSV."""
    name = visit.path["table"].upper()
    if name not in {each.value for each in Table}:
        raise NotFoundError("there is no such table")
    period, found = _found(visit)
    if Table(name) is Table.RULES:
        rules = reports.failing_rules(visit.counter.desk, visit.person)
        heads: Sequence[str] = ("peer", "rule", "count")
        rows: Sequence[Sequence[Any]] = [(each.peer, each.rule, each.count) for each in rules]
    else:
        heads, rows = _table(found, Table(name))
    file = f"{name.lower()}-{period.first:%Y-%m}-{period.last:%Y-%m}.csv"
    return Sent(content=csv_of(heads, rows), media_type="text/csv; charset=utf-8", name=file)


def _found(visit: Visit) -> tuple[Period, Report]:
    desk = visit.counter.desk
    period = reports.period_of(
        visit.query.get("first"), visit.query.get("last"), desk.clock().date()
    )
    return period, reports.report(desk, visit.person, period)


def _table(found: Report, table: Table) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
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
        times = [(each.step, each.count, each.median, each.p90) for each in found.times]
        return ("step", "count", "median_seconds", "p90_seconds"), times
    counted: Mapping[Table, tuple[Counted, ...]] = {
        Table.CHAPTERS: found.chapters,
        Table.REASONS: found.reasons,
        Table.OVERDUE: found.overdue,
    }
    return ("side", "name", "count"), [(row.side, row.name, row.count) for row in counted[table]]


def _figures(line: Line) -> tuple[Any, ...]:
    return tuple(getattr(line, name) for name in _LINE)


def _months_plot(visit: Visit, found: Report) -> str:
    words = visit.words
    columns = [
        Pile(
            label=f"{month:%Y-%m}",
            says=f"{month:%Y-%m} · "
            + " · ".join(
                f"{words.word('tally', name).striptags()} {words.number(getattr(line, name))}"
                for name in _PARTS
            ),
            parts=tuple((tone, float(getattr(line, name))) for name, tone in _PARTS.items()),
        )
        for month, line in found.months.items()
    ]
    return piles(columns, words("reports.by_month").striptags())


def _chapters_plot(visit: Visit, counted: Sequence[Counted]) -> str:
    words = visit.words
    sums: dict[str, dict[Side, int]] = {}
    for each in sorted(counted, key=lambda one: one.name):
        sums.setdefault(each.name, {})[each.side] = each.count
    columns = [
        Pile(
            label=chapter,
            says=f"{chapter}: {words.number(sum(sides.values()))}",
            parts=(
                ("sent", float(sides.get(Side.ISSUED, 0))),
                ("reexported", float(sides.get(Side.RECEIVED, 0))),
            ),
        )
        for chapter, sides in sums.items()
    ]
    return piles(columns, words("reports.by_chapter").striptags())


PAGES: Final = (
    Page(name="reports", path="/reports", right=Right.REPORT, handler=show_reports),
    Page(name="report_csv", path="/reports/<table>.csv", right=Right.REPORT, handler=send_report),
)
