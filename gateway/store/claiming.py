"""Claiming due messages: a lease with a fencing number, a lane per peer, order kept.

One lane per peer: a worker locks the lanes it serves, so no two workers choose among the
messages of one peer at the same time, and a dead peer's backlog costs one index probe.
Within a conversation a message waits until every earlier one is final.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from gateway.errors import ConflictError
from gateway.store import bodies
from gateway.store.delivery import DeliveryEvent, sources
from gateway.store.rows import Claim
from gateway.store.states import DeliveryState, PeerState
from gateway.store.tables import attempts, dispatches, lanes, peers
from gateway.store.tables import bodies as body_table
from gateway.store.tables.exchange import DUE, OPEN

LEASE_LOST = "LEASE_LOST"
_CLAIMABLE = sources(DeliveryEvent.CLAIM)


def claim_due(
    conn: Connection,
    worker: str,
    now: datetime,
    *,
    lease_seconds: int,
    limit: int,
    per_peer: int = 1,
) -> tuple[Claim, ...]:
    """Take up to ``limit`` due messages for ``worker`` until the lease ends; commit, then send.

    A message is due when its time has come, or when the lease of whoever took it has run
    out.  Suspended, parked and not yet live peers are left alone.

    Args:
        lease_seconds: longer than any attempt may take.
        per_peer: messages that may be under way to one peer at a time, over all workers.
    """
    lease_until = now + timedelta(seconds=lease_seconds)
    claims: list[Claim] = []
    for peer_id in _open_lanes(conn, now, limit):
        room = min(limit - len(claims), per_peer - _in_flight(conn, peer_id, now))
        due = _due_rows(conn, peer_id, now, room) if room > 0 else []
        claims += [_take(conn, row, worker, now, lease_until) for row in due]
        if len(claims) >= limit:
            break
    _touch_lanes(conn, {claim.peer_id for claim in claims}, now)
    return tuple(claims)


def renew(conn: Connection, claim: Claim, lease_until: datetime) -> None:
    """Extend the lease of a claim that is still held.

    Raises:
        ConflictError: the claim is stale.
    """
    own = and_(
        dispatches.c.id == claim.dispatch_id,
        dispatches.c.fence == claim.fence,
        dispatches.c.state == DeliveryState.SENDING,
    )
    if conn.execute(update(dispatches).where(own).values(due_at=lease_until)).rowcount != 1:
        raise ConflictError(f"the claim {claim.fence} on {claim.message_id} is lost")


def _open_lanes(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Return peers with due work, the one served longest ago first; their lanes are locked."""
    has_work = exists().where(dispatches.c.peer_id == lanes.c.peer_id, _due(now))
    query = (
        select(lanes.c.peer_id)
        .join(peers, peers.c.id == lanes.c.peer_id)
        .where(
            peers.c.state == PeerState.ACTIVE,
            or_(peers.c.live_from.is_(None), peers.c.live_from <= now),
            or_(lanes.c.parked_until.is_(None), lanes.c.parked_until <= now),
            has_work,
        )
        .order_by(func.coalesce(lanes.c.claimed_at, literal(_LONG_AGO, lanes.c.claimed_at.type)))
        .limit(max(limit, 1) * 4)
        .with_for_update(of=lanes, skip_locked=True)
    )
    return list(conn.execute(query).scalars())


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(text(DUE), dispatches.c.due_at <= now)


def _in_flight(conn: Connection, peer_id: int, now: datetime) -> int:
    query = select(func.count()).where(
        dispatches.c.peer_id == peer_id,
        text(DUE),
        dispatches.c.due_at > now,
        dispatches.c.state == DeliveryState.SENDING,
    )
    count: int = conn.execute(query).scalar_one()
    return count


def _due_rows(conn: Connection, peer_id: int, now: datetime, room: int) -> list[Row[Any]]:
    earlier = dispatches.alias("earlier")
    waits = exists().where(
        earlier.c.peer_id == dispatches.c.peer_id,
        earlier.c.conversation_id == dispatches.c.conversation_id,
        earlier.c.id < dispatches.c.id,
        text("earlier." + OPEN),
    )
    query = (
        select(dispatches, body_table.c.content)
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.peer_id == peer_id, text("dispatches." + DUE))
        .where(dispatches.c.due_at <= now, dispatches.c.state.in_(_CLAIMABLE), ~waits)
        .order_by(dispatches.c.due_at, dispatches.c.id)
        .limit(room)
        .with_for_update(of=dispatches, skip_locked=True)
    )
    return list(conn.execute(query))


def _take(
    conn: Connection, row: Row[Any], worker: str, now: datetime, lease_until: datetime
) -> Claim:
    if row.state is DeliveryState.SENDING:
        _close_lost(conn, row, now)
    conn.execute(
        update(dispatches)
        .where(dispatches.c.id == row.id, dispatches.c.fence == row.fence)
        .values(
            state=DeliveryState.SENDING,
            due_at=lease_until,
            lease_owner=worker,
            fence=row.fence + 1,
            attempts=row.attempts + 1,
            updated_at=now,
        )
    )
    conn.execute(
        insert(attempts).values(
            dispatch_id=row.id, number=row.fence + 1, worker=worker, started_at=now
        )
    )
    return _claim(row, worker, now, lease_until)


def _close_lost(conn: Connection, row: Row[Any], now: datetime) -> None:
    own = and_(attempts.c.dispatch_id == row.id, attempts.c.number == row.fence)
    conn.execute(update(attempts).where(own).values(ended_at=now, code=LEASE_LOST))


def _claim(row: Row[Any], worker: str, now: datetime, lease_until: datetime) -> Claim:
    return Claim(
        dispatch_id=row.id,
        message_id=row.message_id,
        peer_id=row.peer_id,
        document_type=row.document_type,
        document_number=row.document_number,
        conversation_id=row.conversation_id,
        worker=worker,
        fence=row.fence + 1,
        attempt=row.attempts + 1,
        claimed_at=now,
        lease_until=lease_until,
        created_at=row.created_at,
        envelope=bodies.checked(bytes(row.content), row.envelope_sha256),
        envelope_sha256=row.envelope_sha256,
    )


def _touch_lanes(conn: Connection, peer_ids: set[int], now: datetime) -> None:
    if peer_ids:
        conn.execute(update(lanes).where(lanes.c.peer_id.in_(peer_ids)).values(claimed_at=now))
