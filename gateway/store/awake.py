"""Keeping lanes awake: a peer that fails is asked again soon, and what waited for it then goes.

Each message has pauses of its own, which grow long.  So that a peer that is back is noticed in
time, one message of its lane is always due soon; when it gets through, those that failed for
the same reason go at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, exists, select, text, update

from gateway.store import outages
from gateway.store.claiming import WAITS
from gateway.store.rows import AttemptOutcome, Claim
from gateway.store.statements import Statement
from gateway.store.states import DeliveryState
from gateway.store.tables import attempts, dispatches, lanes
from gateway.store.tables.exchange import DUE
from gateway.store.types import UtcMoment

_OWN = lanes.c.peer_id == bindparam("own")
_FAILURES = Statement(select(lanes.c.failures).where(_OWN))
_REACHED = Statement(
    update(lanes).where(_OWN).values(failures=0, parked_until=None), ("last_success_at",)
)
_FAILED = Statement(
    update(lanes)
    .where(_OWN)
    .values(
        # Attempts that were under way together and failed together are one failure of the way.
        failures=case(
            (lanes.c.last_failure_at > bindparam("begun", type_=UtcMoment), lanes.c.failures),
            else_=lanes.c.failures + 1,
        )
    ),
    ("parked_until", "last_failure_at"),
)


def due_at(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> datetime | None:
    """Return when the message is due again: at ``probe_at`` if nothing else would be by then."""
    own, probe = outcome.due_at, outcome.probe_at
    if own is None or probe is None or own <= probe:
        return own
    other = exists().where(
        dispatches.c.peer_id == claim.peer_id,
        text("dispatches." + DUE),
        dispatches.c.due_at <= probe,
        dispatches.c.id != claim.dispatch_id,
        ~WAITS,
    )
    return own if conn.execute(select(other)).scalar() else probe


def note_lane(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> None:
    """Write on the peer's lane how the attempt ended; a receipt opens it for what waited.

    A receipt ends the outage of the peer, too.
    """
    if outcome.receipt is None:
        _FAILED.run(
            conn,
            own=claim.peer_id,
            begun=claim.claimed_at,
            parked_until=outcome.park_until,
            last_failure_at=outcome.ended_at,
        )
        return
    if outcome.resumes:
        _resume(conn, claim, outcome)
    outages.end(conn, claim.peer_id, at=outcome.ended_at)
    _REACHED.run(conn, own=claim.peer_id, last_success_at=outcome.ended_at)


def _resume(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> None:
    """Let messages go at once whose failure is over.

    1. If the way was blocked until now: all that failed because of the way.
    2. If this message failed before: all that failed for the same reason, which was the
       peer's then and not theirs.
    """
    codes = {*_last_failure(conn, claim)}  # 2
    if _FAILURES.scalar(conn, own=claim.peer_id):
        codes |= outcome.resumes  # 1
    if not codes:
        return
    conn.execute(
        update(dispatches)
        .where(
            dispatches.c.peer_id == claim.peer_id,
            dispatches.c.state == DeliveryState.RETRYING,
            dispatches.c.due_at > outcome.ended_at,
            dispatches.c.code.in_(sorted(codes)),
        )
        .values(due_at=outcome.ended_at)
    )


def _last_failure(conn: Connection, claim: Claim) -> Iterable[str]:
    """Return the code of the attempt before this one, if there was one."""
    if claim.fence == 1:
        return ()
    own = (attempts.c.dispatch_id == claim.dispatch_id, attempts.c.number == claim.fence - 1)
    code = conn.execute(select(attempts.c.code).where(*own)).scalar()
    return () if code is None else (code,)
