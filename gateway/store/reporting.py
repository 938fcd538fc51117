"""Reading the counts of certificates of origin: within months of issue and what may be seen.

The counts are kept by ``gateway.store.report_counting``; what a report costs grows with the
number of months and partners, never with the number of certificates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from gateway.documents.codes import CertificateKind
from gateway.store import watch_marks
from gateway.store.report_counting import FOLLOW, WALK, walked_whole
from gateway.store.report_measures import (
    SEPARATOR,
    Measure,
    Step,
    mark_of,
    pace_of,
    standing_of,
)
from gateway.store.search import Visible
from gateway.store.states import ImportState, IssueState, Side
from gateway.store.tables import (
    certificates,
    peers,
    report_certificates,
    report_counts,
    report_failures,
    report_groups,
)

_BY_CELL: Final = (Measure.ALL, Measure.ARRIVED, Measure.USED)
own = report_groups.c
counted = report_counts.c

Limit = tuple[IssueState | ImportState, datetime]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Says which certificates a report is about; ``until`` is not in.

    Attributes:
        since, until: first days of months.
        test: those of trial, in place of those that count.
        country: they come from this state or go there.
        origin, destination: they come from there, go there.
        side: those issued here only, or those received.
    """

    visible: Visible
    since: date
    until: date
    test: bool
    country: str | None = None
    kind: CertificateKind | None = None
    side: Side | None = None
    origin: str | None = None
    destination: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Is how many certificates agree in all that the tables of a report tell apart."""

    side: Side
    origin: str
    destination: str
    kind: CertificateKind
    month: date
    measure: Measure
    count: int


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Is how many certificates stand behind one name."""

    side: Side
    name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Span:
    """Is how many certificates took a step in no more than so many seconds."""

    step: Step
    seconds: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Failing:
    """Is how often one rule failed in what a peer sent."""

    peer: str
    rule: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Currency:
    """Says up to when the books are counted.

    Attributes:
        at: every change before is counted; None before counting began.
        share: of what was registered before counting began, 0 to 1.
    """

    at: datetime | None
    share: float


def cells(conn: Connection, bounds: Bounds) -> tuple[Cell, ...]:
    """Return every cell that holds a certificate."""
    keys = (
        own.side,
        own.issuing_country,
        own.destination_country,
        own.kind,
        own.month,
        counted.measure,
    )
    query = _counts(bounds, keys).where(counted.measure.in_(_BY_CELL))
    return tuple(
        Cell(
            side=row[0],
            origin=row[1],
            destination=row[2],
            kind=row[3],
            month=date.fromisoformat(f"{row[4]}-01"),
            measure=row[5],
            count=int(row[6]),
        )
        for row in conn.execute(query)
    )


def chapters(conn: Connection, bounds: Bounds) -> tuple[Counted, ...]:
    """Return how many certificates cover goods of each chapter of the Harmonized System."""
    return _ranked(_named(conn, bounds, Measure.CHAPTER))


def reasons(conn: Connection, bounds: Bounds) -> tuple[Counted, ...]:
    """Return how many certificates were refused for each reason; blank where none was stated."""
    return _ranked(_named(conn, bounds, Measure.REASON))


def spans(conn: Connection, bounds: Bounds) -> tuple[Span, ...]:
    """Return how long the steps took, shortest first."""
    found = []
    for each in _named(conn, bounds, Measure.PACE):
        step, seconds = pace_of(each.name)
        found.append(Span(step=step, seconds=seconds, count=each.count))
    return tuple(sorted(found, key=lambda each: (each.step, each.seconds)))


def overdue(conn: Connection, bounds: Bounds, limits: Iterable[Limit]) -> tuple[Counted, ...]:
    """Return how many certificates have stood in each state since before its limit."""
    late = [
        and_(
            counted.name >= f"{state.value} ",
            counted.name < f"{state.value} {limit:%Y-%m-%dT%H}",
            own.side == _side_of(state),
        )
        for state, limit in limits
    ]
    keys = (own.side, counted.name)
    query = _counts(bounds, keys).where(counted.measure == Measure.STANDS, or_(*late))
    sums: dict[tuple[Side, str], int] = {}
    for row in conn.execute(query):
        key = (row[0], standing_of(row[1])[0])
        sums[key] = sums.get(key, 0) + int(row[2])
    return _ranked(Counted(side=side, name=name, count=n) for (side, name), n in sums.items())


def failing(conn: Connection, bounds: Bounds) -> tuple[Failing, ...]:
    """Return which rules failed in documents refused in these months, by sender.

    The document was never registered: what counts is the month of refusal, and the state of the
    peer that sent it.
    """
    table = report_failures.c
    query = (
        select(peers.c.identifier, table.rule, func.sum(table.count))
        .join(peers, peers.c.id == table.peer_id)
        .where(table.month >= _month(bounds.since), table.month < _month(bounds.until))
        .where(table.test == bounds.test)
        .group_by(peers.c.identifier, table.rule)
    )
    if bounds.country is not None:
        query = query.where(peers.c.country == bounds.country)
    found = (Failing(peer=row[0], rule=row[1], count=int(row[2])) for row in conn.execute(query))
    return tuple(sorted(found, key=lambda each: (-each.count, each.peer, each.rule)))


