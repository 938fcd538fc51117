"""Counting certificates of origin for reports, within a period of issue and what may be seen.

Every query begins at the index over the day of issue and groups in the database.  The issuing
authority is compared by its canonical code, which only the program knows: it is grouped by,
and left out afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, extract, func, or_, select

from gateway.documents.codes import CertificateKind, UtilisationStatus
from gateway.store.keys import canonical_key
from gateway.store.search import Visible
from gateway.store.states import DeliveryRole, ExchangeState, ImportState, IssueState, Side
from gateway.store.tables import (
    certificate_deliveries,
    certificate_items,
    certificates,
    responses,
)

MOST_SPANS: Final = 50_000
_ARRIVED: Final = (ExchangeState.DELIVERED, ExchangeState.RECEIVED)
_USED: Final = (UtilisationStatus.PARTIAL, UtilisationStatus.FULL)
own = certificates.c


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Says which certificates a report is about; ``until`` is not in.

    Attributes:
        test: those of trial, in place of those that count.
    """

    visible: Visible
    since: date
    until: date
    test: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Is how many certificates agree in all that reports tell apart."""

    side: Side
    origin: str
    destination: str
    kind: CertificateKind
    year: int
    month: int
    used: bool
    count: int


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Is how many certificates stand behind one name."""

    side: Side
    name: str
    count: int


class Step(StrEnum):
    """Names two steps in the life of a certificate between which time passes."""

    ISSUE_DELIVERY = "ISSUE_DELIVERY"
    ISSUE_ANSWER = "ISSUE_ANSWER"
    ARRIVAL_DECISION = "ARRIVAL_DECISION"


def cells(conn: Connection, bounds: Bounds) -> tuple[Cell, ...]:
    """Return every cell that holds a certificate."""
    used = or_(
        own.reported_status.in_(_USED),
        own.state.in_([ImportState.PARTIALLY_UTILISED, ImportState.UTILISED]),
    ).label("was_used")
    keys = (
        own.side,
        own.issuing_country,
        own.destination_country,
        own.kind,
        extract("year", own.issued_on),
        extract("month", own.issued_on),
        used,
        own.authority_code,
    )
    plain = [key for key in keys if key is not used]
    query = select(*keys, func.count()).where(_within(bounds)).group_by(*plain, "was_used")
    return tuple(
        Cell(
            side=row[0],
            origin=row[1],
            destination=row[2],
            kind=row[3],
            year=int(row[4]),
            month=int(row[5]),
            used=bool(row[6]),
            count=row[8],
        )
        for row in _allowed(conn, query, bounds, authority=7)
    )


def delivered(conn: Connection, bounds: Bounds) -> tuple[Cell, ...]:
    """Return cells of the issued certificates that have reached their destination."""
    told = certificate_deliveries.c
    keys = (
        own.issuing_country,
        own.destination_country,
        own.kind,
        extract("year", own.issued_on),
        extract("month", own.issued_on),
        own.authority_code,
    )
    query = (
        select(*keys, func.count(own.id.distinct()))
        .join(certificate_deliveries, told.certificate_id == own.id)
        .where(_within(bounds), own.side == Side.ISSUED)
        .where(told.role == DeliveryRole.DOCUMENT, told.state.in_(_ARRIVED))
        .group_by(*keys)
    )
    return tuple(
        Cell(
            side=Side.ISSUED,
            origin=row[0],
            destination=row[1],
            kind=row[2],
            year=int(row[3]),
            month=int(row[4]),
            used=False,
            count=row[6],
        )
        for row in _allowed(conn, query, bounds, authority=5)
    )


def chapters(conn: Connection, bounds: Bounds) -> tuple[Counted, ...]:
    """Return how many certificates cover goods of each chapter of the Harmonized System."""
    items = certificate_items.c
    chapter = func.substr(items.hs_code, 1, 2).label("chapter_of")
    query = (
        select(own.side, chapter, own.authority_code, func.count(own.id.distinct()))
        .join(certificate_items, items.certificate_id == own.id)
        .where(_within(bounds))
        .group_by(own.side, "chapter_of", own.authority_code)
    )
    return _counted(_allowed(conn, query, bounds, authority=2))


