"""Claiming due messages: a lease with a fencing number, a lane per peer, order kept.

One lane per peer: a worker locks the lanes it serves, so no two workers choose among the
messages of one peer at the same time, and a dead peer's backlog costs one index probe.
Within a conversation a message waits until every earlier one is final.  Of the others the one
that was queued first goes first, perishable goods counting as older than they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from gateway.errors import ConflictError
from gateway.store.delivery import DeliveryEvent, sources
from gateway.store.dialects import by_no_index
from gateway.store.rows import Claim
from gateway.store.statements import Statement, inserting
from gateway.store.states import DeliveryState, PeerChannel, PeerState
from gateway.store.tables import attempts, dispatches, lanes, peers
from gateway.store.tables import bodies as body_table
from gateway.store.tables.exchange import DUE, OPEN, UNDER_WAY
from gateway.store.types import BigId, UtcMoment

LEASE_LOST = "LEASE_LOST"


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NOW = bindparam("now", type_=UtcMoment)
_OWN = bindparam("own", type_=BigId)
_DUE_BY = bindparam("due_by", type_=UtcMoment)
_EARLIER = dispatches.alias("earlier")

# Statements are built once: building them costs more than most of them take to run.
_UNDER_WAY = select(func.count().label("under_way")).where(
    text(UNDER_WAY), dispatches.c.due_at > _NOW
)
_IN_FLIGHT = Statement(_UNDER_WAY.where(dispatches.c.peer_id == _OWN))
_PER_PEER = bindparam("per_peer", type_=Integer)
_UNPROVED = bindparam("unproved", type_=Integer)


def _open_lanes_where(condition: ColumnElement[bool], window: Any) -> Statement:
    """Return the statement that finds and locks lanes with due work and room in their window."""
    under_way = _UNDER_WAY.where(dispatches.c.peer_id == lanes.c.peer_id).correlate(lanes)
    return Statement(
        select(lanes.c.peer_id, window.label("window"))
        .join(peers, peers.c.id == lanes.c.peer_id)
        .where(
            condition,
            peers.c.state == PeerState.ACTIVE,
            peers.c.channel != PeerChannel.COLLECT,
            or_(peers.c.live_from.is_(None), peers.c.live_from <= _NOW),
            or_(lanes.c.parked_until.is_(None), lanes.c.parked_until <= _NOW),
            exists().where(
                dispatches.c.peer_id == lanes.c.peer_id, text(DUE), dispatches.c.due_at <= _DUE_BY
            ),
            under_way.scalar_subquery() < window,
        )
        .order_by(func.coalesce(lanes.c.claimed_at, literal(_LONG_AGO, UtcMoment)))
        .limit(bindparam("most"))
        .with_for_update(of=lanes, skip_locked=True)
    )


_SOUND_LANES = _open_lanes_where(
    lanes.c.failures == 0, case((lanes.c.last_success_at.is_not(None), _PER_PEER), else_=_UNPROVED)
)
_SUSPECT_LANES = _open_lanes_where(lanes.c.failures > 0, _UNPROVED)
WAITS = exists().where(
    _EARLIER.c.peer_id == dispatches.c.peer_id,
    _EARLIER.c.conversation_id == dispatches.c.conversation_id,
    _EARLIER.c.id < dispatches.c.id,
    text("earlier." + OPEN),
)


def _due_rows(dialect: str) -> Any:
    """Return the query for one peer's due rows, read in the order of their rank."""
    due_at = by_no_index(dialect, dispatches.c.due_at)
    return (
        select(dispatches, body_table.c.content)
        .join(body_table, body_table.c.sha256 == dispatches.c.envelope_sha256)
        .where(dispatches.c.peer_id == _OWN, text("dispatches." + DUE))
        .where(due_at <= _DUE_BY, ~WAITS)
        .where(or_(*(dispatches.c.state == source for source in sources(DeliveryEvent.CLAIM))))
        .order_by(dispatches.c.rank_at, dispatches.c.id)
        .limit(bindparam("room"))
        .with_for_update(of=dispatches, skip_locked=True)
    )


_DUE_ROWS = Statement(_due_rows)
_TAKE = Statement(
    update(dispatches)
    .where(dispatches.c.id == bindparam("dispatch"), dispatches.c.fence == bindparam("claim"))
    .values(state=DeliveryState.SENDING),
    ("due_at", "lease_owner", "fence", "attempts", "updated_at"),
)
_CLOSE_LOST = Statement(
    update(attempts).where(
        attempts.c.dispatch_id == bindparam("dispatch"), attempts.c.number == bindparam("claim")
    ),
    ("ended_at", "code"),
)
_BEGIN_ATTEMPT = inserting(attempts, ("dispatch_id", "number", "worker", "started_at"))
_TOUCH_LANE = Statement(update(lanes).where(lanes.c.peer_id == bindparam("own")), ("claimed_at",))


