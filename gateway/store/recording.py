"""The end of an attempt: what it came to, in outbox, attempts and lane, at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, update

from gateway.errors import ConflictError
from gateway.store import awake, bodies, journal
from gateway.store.delivery import OUTCOMES, DeliveryEvent, sources
from gateway.store.rows import AttemptOutcome, Claim, Dispatch
from gateway.store.statements import Statement
from gateway.store.states import DeliveryState
from gateway.store.tables import attempts, dispatches

COLUMNS = tuple(dispatches.c[name] for name in Dispatch.__dataclass_fields__)
_OUTCOME = (
    "state",
    "due_at",
    "lease_owner",
    "verdict",
    "code",
    "detail",
    "updated_at",
    "receipt_sha256",
)


def _recording(event: DeliveryEvent) -> Statement:
    """Return the statement that ends a claimed attempt by ``event``."""
    ends = update(dispatches).where(
        dispatches.c.id == bindparam("dispatch"),
        dispatches.c.fence == bindparam("claim"),
        or_(*(dispatches.c.state == source for source in sources(event))),
    )
    return Statement(ends.returning(*COLUMNS), _OUTCOME)


_RECORD = {event: _recording(event) for event in OUTCOMES.values()}
_CLOSE_ATTEMPT = Statement(
    update(attempts).where(
        attempts.c.dispatch_id == bindparam("dispatch"), attempts.c.number == bindparam("claim")
    ),
    ("ended_at", "code", "detail", "http_status"),
)


def record_attempt(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> Dispatch:
    """Record how the claimed attempt ended and return the dispatch as it is now.

    Raises:
        ConflictError: the claim is stale, another worker has taken the dispatch over or an
            operator ended it; nothing was changed.
        ValueError: the outcome is no outcome (a mistake of our own).
    """
    event = OUTCOMES.get(outcome.state)
    if event is None or (outcome.due_at is None) is (outcome.state is DeliveryState.RETRYING):
        raise ValueError(f"no attempt ends as {outcome.state} due at {outcome.due_at}")
    row = _RECORD[event].first(
        conn,
        dispatch=claim.dispatch_id,
        claim=claim.fence,
        state=outcome.state,
        due_at=awake.due_at(conn, claim, outcome),
        lease_owner=None,
        verdict=outcome.verdict,
        code=outcome.code,
        detail=outcome.detail,
        updated_at=outcome.ended_at,
        receipt_sha256=None if outcome.receipt is None else bodies.put(conn, outcome.receipt),
    )
    if row is None:
        raise ConflictError(f"the claim {claim.fence} on {claim.message_id} is lost")
    _close_attempt(conn, claim, outcome)
    awake.note_lane(conn, claim, outcome)
    stored = Dispatch(**row._asdict())
    journal_step(conn, stored, journal.Action.DISPATCH_ATTEMPTED, outcome.ended_at, claim.worker)
    return stored


def journal_step(
    conn: Connection,
    stored: Dispatch,
    action: journal.Action,
    at: datetime,
    worker: str | None = None,
    *,
    sha256: bool = False,
) -> None:
    """Journal what became of a message, with the digest of its receipt where there is one."""
    detail: dict[str, Any] = {
        "state": stored.state,
        "attempt": stored.attempts,
        "code": stored.code,
        "document": stored.document_number,
    }
    if sha256:
        detail["envelope_sha256"] = stored.envelope_sha256
    if stored.receipt_sha256 is not None:
        detail["receipt_sha256"] = stored.receipt_sha256
    actor = journal.GATEWAY if worker is None else f"worker:{worker}"
    journal.append(
        conn, at=at, actor=actor, action=action, subject=stored.message_id, detail=detail
    )


def _close_attempt(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> None:
    _CLOSE_ATTEMPT.run(
        conn,
        dispatch=claim.dispatch_id,
        claim=claim.fence,
        ended_at=outcome.ended_at,
        code=outcome.code or outcome.state.value,
        detail=outcome.detail,
        http_status=outcome.http_status,
    )
