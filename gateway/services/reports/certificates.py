"""The reports: what was issued, sent, received and used; times between steps; refusals; overdue.

Source: S4:5.3(j), S4:15.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from gateway.errors import InputError
from gateway.exchange.context import Desk
from gateway.register.guides import guide
from gateway.services.lookup import receipt_findings
from gateway.services.people.roles import Right, Visitor
from gateway.store import (
    ImportState,
    IssueState,
    Side,
    inbox,
    journal,
    peers,
    reporting,
)
from gateway.store.reporting import Bounds, Cell, Counted, Step

MOST_MONTHS: Final = 24
_USUAL_MONTHS: Final = 12
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_REFUSALS_READ: Final = 200
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


@dataclass(frozen=True, kw_only=True)
class Period:
    """Is a span of whole months, both ends in.

    Attributes:
        first, last: first day of the first and of the last month.
    """

    first: date
    last: date

    @property
    def until(self) -> date:
        """The first day after it."""
        return _moved(self.last, 1)

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each month."""
        count = (self.until.year - self.first.year) * 12 + self.until.month - self.first.month
        return tuple(_moved(self.first, number) for number in range(count))


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
    """Is how long a step took, in seconds.

    Attributes:
        p90: nine of ten took no longer.
    """

    step: Step
    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, kw_only=True)
class Failing:
    """Is how often one rule failed in what a peer sent, of the newest refusals."""

    peer: str
    rule: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """Is all that is told about one period."""

    period: Period
    pairs: Mapping[tuple[str, str], Line]
    kinds: Mapping[str, Line]
    months: Mapping[date, Line]
    chapters: tuple[Counted, ...]
    times: tuple[Times, ...]
    reasons: tuple[Counted, ...]
    overdue: tuple[Counted, ...]
    rules: tuple[Failing, ...] = field(default=())

    @property
    def total(self) -> Line:
        """All together."""
        sums = Line()
        for line in self.pairs.values():
            for name in vars(sums):
                setattr(sums, name, getattr(sums, name) + getattr(line, name))
        return sums


def period_of(first: str | None, last: str | None, today: date) -> Period:
    """Return the period that two months name, the last twelve months if none is named.

    Raises:
        InputError: one is no month, they stand the wrong way round, or are too far apart.
    """
    end = _month(last) or today.replace(day=1)
    begin = _month(first) or _moved(end, 1 - _USUAL_MONTHS)
    period = Period(first=begin, last=end)
    if begin > end or len(period.months) > MOST_MONTHS:
        raise InputError(f"choose a period of at most {MOST_MONTHS} months, from its beginning")
    return period


def report(desk: Desk, visitor: Visitor, period: Period) -> Report:
    """Return the report on what the visitor's organisation sees.

    Raises:
        NotPermittedError: the visitor may read no reports.
    """
    visitor.require(Right.REPORT)
    visible, now = visitor.caller.visible, desk.clock()
    bounds = Bounds(
        visible=visible, since=period.first, until=period.until, test=desk.identity.test
    )
    with desk.store.read() as conn:
        cells, sent = reporting.cells(conn, bounds), reporting.delivered(conn, bounds)
        return Report(
            period=period,
            pairs=_lines(cells, sent, lambda cell: (cell.origin, cell.destination)),
            kinds=_lines(cells, sent, lambda cell: cell.kind.value),
            months={month: Line() for month in period.months}
            | _lines(cells, sent, lambda cell: date(cell.year, cell.month, 1)),
            chapters=reporting.chapters(conn, bounds),
            times=tuple(_times(step, reporting.spans(conn, bounds, step)) for step in Step),
            reasons=reporting.reasons(conn, bounds),
            overdue=reporting.overdue(conn, bounds, _limits(now)),
        )


def failing_rules(desk: Desk, visitor: Visitor) -> tuple[Failing, ...]:
    """Return the rules that failed most in the newest messages refused here, by sender.

    Empty for those who see nothing of what is received.
    """
    visitor.require(Right.REPORT)
    if not visitor.caller.visible.received:
        return ()
    counts: Counter[tuple[str, str]] = Counter()
    with desk.store.read() as conn:
        names = {peer.id: peer.identifier for peer in peers.every(conn)}
        action = journal.Action.ARRIVAL_REFUSED
        for entry in journal.page(conn, action=action, limit=_REFUSALS_READ):
            for arrival in inbox.find_by_message(conn, entry.subject):
                rules = {each.rule for each in receipt_findings(desk, conn, arrival)}
                counts.update((names[arrival.peer_id], rule) for rule in rules)
    return tuple(
        Failing(peer=peer, rule=rule, count=count) for (peer, rule), count in counts.most_common()
    )


def _lines(
    cells: Iterable[Cell], sent: Iterable[Cell], key: Callable[[Cell], Key]
) -> dict[Key, Line]:
    lines: dict[Key, Line] = {}
    for cell in cells:
        line = lines.setdefault(key(cell), Line())
        if cell.side is Side.ISSUED:
            line.issued += cell.count
            line.used += cell.count * cell.used
        else:
            line.received += cell.count
            line.used_here += cell.count * cell.used
    for cell in sent:
        lines.setdefault(key(cell), Line()).sent += cell.count
    return dict(sorted(lines.items()))


def _times(step: Step, seconds: tuple[float, ...]) -> Times:
    ranked = sorted(seconds)
    return Times(step=step, count=len(ranked), median=_share(ranked, 0.5), p90=_share(ranked, 0.9))


def _share(ranked: list[float], share: float) -> float | None:
    """Return the least value that this share of all do not exceed (nearest rank)."""
    if not ranked:
        return None
    place = math.ceil(share * len(ranked))
    return ranked[max(1, place) - 1]


def _limits(now: datetime) -> list[tuple[IssueState | ImportState, datetime]]:
    """Return since when a certificate may at most have stood in each state that has a limit."""
    found: list[tuple[IssueState | ImportState, datetime]] = []
    for state in (*IssueState, *ImportState):
        said = guide(state)
        if said is not None and said.within is not None:
            found.append((state, now - said.within))
    return found


def _month(written: str | None) -> date | None:
    if not written:
        return None
    match = _MONTH.fullmatch(written)
    if match is None or not 2000 <= int(match[1]) <= 2100:
        raise InputError("write a month as 2026-03")
    return date(int(match[1]), int(match[2]), 1)


def _moved(month: date, by: int) -> date:
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)