def reasons(conn: Connection, bounds: Bounds) -> tuple[Counted, ...]:
    """Return how many refusals state each reason."""
    said = responses.c
    query = (
        select(own.side, said.reasons, own.authority_code, func.count())
        .join(responses, said.certificate_id == own.id)
        .where(_within(bounds), said.status == UtilisationStatus.REJECTED)
        .group_by(own.side, said.reasons, own.authority_code)
    )
    single = (
        (side, reason, None, count)
        for side, stated, _, count in _allowed(conn, query, bounds, authority=2)
        for reason in (stated or [""])
    )
    return _counted(single)


def overdue(
    conn: Connection, bounds: Bounds, limits: Iterable[tuple[IssueState | ImportState, datetime]]
) -> tuple[Counted, ...]:
    """Return how many certificates have stood in each state since before its limit."""
    late = [
        and_(
            own.side == (Side.ISSUED if isinstance(state, IssueState) else Side.RECEIVED),
            own.state == state.value,
            own.state_since < limit,
        )
        for state, limit in limits
    ]
    query = (
        select(own.side, own.state, own.authority_code, func.count())
        .where(_within(bounds), or_(*late))
        .group_by(own.side, own.state, own.authority_code)
    )
    return _counted(_allowed(conn, query, bounds, authority=2))


def spans(conn: Connection, bounds: Bounds, step: Step) -> tuple[float, ...]:
    """Return how many seconds passed between two steps, of the newest certificates at most."""
    rows = _allowed(conn, _span_query(bounds, step).limit(MOST_SPANS), bounds, authority=2)
    return tuple((row[1] - row[0]).total_seconds() for row in rows if row[1] is not None)


def _delivery_spans(bounds: Bounds) -> Select[Any]:
    told = certificate_deliveries.c
    return (
        select(own.created_at, told.updated_at, own.authority_code)
        .join(certificate_deliveries, told.certificate_id == own.id)
        .where(_within(bounds), own.side == Side.ISSUED)
        .where(told.role == DeliveryRole.DOCUMENT, told.state.in_(_ARRIVED))
        .order_by(own.issued_on.desc(), own.id.desc())
    )


def _answer_spans(bounds: Bounds, side: Side, answered: Any) -> Select[Any]:
    return (
        select(own.created_at, func.min(answered).label("answered"), own.authority_code)
        .join(responses, responses.c.certificate_id == own.id)
        .where(_within(bounds), own.side == side)
        .group_by(own.id, own.created_at, own.issued_on, own.authority_code)
        .order_by(own.issued_on.desc(), own.id.desc())
    )


def _span_query(bounds: Bounds, step: Step) -> Select[Any]:
    if step is Step.ISSUE_DELIVERY:
        return _delivery_spans(bounds)
    if step is Step.ISSUE_ANSWER:
        return _answer_spans(bounds, Side.ISSUED, responses.c.stored_at)
    return _answer_spans(bounds, Side.RECEIVED, responses.c.decided_at)


def _within(bounds: Bounds) -> ColumnElement[bool]:
    visible = bounds.visible
    seen: list[ColumnElement[bool]] = []
    if visible.issued:
        of_country = own.issuing_country == visible.country
        seen.append(_side(Side.ISSUED, of_country if visible.country else None))
    if visible.received:
        for_country = own.destination_country == visible.country
        seen.append(_side(Side.RECEIVED, for_country if visible.country else None))
    dated = and_(own.issued_on >= bounds.since, own.issued_on < bounds.until)
    return and_(dated, own.test == bounds.test, or_(*seen))


def _side(side: Side, more: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return own.side == side if more is None else and_(own.side == side, more)


def _allowed(
    conn: Connection, query: Select[Any], bounds: Bounds, *, authority: int
) -> Iterator[Any]:
    """Yield the rows whose authority may be seen; the column with its code is ``authority``."""
    wanted = bounds.visible.authority
    for row in conn.execute(query):
        if wanted is None or canonical_key(row[authority]) == wanted:
            yield row


def _counted(rows: Iterable[Any]) -> tuple[Counted, ...]:
    sums: dict[tuple[Side, str], int] = {}
    for row in rows:
        key = (row[0], str(row[1]))
        sums[key] = sums.get(key, 0) + row[3]
    return tuple(
        Counted(side=side, name=name, count=count)
        for (side, name), count in sorted(sums.items(), key=lambda each: (-each[1], each[0]))
    )
