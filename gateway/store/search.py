"""Finding certificates by business keys, page by page, at a cost that does not grow.

One criterion leads: its index is walked in order, the others are looked at row by row, and a
walk ends after ``WALK`` rows.  A page may so be short or empty and yet name where to go on.
Positions are values of the index, so pages stay whole while certificates are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, tuple_

from gateway.documents.codes import CertificateKind
from gateway.store import certificates as certificate_queries
from gateway.store.rows import CertificateRow, SearchKey
from gateway.store.search_keys import route_key
from gateway.store.states import ImportState, IssueState, SearchField, Side
from gateway.store.tables import certificates, search_keys

WALK = 2_000
_LAST_CHARACTER = "\U0010ffff"
_BY_PREFIX = (
    SearchField.SERIAL,
    SearchField.INVOICE,
    SearchField.DECLARATION,
    SearchField.EXPORTER,
    SearchField.CONSIGNEE,
)
"""Fields searched by the beginning of a term, those that narrow most first."""


@dataclass(frozen=True, kw_only=True)
class Visible:
    """Bounds what whoever searches may see at all.

    Attributes:
        issued: certificates issued here, of ``authority`` only if given.
        received: certificates received here.
        country: issued by, or destined for, this state; None for every state.
        authority: canonical code of the issuing authority.
    """

    issued: bool
    received: bool
    country: str | None = None
    authority: str | None = None


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Is what is searched for; everything given must hold.

    Attributes:
        keys: canonical terms; all but HS codes and routes match by their beginning.
    """

    keys: tuple[SearchKey, ...] = ()
    side: Side | None = None
    issuing_country: str | None = None
    destination_country: str | None = None
    state: IssueState | ImportState | None = None
    kind: CertificateKind | None = None
    issued_from: date | None = None
    issued_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """Is where a walk stands: the values of the leading index."""

    certificate_id: int
    term: str | None = None
    day: date | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """Is one page; ``go_on`` is None when nothing follows."""

    certificates: tuple[CertificateRow, ...]
    go_on: Position | None


def search(
    conn: Connection, visible: Visible, criteria: Criteria, *, after: Position | None, limit: int
) -> Found:
    """Return the next page of what is visible and meets the criteria."""
    walked = walk(visible, criteria, after=after)
    hits = conn.execute(_hits(walked, visible, criteria).limit(limit + 1)).all()
    page = hits[:limit]
    rows = certificate_queries.of_keys(conn, [hit.certificate_id for hit in page])
    found = tuple(rows[hit.certificate_id] for hit in page)
    if len(hits) > limit:
        return Found(certificates=found, go_on=_position(page[-1]))
    steps = walked.subquery()
    last = conn.execute(select(steps).offset(WALK - 1)).one_or_none()
    return Found(certificates=found, go_on=None if last is None else _position(last))


def walk(visible: Visible, criteria: Criteria, *, after: Position | None) -> Select[Any]:
    """Return the query that walks the leading criterion's index in order."""
    led = _leading(visible, criteria)
    if led is None:
        return _by_state_or_day(visible, criteria, after)
    if led.field in _BY_PREFIX:
        return _by_prefix(led, after)
    return _by_term(led, after)


def _leading(visible: Visible, criteria: Criteria) -> SearchKey | None:
    by_field = {each.field: each for each in criteria.keys}
    for field in (*_BY_PREFIX, SearchField.HS):
        if field in by_field:
            return by_field[field]
    if criteria.issuing_country and criteria.destination_country:
        return route_key(criteria.issuing_country, criteria.destination_country)
    dated = criteria.issued_from or criteria.issued_until
    if visible.authority is not None and not dated and not visible.received:
        return SearchKey(SearchField.AUTHORITY, visible.authority)
    return None


def _by_prefix(led: SearchKey, after: Position | None) -> Select[Any]:
    """Walk terms in their order; a certificate counts under the first of its terms only."""
    own = search_keys
    query = select(own.c.certificate_id, own.c.term).where(_begins(own, led))
    if after is not None:
        reached = (after.term or "", after.certificate_id)
        query = query.where(tuple_(own.c.term, own.c.certificate_id) > tuple_(*reached))
    other = search_keys.alias("earlier")
    earlier = exists().where(
        other.c.certificate_id == own.c.certificate_id,
        _begins(other, led),
        other.c.term < own.c.term,
    )
    ordered = query.where(~earlier).order_by(own.c.term, own.c.certificate_id)
    return ordered.limit(WALK)