def countries(conn: Connection, visible: Visible, *, test: bool) -> tuple[str, ...]:
    """Return every state that a visible certificate comes from or goes to."""
    everywhere = Bounds(visible=visible, since=date.min, until=date.max, test=test)
    query = select(own.issuing_country, own.destination_country).where(within(everywhere))
    return tuple(sorted({code for row in conn.execute(query.distinct()) for code in row}))


def currency(conn: Connection) -> Currency:
    """Return up to when the books are counted."""
    mark = watch_marks.find(conn, FOLLOW)
    if mark is None or mark.noted_at is None:
        return Currency(at=None, share=0.0)
    if walked_whole(conn):
        return Currency(at=mark.noted_at, share=1.0)
    last = conn.execute(select(func.max(certificates.c.id))).scalar() or 0
    walked = watch_marks.find(conn, WALK)
    done = 0 if walked is None else walked.position
    return Currency(at=mark.noted_at, share=min(1.0, done / last) if last else 1.0)


def groups(conn: Connection, bounds: Bounds, measure: Measure, name: str) -> Sequence[int]:
    """Return the groups that hold certificates counted so, the newest month first.

    Args:
        name: with a space at its end it stands for all names that begin so.
    """
    query = (
        select(own.id)
        .join(report_counts, counted.group_id == own.id)
        .where(within(bounds), counted.measure == measure, counted.count > 0)
        .distinct()
        .order_by(own.month.desc(), own.id)
        .add_columns(own.month)
    )
    if name.endswith(" "):
        query = query.where(counted.name > name, counted.name < f"{name}~")
    else:
        query = query.where(counted.name == name)
    return [row.id for row in conn.execute(query)]


def members(
    conn: Connection, group: int, measure: Measure, name: str, *, before: int | None, limit: int
) -> Sequence[tuple[int, str]]:
    """Return keys and marks of certificates of a group that are counted so, newest first."""
    table = report_certificates.c
    query = select(table.certificate_id, table.counted).where(table.group_id == group)
    if before is not None:
        query = query.where(table.certificate_id < before)
    if measure is not Measure.ALL:
        end = "" if name.endswith(" ") else SEPARATOR
        written = f"{SEPARATOR}{mark_of(measure, name)}{end}"
        query = query.where(table.counted.contains(written, autoescape=True))
    rows = conn.execute(query.order_by(table.certificate_id.desc()).limit(limit))
    return [(row.certificate_id, row.counted) for row in rows]


def within(bounds: Bounds) -> ColumnElement[bool]:
    """Return the condition that a group is asked for and may be seen."""
    visible = bounds.visible
    seen: list[ColumnElement[bool]] = [own.id.is_(None)]
    if visible.issued:
        terms = [own.side == Side.ISSUED]
        if visible.country is not None:
            terms.append(own.issuing_country == visible.country)
        if visible.authority is not None:
            terms.append(own.authority_key == visible.authority[:140])
        seen.append(and_(*terms))
    if visible.received:
        terms = [own.side == Side.RECEIVED]
        if visible.country is not None:
            terms.append(own.destination_country == visible.country)
        seen.append(and_(*terms))
    return and_(
        own.month >= _month(bounds.since),
        own.month < _month(bounds.until),
        own.test == bounds.test,
        or_(*seen),
        *_wanted(bounds),
    )


def _wanted(bounds: Bounds) -> list[ColumnElement[bool]]:
    named = {
        own.kind: bounds.kind,
        own.side: bounds.side,
        own.issuing_country: bounds.origin,
        own.destination_country: bounds.destination,
    }
    terms = [column == value for column, value in named.items() if value is not None]
    if bounds.country is not None:
        ends = (own.issuing_country, own.destination_country)
        terms.append(or_(*(column == bounds.country for column in ends)))
    return terms


def _counts(bounds: Bounds, keys: Sequence[ColumnElement[Any]]) -> Select[Any]:
    return (
        select(*keys, func.sum(counted.count))
        .join(report_counts, counted.group_id == own.id)
        .where(within(bounds))
        .group_by(*keys)
    )


def _named(conn: Connection, bounds: Bounds, measure: Measure) -> list[Counted]:
    query = _counts(bounds, (own.side, counted.name)).where(counted.measure == measure)
    return [Counted(side=row[0], name=row[1], count=int(row[2])) for row in conn.execute(query)]


def _ranked(found: Iterable[Counted]) -> tuple[Counted, ...]:
    """Return counts, the greatest first; equal ones in the order of their names."""
    return tuple(sorted(found, key=lambda each: (-each.count, each.name, each.side)))


def _side_of(state: IssueState | ImportState) -> Side:
    return Side.ISSUED if isinstance(state, IssueState) else Side.RECEIVED


def _month(day: date) -> str:
    return day.isoformat()[:7]
