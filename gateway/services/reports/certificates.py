"""The reports: what was issued, sent, received and used; times between steps; refusals; overdue.

Source: S4:5.3(j), S4:15.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from gateway.exchange.context import Desk
from gateway.register.guides import guide
from gateway.services.people.roles import Right, Visitor
from gateway.services.reports.asking import Question
from gateway.store import ImportState, IssueState, Side, reporting
from gateway.store.report_measures import Measure, Step
from gateway.store.reporting import Bounds, Cell, Counted, Currency, Failing, Limit, Span

Key = TypeVar("Key")


class Table(StrEnum):
    """Names the tables of a report."""

    PAIRS = "PAIRS"
    KINDS = "KINDS"
    MONTHS = "MONTHS"
    CHAPTERS = "CHAPTERS"
    TIMES = "TIMES"
    REASONS = "REASONS"
    RULES = "RULES"
    OVERDUE = "OVERDUE"


@dataclass(kw_only=True)
class Line:
    """Is one line of a table: certificates issued here, of them sent and used; received, used."""

    issued: int = 0
    sent: int = 0
    used: int = 0
    received: int = 0
    used_here: int = 0

    @property
    def rate(self) -> float | None:
        """The share that was used, of all that was issued or received; None for none."""
        whole = self.issued + self.received
        return (self.used + self.used_here) / whole if whole else None


@dataclass(frozen=True, kw_only=True)
class Times:
    """Is how long a step took, in seconds, each rounded up by a tenth at most.

    Attributes:
        p90: nine of ten took no longer.
    """

    step: Step
    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Is all that is told in answer to one question.

    Attributes:
        currency: up to when the books were counted.
        rules: of documents refused here, which were never registered; empty for those who see
            nothing of what is received.
        countries: every state that may be asked for.
    """

    asked: Question
    currency: Currency
    pairs: Mapping[tuple[str, str], Line]
    kinds: Mapping[str, Line]
    months: Mapping[date, Line]
    chapters: tuple[Counted, ...]
    times: tuple[Times, ...]
    reasons: tuple[Counted, ...]
    overdue: tuple[Counted, ...]
    rules: tuple[Failing, ...]
    countries: tuple[str, ...]

    @property
    def total(self) -> Line:
        """All together."""
        sums = Line()
        for line in self.pairs.values():
            for name in vars(sums):
                setattr(sums, name, getattr(sums, name) + getattr(line, name))
        return sums


def report(desk: Desk, visitor: Visitor, asked: Question) -> Report:
    """Return the report on what the visitor's organisation sees.

    Raises:
        NotPermittedError: the visitor may read no reports.
    """
    visitor.require(Right.REPORT)
    bounds, limits = bounds_of(desk, visitor, asked), limits_of(desk.clock())
    sees_arrivals = bounds.visible.received and asked.kind is None
    with desk.store.read() as conn:
        cells = reporting.cells(conn, bounds)
        months = {month: Line() for month in asked.period.months}
        return Report(
            asked=asked,
            currency=reporting.currency(conn),
            pairs=_lines(cells, lambda cell: (cell.origin, cell.destination)),
            kinds=_lines(cells, lambda cell: cell.kind.value),
            months=months | _lines(cells, lambda cell: cell.month),
            chapters=reporting.chapters(conn, bounds),
            times=_times(reporting.spans(conn, bounds)),
            reasons=reporting.reasons(conn, bounds),
            overdue=reporting.overdue(conn, bounds, limits),
            rules=reporting.failing(conn, bounds) if sees_arrivals else (),
            countries=reporting.countries(conn, bounds.visible, test=bounds.test),
        )


def bounds_of(desk: Desk, visitor: Visitor, asked: Question) -> Bounds:
    """Return which certificates a question is about, of those that the visitor may see."""
    return Bounds(
        visible=visitor.caller.visible,
        since=asked.period.first,
        until=asked.period.until,
        test=desk.identity.test,
        country=asked.country,
        kind=asked.kind,
    )


def limits_of(now: datetime) -> tuple[Limit, ...]:
    """Return since when a certificate may at most have stood in each state that has a limit."""
    found: list[Limit] = []
    for state in (*IssueState, *ImportState):
        said = guide(state)
        if said is not None and said.within is not None:
            found.append((state, now - said.within))
    return tuple(found)


_FIELDS: Final[Mapping[tuple[Side, Measure], str]] = {
    (Side.ISSUED, Measure.ALL): "issued",
    (Side.ISSUED, Measure.ARRIVED): "sent",
    (Side.ISSUED, Measure.USED): "used",
    (Side.RECEIVED, Measure.ALL): "received",
    (Side.RECEIVED, Measure.USED): "used_here",
}


def _lines(cells: Iterable[Cell], key: Callable[[Cell], Key]) -> dict[Key, Line]:
    lines: dict[Key, Line] = {}
    for cell in cells:
        line = lines.setdefault(key(cell), Line())
        name = _FIELDS[cell.side, cell.measure]
        setattr(line, name, getattr(line, name) + cell.count)
    return dict(sorted(lines.items()))


def _times(spans: Iterable[Span]) -> tuple[Times, ...]:
    by_step: dict[Step, list[Span]] = {step: [] for step in Step}
    for span in spans:
        by_step[span.step].append(span)
    return tuple(
        Times(
            step=step,
            count=sum(each.count for each in found),
            median=share_of(found, 0.5),
            p90=share_of(found, 0.9),
        )
        for step, found in by_step.items()
    )


def share_of(ranked: Iterable[Span], share: float) -> float | None:
    """Return the least value that this share of all do not exceed (nearest rank)."""
    found = tuple(ranked)
    wanted = max(1, math.ceil(share * sum(each.count for each in found)))
    for each in found:
        wanted -= each.count
        if wanted <= 0:
            return each.seconds
    return None
