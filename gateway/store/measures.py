"""Measures of the queue, the lanes and the attempts: every query is bounded.

What grows with the archive is never counted here: open messages lie in a partial index,
attempts are the newest ones, and totals come from ``gateway.store.tallies``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Subquery, and_, exists, func, or_, select, text

from gateway.store.dialects import by_no_index
from gateway.store.rows import Lane
from gateway.store.rows.operations import EndedAttempt, OutcomeCount, QueueCount
from gateway.store.states import DeliveryState, PeerChannel, PeerState
from gateway.store.tables import attempts, dispatches, lanes, peers
from gateway.store.tables.exchange import DUE, OPEN

MOST_DEAD_LETTERS: Final = 10_000
NEWEST: Final = 5_000


def queue(conn: Connection) -> tuple[QueueCount, ...]:
    """Return how many messages wait, by peer and state, and since when."""
    own, key = dispatches.c, by_no_index(conn.dialect.name, dispatches.c.peer_id)
    query = (
        select(key, own.state, func.count().label("count"), func.min(own.created_at))
        .where(text(OPEN))
        .group_by(key, own.state)
    )
    return tuple(
        QueueCount(peer_id=peer_id, state=state, count=count, oldest_at=oldest)
        for peer_id, state, count, oldest in conn.execute(query)
    )


def overdue_since(conn: Connection, now: datetime) -> datetime | None:
    """Return since when the longest waiting message could have been claimed, if any could.

    Messages to suspended, parked, collecting and not yet live peers wait rightly, and so do
    those behind an earlier one of their conversation.
    """
    own, earlier = dispatches.c, dispatches.alias("earlier")
    behind = exists().where(
        earlier.c.peer_id == own.peer_id,
        earlier.c.conversation_id == own.conversation_id,
        earlier.c.id < own.id,
        text("earlier." + OPEN),
    )
    query = (
        select(func.min(own.due_at))
        .join(lanes, lanes.c.peer_id == own.peer_id)
        .join(peers, peers.c.id == own.peer_id)
        .where(text("dispatches." + DUE), own.due_at <= now)
        .where(peers.c.state == PeerState.ACTIVE, peers.c.channel != PeerChannel.COLLECT, ~behind)
        .where(or_(peers.c.live_from.is_(None), peers.c.live_from <= now))
        .where(or_(lanes.c.parked_until.is_(None), lanes.c.parked_until <= now))
    )
    since: datetime | None = conn.execute(query).scalar()
    return since


def last_claim(conn: Connection) -> datetime | None:
    """Return when any worker took a message last."""
    claimed: datetime | None = conn.execute(select(func.max(lanes.c.claimed_at))).scalar()
    return claimed


def dead_letters(conn: Connection) -> Mapping[int, int]:
    """Return how many messages wait for a person after their last attempt, by peer."""
    own = dispatches.c
    failed = select(own.peer_id).where(own.state == DeliveryState.FAILED)
    newest = failed.order_by(own.id.desc()).limit(MOST_DEAD_LETTERS).subquery()
    query = select(newest.c.peer_id, func.count()).group_by(newest.c.peer_id)
    return {row.peer_id: row.count_1 for row in conn.execute(query)}


def every_lane(conn: Connection) -> Mapping[int, Lane]:
    """Return the state of the way to each peer."""
    columns = (lanes.c[name] for name in Lane.__dataclass_fields__)
    return {row.peer_id: Lane(**row._mapping) for row in conn.execute(select(*columns))}


def newest_attempts(
    conn: Connection, *, since: datetime, limit: int = NEWEST
) -> Iterator[EndedAttempt]:
    """Yield the ended ones of the newest ``limit`` attempts that began after ``since``."""
    ended = _ended(since, limit)
    for row in conn.execute(select(ended)):
        yield EndedAttempt(**row._mapping)


def outcomes(conn: Connection, *, since: datetime, limit: int = NEWEST) -> tuple[OutcomeCount, ...]:
    """Return how many of the same attempts ended how, by peer; the database counts them."""
    ended = _ended(since, limit).c
    alike = (ended.peer_id, ended.code, ended.answered)
    query = select(*alike, func.count().label("count")).group_by(*alike)
    return tuple(OutcomeCount(**row._mapping) for row in conn.execute(query))


def _ended(since: datetime, limit: int) -> Subquery:
    own = attempts.c
    wanted = (own.dispatch_id, own.number, own.worker, own.started_at, own.ended_at)
    last = select(*wanted, own.code, own.http_status).order_by(own.id.desc()).limit(limit)
    newest = last.subquery()
    proved = and_(dispatches.c.verdict.is_not(None), dispatches.c.fence == newest.c.number)
    return (
        select(
            dispatches.c.peer_id,
            newest.c.worker,
            newest.c.started_at,
            newest.c.ended_at,
            newest.c.code,
            newest.c.http_status,
            dispatches.c.created_at,
            proved.label("answered"),
        )
        .join(dispatches, dispatches.c.id == newest.c.dispatch_id)
        .where(newest.c.started_at >= since, newest.c.ended_at.is_not(None))
        .subquery()
    )
