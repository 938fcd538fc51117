"""The feed of the national system: events in the order of commit, read by cursor.

Each event knows who may be told of it; that is decided where it is appended, from the
certificate that it is about, and never again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from gateway.store import chain
from gateway.store.chain import Audience
from gateway.store.keys import canonical_key
from gateway.store.rows import CertificateRow, Event
from gateway.store.search import Visible
from gateway.store.states import EventCircle, Side
from gateway.store.states import EventKind as Kind
from gateway.store.tables import chain_heads
from gateway.store.tables import events as table

__all__ = [
    "EVERYBODY",
    "OPERATORS",
    "Audience",
    "FeedPage",
    "Kind",
    "after",
    "append",
    "audience_of",
    "last_cursor",
    "newest",
    "visible_after",
]

WALK: Final = 2_000
EVERYBODY: Final = Audience(circle=EventCircle.EVERYBODY)
OPERATORS: Final = Audience(circle=EventCircle.OPERATORS)


@dataclass(frozen=True, kw_only=True)
class FeedPage:
    """Is a part of the feed as one reader sees it.

    Attributes:
        reached: cursor up to which nothing else is visible; reading goes on there.
    """

    events: tuple[Event, ...]
    reached: int


def audience_of(certificate: CertificateRow) -> Audience:
    """Return those whom a certificate of origin concerns on this side of the border."""
    issued = certificate.side is Side.ISSUED
    return Audience(
        circle=EventCircle.ISSUED if issued else EventCircle.RECEIVED,
        country=certificate.issuing_country if issued else certificate.destination_country,
        authority=canonical_key(certificate.authority_code)[:140],
        certificate_id=certificate.id,
    )


def append(
    conn: Connection,
    *,
    at: datetime,
    kind: Kind,
    subject: str,
    data: Mapping[str, Any] | None = None,
    audience: Audience = OPERATORS,
    though_undone: bool = False,
) -> None:
    """Tell the national system ``kind`` about ``subject`` when the transaction commits.

    Args:
        subject: serial number, message id, or identifier of a peer.
        data: JSON values that spare the reader a second question.
        audience: who may be told.
        though_undone: it was attempted, which stays true where the transaction is rolled back:
            then it is told in one of its own.  Of a trial nothing is told.
    """
    event = chain.PendingEvent(at, kind, subject[:140], dict(data or {}), audience)
    pending = chain.pending(conn)
    pending.events.append(event)
    if though_undone:
        pending.attempts.append(event)


def after(conn: Connection, cursor: int, *, limit: int = 100) -> tuple[Event, ...]:
    """Return the events that follow ``cursor``, oldest first; 0 starts at the beginning.

    A reader that remembers the last cursor it handled misses none and sees none twice.
    """
    query = select(table).where(table.c.cursor > cursor).order_by(table.c.cursor).limit(limit)
    return tuple(Event(**row._mapping) for row in conn.execute(query))


def visible_after(conn: Connection, who: Visible, cursor: int, *, limit: int) -> FeedPage:
    """Return the events after ``cursor`` of which ``who`` may be told, oldest first.

    At most ``WALK`` events are looked at, so a page may be short or empty and not be the last.
    """
    own = table.c.cursor
    walked = select(own).where(own > cursor).order_by(own).limit(WALK).subquery()
    end = conn.execute(select(func.max(walked.c.cursor))).scalar_one()
    if end is None:
        return FeedPage(events=(), reached=cursor)
    query = select(table).where(own > cursor, own <= end, _told(who)).order_by(own).limit(limit + 1)
    found = tuple(Event(**row._mapping) for row in conn.execute(query))
    if len(found) > limit:
        return FeedPage(events=found[:limit], reached=found[limit - 1].cursor)
    return FeedPage(events=found, reached=end)


def newest(conn: Connection, *, subject: str | None = None, limit: int = 50) -> tuple[Event, ...]:
    """Return the newest events first, of one subject if given."""
    query = select(table).order_by(table.c.cursor.desc()).limit(limit)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    return tuple(Event(**row._mapping) for row in conn.execute(query))


def last_cursor(conn: Connection) -> int:
    """Return the cursor of the newest event, 0 when there is none."""
    cursor: int = conn.execute(select(chain_heads.c.event_cursor)).scalar_one()
    return cursor


def _told(who: Visible) -> ColumnElement[bool]:
    """Return the condition that ``who`` may be told; who sees everything is told everything."""
    if who.issued and who.received and who.country is None:
        return true()
    circle, ways = table.c.circle, [table.c.circle == EventCircle.EVERYBODY]
    of_state = true() if who.country is None else table.c.country == who.country
    if who.issued:
        of_authority = true() if who.authority is None else table.c.authority == who.authority
        ways.append(and_(circle == EventCircle.ISSUED, of_state, of_authority))
    if who.received:
        ways.append(and_(circle == EventCircle.RECEIVED, of_state))
    return or_(*ways)
