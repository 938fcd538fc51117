"""Handing out: a peer that cannot be called takes its own messages, under a lease like a claim.

What a worker's claim is (``gateway.store.claiming``), this is too, only that the peer itself
is the worker: the same states, attempts, fence and order within a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, or_, select, text, update

from gateway.store import claiming
from gateway.store.delivery import DeliveryEvent, sources
from gateway.store.rows import Claim, Dispatch, Peer
from gateway.store.states import DeliveryState
from gateway.store.tables import attempts, dispatches, lanes
from gateway.store.tables import bodies as body_table
from gateway.store.tables.exchange import DUE


def taker(peer: Peer) -> str:
    """Return the name under which a peer holds what was handed out to it."""
    return f"peer:{peer.identifier}"


def hand_out(
    conn: Connection, peer: Peer, now: datetime, *, lease: timedelta, limit: int, max_bytes: int
) -> tuple[Claim, ...]:
    """Return claims of ``peer`` on the first waiting messages by rank; commit, then hand them over.

    Two collections at a time share nothing.  Nothing is handed out before the peer is live.

    Args:
        max_bytes: bound of all envelopes together; the first one is handed out whatever its
            size.
    """
    if peer.live_from is not None and peer.live_from > now:
        return ()
    conn.execute(select(lanes).where(lanes.c.peer_id == peer.id).with_for_update())
    chosen = _within(_waiting(conn, peer, now, limit), max_bytes)
    claims = tuple(
        claiming.take(conn, _whole(conn, number), taker(peer), now, now + lease)
        for number in chosen
    )
    conn.execute(update(lanes).where(lanes.c.peer_id == peer.id).values(claimed_at=now))
    return claims


def held_by(conn: Connection, peer: Peer, dispatch: Dispatch) -> Claim | None:
    """Return the claim that ``peer`` still holds on a message, its row locked; None if none.

    A lease that has run out still counts until somebody else takes the message.
    """
    row = conn.execute(
        select(dispatches, body_table.c.content)
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.id == dispatch.id, dispatches.c.lease_owner == taker(peer))
        .where(dispatches.c.state == DeliveryState.SENDING)
        .with_for_update(of=dispatches)
    ).one_or_none()
    if row is None:
        return None
    following = claiming.claim_of(row, taker(peer), row.updated_at, row.due_at)
    return replace(following, fence=row.fence, attempt=row.attempts)


def _waiting(conn: Connection, peer: Peer, now: datetime, limit: int) -> Iterable[tuple[int, int]]:
    query = (
        select(dispatches.c.id, func.length(body_table.c.content))
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.peer_id == peer.id, text("dispatches." + DUE), _is_free(peer, now))
        .where(~claiming.WAITS)
        .order_by(dispatches.c.rank_at, dispatches.c.id)
        .limit(limit)
        .with_for_update(of=dispatches, skip_locked=True)
    )
    return [(row[0], row[1]) for row in conn.execute(query)]


def _is_free(peer: Peer, now: datetime) -> ColumnElement[bool]:
    """Whether a message may be taken.

    A pause that a failed call of ours began binds no collector; one that follows its own
    refusal to take the message does, so that it does not fetch the same one for ever.
    """
    declined = exists().where(
        attempts.c.dispatch_id == dispatches.c.id,
        attempts.c.number == dispatches.c.fence,
        attempts.c.worker == taker(peer),
    )
    return or_(
        (dispatches.c.state == DeliveryState.RETRYING) & ~declined,
        dispatches.c.state.in_(sources(DeliveryEvent.CLAIM)) & (dispatches.c.due_at <= now),
    )


def _within(waiting: Iterable[tuple[int, int]], max_bytes: int) -> list[int]:
    chosen: list[int] = []
    for number, size in waiting:
        max_bytes -= size
        if chosen and max_bytes < 0:
            break
        chosen.append(number)
    return chosen


def _whole(conn: Connection, number: int) -> Row[Any]:
    query = (
        select(dispatches, body_table.c.content)
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.id == number)
    )
    return conn.execute(query).one()
