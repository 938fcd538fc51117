"""What customs reported about certificates issued here: most urgent first, then newest first.

Each urgency has an index of its own, so that a page costs the same however many certificates
were issued or used; positions are values of that index.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, Select, literal, select, text, tuple_

from gateway.store import certificates as certificate_queries
from gateway.store.rows import CertificateRow
from gateway.store.search import Visible, is_visible
from gateway.store.states import Side
from gateway.store.tables import certificates as table
from gateway.store.tables.register import FEEDBACK

WALK = 500
"""Rows of the index that are looked at for one page."""


class Urgency(IntEnum):
    """Orders what customs reported, what needs an answer first."""

    REFUSED = 0
    OVER_USED = 1
    DOUBTED = 2
    USED = 3


@dataclass(frozen=True, kw_only=True)
class FeedbackPosition:
    """Is where a walk stands; without a moment at the beginning of its urgency."""

    urgency: Urgency
    at: datetime | None = None
    certificate_id: int = 0


@dataclass(frozen=True, kw_only=True)
class FeedbackFound:
    """Is one page: certificates with their urgency; ``go_on`` is None when nothing follows."""

    certificates: tuple[tuple[Urgency, CertificateRow], ...]
    go_on: FeedbackPosition | None


def page(
    conn: Connection,
    visible: Visible,
    urgencies: Collection[Urgency],
    *,
    after: FeedbackPosition | None,
    limit: int,
) -> FeedbackFound:
    """Return the next certificates that customs reported something about."""
    found: list[tuple[Urgency, CertificateRow]] = []
    for urgency in sorted(urgencies):
        if after is not None and urgency < after.urgency:
            continue
        if len(found) == limit:
            return FeedbackFound(certificates=tuple(found), go_on=FeedbackPosition(urgency=urgency))
        start = after if after is not None and after.urgency is urgency else None
        rows, go_on = _of_one(conn, visible, urgency, start, limit - len(found))
        found += ((urgency, row) for row in rows)
        if go_on is not None:
            return FeedbackFound(certificates=tuple(found), go_on=go_on)
    return FeedbackFound(certificates=tuple(found), go_on=None)


def _of_one(
    conn: Connection,
    visible: Visible,
    urgency: Urgency,
    after: FeedbackPosition | None,
    limit: int,
) -> tuple[tuple[CertificateRow, ...], FeedbackPosition | None]:
    walked = _walk(urgency, after)
    steps = walked.subquery("steps")
    query = (
        select(steps)
        .join(table, table.c.id == steps.c.id)
        .where(is_visible(visible))
        .order_by(steps.c.updated_at.desc(), steps.c.id.desc())
        .limit(limit + 1)
    )
    hits = conn.execute(query).all()
    rows = certificate_queries.of_keys(conn, [hit.id for hit in hits[:limit]])
    found = tuple(rows[hit.id] for hit in hits[:limit])
    if len(hits) > limit:
        return found, _position(urgency, hits[limit - 1])
    last = conn.execute(select(walked.subquery()).offset(WALK - 1)).one_or_none()
    return found, None if last is None else _position(urgency, last)


def _walk(urgency: Urgency, after: FeedbackPosition | None) -> Select[Any]:
    """Return the query that walks the index of one urgency, newest first."""
    rows = FEEDBACK[urgency.name.lower()]
    query = select(table.c.id, table.c.updated_at).where(table.c.side == Side.ISSUED, text(rows))
    if after is not None and after.at is not None:
        reached = tuple_(literal(after.at, table.c.updated_at.type), after.certificate_id)
        query = query.where(tuple_(table.c.updated_at, table.c.id) < reached)
    return query.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(WALK)


def _position(urgency: Urgency, row: Any) -> FeedbackPosition:
    return FeedbackPosition(urgency=urgency, at=row.updated_at, certificate_id=row.id)