def _by_term(led: SearchKey, after: Position | None) -> Select[Any]:
    own = search_keys
    query = select(own.c.certificate_id).where(own.c.field == led.field, own.c.term == led.term)
    if after is not None:
        query = query.where(own.c.certificate_id < after.certificate_id)
    return query.order_by(own.c.certificate_id.desc()).limit(WALK)


def _by_state_or_day(visible: Visible, criteria: Criteria, after: Position | None) -> Select[Any]:
    own = certificates
    side = _one_side(visible, criteria)
    dated = criteria.issued_from or criteria.issued_until
    if side is not None and not dated:
        query = select(own.c.id.label("certificate_id")).where(own.c.side == side)
        if criteria.state is not None:
            query = query.where(own.c.state == criteria.state.value)
        if after is not None:
            query = query.where(own.c.id < after.certificate_id)
        return query.order_by(own.c.id.desc()).limit(WALK)
    query = select(own.c.id.label("certificate_id"), own.c.issued_on.label("day"))
    if criteria.issued_from is not None:
        query = query.where(own.c.issued_on >= criteria.issued_from)
    if criteria.issued_until is not None:
        query = query.where(own.c.issued_on <= criteria.issued_until)
    if after is not None:
        reached = (after.day or date.max, after.certificate_id)
        query = query.where(tuple_(own.c.issued_on, own.c.id) < tuple_(*reached))
    return query.order_by(own.c.issued_on.desc(), own.c.id.desc()).limit(WALK)


def _one_side(visible: Visible, criteria: Criteria) -> Side | None:
    if criteria.side is not None:
        return criteria.side
    if visible.issued is not visible.received:
        return Side.ISSUED if visible.issued else Side.RECEIVED
    return None


def _hits(walked: Select[Any], visible: Visible, criteria: Criteria) -> Select[Any]:
    steps = walked.subquery("steps")
    own = certificates
    query = select(steps).join(own, own.c.id == steps.c.certificate_id)
    query = query.where(is_visible(visible), *_columns(criteria))
    query = query.where(*(_has(each, own.c.id) for each in criteria.keys))
    if "term" in steps.c:
        return query.order_by(steps.c.term, steps.c.certificate_id)
    if "day" in steps.c:
        return query.order_by(steps.c.day.desc(), steps.c.certificate_id.desc())
    return query.order_by(steps.c.certificate_id.desc())


def is_visible(visible: Visible) -> ColumnElement[bool]:
    """Return the condition that a certificate is visible."""
    own, sides = certificates.c, []
    if visible.issued:
        terms = [own.side == Side.ISSUED]
        if visible.country is not None:
            terms.append(own.issuing_country == visible.country)
        if visible.authority is not None:
            terms.append(_has(SearchKey(SearchField.AUTHORITY, visible.authority), own.id))
        sides.append(and_(*terms))
    if visible.received:
        terms = [own.side == Side.RECEIVED]
        if visible.country is not None:
            terms.append(own.destination_country == visible.country)
        sides.append(and_(*terms))
    return or_(*sides) if sides else own.id.is_(None)


def _columns(criteria: Criteria) -> Sequence[ColumnElement[bool]]:
    own = certificates.c
    wanted = {
        own.side: criteria.side,
        own.issuing_country: criteria.issuing_country,
        own.destination_country: criteria.destination_country,
        own.state: None if criteria.state is None else criteria.state.value,
        own.kind: criteria.kind,
    }
    terms = [column == value for column, value in wanted.items() if value is not None]
    if criteria.issued_from is not None:
        terms.append(own.issued_on >= criteria.issued_from)
    if criteria.issued_until is not None:
        terms.append(own.issued_on <= criteria.issued_until)
    return terms


def _has(wanted: SearchKey, certificate_id: ColumnElement[Any]) -> ColumnElement[bool]:
    own = search_keys.alias()
    matches = (
        _begins(own, wanted)
        if wanted.field in _BY_PREFIX
        else and_(own.c.field == wanted.field, own.c.term == wanted.term)
    )
    return exists().where(own.c.certificate_id == certificate_id, matches)


def _begins(own: Any, wanted: SearchKey) -> ColumnElement[bool]:
    return and_(
        own.c.field == wanted.field,
        own.c.term >= wanted.term,
        own.c.term < wanted.term + _LAST_CHARACTER,
    )


def _position(row: Any) -> Position:
    values = row._mapping
    return Position(
        certificate_id=values["certificate_id"], term=values.get("term"), day=values.get("day")
    )