class _Until(NamedTuple):
    """Says what counts as due: what became so by ``due_by``, seen at ``now``."""

    now: datetime
    due_by: datetime


def claim_due(
    conn: Connection,
    worker: str,
    now: datetime,
    *,
    lease_seconds: int,
    limit: int,
    per_peer: int = 1,
    unproved: int | None = None,
    suspects: int | None = None,
    due_by: datetime | None = None,
) -> tuple[Claim, ...]:
    """Take up to ``limit`` due messages for ``worker`` until the lease ends; commit, then send.

    A message is due when its time has come, or when the lease of whoever took it has run
    out.  Suspended, parked and not yet live peers are left alone, and so are those that collect
    (``gateway.store.collecting``).  The peers share the limit.

    Args:
        lease_seconds: longer than any attempt may take.
        per_peer: messages that may be under way at a time, over all workers, to a peer whose
            last attempt succeeded.
        unproved: the same for any other peer; ``per_peer`` unless given.
        suspects: most of the claims that may go to peers whose last attempt failed.
        due_by: leave alone what became due after this; ``now`` unless given.
    """
    until = _Until(now=now, due_by=now if due_by is None else min(due_by, now))
    windows = {"per_peer": per_peer, "unproved": per_peer if unproved is None else unproved}
    lease_until = now + timedelta(seconds=lease_seconds)
    most = limit if suspects is None else min(limit, suspects)
    rows = _due_of(conn, _SUSPECT_LANES, until, windows, limit=most)
    probes = len(rows)
    rows += _due_of(conn, _SOUND_LANES, until, windows, limit=limit - probes)
    take_all(conn, rows, worker, now, lease_until)
    return tuple(
        claim_of(row, worker, now, lease_until, is_probe=number < probes)
        for number, row in enumerate(rows)
    )


def _due_of(
    conn: Connection,
    open_lanes: Statement,
    until: _Until,
    windows: Mapping[str, int],
    *,
    limit: int,
) -> list[Any]:
    """Return due rows, locked, of lanes that share ``limit``, longest unserved first.

    Lanes that were looked at go behind the others, those with nothing to claim too.
    """
    if limit <= 0:
        return []
    found = open_lanes.all(conn, **until._asdict(), most=limit * 4, **windows)
    share = max(1, -(-limit // max(1, len(found))))
    rows: list[Any] = []
    seen = []
    for peer_id, window in found:
        room = min(limit - len(rows), share, window - _in_flight(conn, peer_id, until.now))
        if room > 0:
            rows += _DUE_ROWS.all(conn, own=peer_id, due_by=until.due_by, room=room)
        seen.append({"own": peer_id, "claimed_at": until.now})
        if len(rows) >= limit:
            break
    _TOUCH_LANE.run_each(conn, seen)
    return rows


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


def _in_flight(conn: Connection, peer_id: int, now: datetime) -> int:
    """Return what is under way to a peer, counted anew now that its lane is locked."""
    count: int = _IN_FLIGHT.scalar(conn, own=peer_id, now=now)
    return count


def take_all(
    conn: Connection, rows: Sequence[Any], worker: str, now: datetime, lease_until: datetime
) -> None:
    """Let ``worker`` take due rows that this transaction has locked."""
    _CLOSE_LOST.run_each(
        conn,
        [
            {"dispatch": row.id, "claim": row.fence, "ended_at": now, "code": LEASE_LOST}
            for row in rows
            if row.state is DeliveryState.SENDING
        ],
    )
    taken = {"due_at": lease_until, "lease_owner": worker, "updated_at": now}
    _TAKE.run_each(
        conn,
        [
            taken
            | {
                "dispatch": row.id,
                "claim": row.fence,
                "fence": row.fence + 1,
                "attempts": row.attempts + 1,
            }
            for row in rows
        ],
    )
    begun = {"worker": worker, "started_at": now}
    _BEGIN_ATTEMPT.run_each(
        conn, [begun | {"dispatch_id": row.id, "number": row.fence + 1} for row in rows]
    )


def take(conn: Connection, row: Any, worker: str, now: datetime, lease_until: datetime) -> Claim:
    """Return the claim on a due row (with its ``content``) that this transaction has locked."""
    take_all(conn, [row], worker, now, lease_until)
    return claim_of(row, worker, now, lease_until)


def claim_of(
    row: Any, worker: str, now: datetime, lease_until: datetime, *, is_probe: bool = False
) -> Claim:
    """Return the claim that follows the one which ``row`` (with its ``content``) shows."""
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
        envelope=bytes(row.content),
        envelope_sha256=row.envelope_sha256,
        is_probe=is_probe,
    )
