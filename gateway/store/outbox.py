"""The outbox: messages on their way, changed only along ``gateway.store.delivery``.

Claiming stands in ``gateway.store.claiming`` and is offered here too.  Every function that
changes a row writes the journal in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, text, update

from gateway.documents.codes import Verdict
from gateway.errors import ConflictError, NotFoundError
from gateway.store import awake, bodies, journal
from gateway.store.claiming import claim_due, renew
from gateway.store.delivery import OUTCOMES, DeliveryEvent, advance, sources
from gateway.store.dialects import insert_if_absent
from gateway.store.keys import canonical_key
from gateway.store.rows import Attempt, AttemptOutcome, Claim, Dispatch, NewDispatch
from gateway.store.states import DeliveryState
from gateway.store.tables import attempts, dispatches
from gateway.store.tables.exchange import OPEN

__all__ = [
    "attempts_of",
    "backlog",
    "claim_due",
    "dispatch",
    "enqueue",
    "hold",
    "in_conversation",
    "oldest_open",
    "page",
    "receipt",
    "record_attempt",
    "release",
    "renew",
    "resend",
    "send_again",
    "set_verdict",
]

_COLUMNS = tuple(dispatches.c[name] for name in Dispatch.__dataclass_fields__)


def enqueue(conn: Connection, new: NewDispatch) -> Dispatch:
    """Put a message into the outbox and return it; the very same message again is no error.

    Raises:
        ConflictError: the message id was used for other bytes.
    """
    values = {
        name: getattr(new, name)
        for name in NewDispatch.__dataclass_fields__
        if name not in ("envelope", "payload", "due_at", "head_start")
    }
    values |= {
        "document_key": canonical_key(new.document_number),
        "state": DeliveryState.QUEUED,
        "due_at": new.due_at or new.created_at,
        "rank_at": new.created_at - new.head_start,
        "fence": 0,
        "attempts": 0,
        "updated_at": new.created_at,
        "envelope_sha256": bodies.put(conn, new.envelope),
        "payload_sha256": bodies.put(conn, new.payload),
    }
    row = conn.execute(insert_if_absent(conn, dispatches, *_COLUMNS), values).one_or_none()
    if row is None:
        return _enqueued_before(conn, new)
    stored = Dispatch(**row._mapping)
    _journal(conn, stored, journal.Action.DISPATCH_QUEUED, new.created_at, sha256=True)
    return stored


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
    row = conn.execute(
        update(dispatches)
        .where(
            dispatches.c.id == claim.dispatch_id,
            dispatches.c.fence == claim.fence,
            dispatches.c.state.in_(sources(event)),
        )
        .values(
            state=outcome.state,
            due_at=awake.due_at(conn, claim, outcome),
            lease_owner=None,
            verdict=outcome.verdict,
            code=outcome.code,
            detail=outcome.detail,
            updated_at=outcome.ended_at,
            receipt_sha256=None if outcome.receipt is None else bodies.put(conn, outcome.receipt),
        )
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError(f"the claim {claim.fence} on {claim.message_id} is lost")
    _close_attempt(conn, claim, outcome)
    awake.note_lane(conn, claim, outcome)
    stored = Dispatch(**row._mapping)
    _journal(conn, stored, journal.Action.DISPATCH_ATTEMPTED, outcome.ended_at, claim.worker)
    return stored


def hold(conn: Connection, message_id: str, *, at: datetime, actor: str, reason: str) -> Dispatch:
    """Keep a message back until released; later ones of its conversation wait too.

    Raises:
        NotFoundError, ConflictError: there is none, or it is under way or final.
    """
    step = _Step(DeliveryEvent.HOLD, journal.Action.DISPATCH_HELD, due_at=None)
    return _operate(conn, message_id, step, at=at, actor=actor, reason=reason)


def release(
    conn: Connection,
    message_id: str,
    *,
    at: datetime,
    actor: str,
    reason: str,
    due_at: datetime | None = None,
) -> Dispatch:
    """Let a held message go, due at ``due_at`` or else at once.

    Raises:
        NotFoundError, ConflictError: there is none, or it is not held.
    """
    step = _Step(DeliveryEvent.RELEASE, journal.Action.DISPATCH_RELEASED, due_at=due_at or at)
    return _operate(conn, message_id, step, at=at, actor=actor, reason=reason)


def resend(
    conn: Connection,
    message_id: str,
    *,
    at: datetime,
    actor: str,
    reason: str,
    due_at: datetime | None = None,
) -> Dispatch:
    """Queue a failed, refused or waiting message again: same id, same bytes.

    It is due at ``due_at`` or else at once.

    Raises:
        NotFoundError, ConflictError: there is none, or it is delivered, held or under way, or
            retention has erased its bytes.
    """
    step = _Step(DeliveryEvent.RESEND, journal.Action.DISPATCH_RESENT, due_at=due_at or at)
    queued = _operate(conn, message_id, step, at=at, actor=actor, reason=reason)
    bodies.get(conn, queued.envelope_sha256)  # refuses what was erased; the step is undone
    return queued


def send_again(conn: Connection, message_id: str, *, at: datetime, reason: str) -> Dispatch:
    """Queue a finished message again because the books of both sides differ about it.

    Same id, same bytes; verdict and receipt of the row are open again, the journal keeps the
    digest of the receipt that it had.

    Raises:
        NotFoundError, ConflictError: there is none, or it is under way or held.
    """
    before = dispatch(conn, message_id)
    had = None if before is None else before.receipt_sha256
    step = _Step(DeliveryEvent.RECONCILE, journal.Action.DISPATCH_RECONCILED, due_at=at)
    return _operate(
        conn, message_id, step, at=at, actor=journal.GATEWAY, reason=f"{reason}; receipt {had}"
    )


def set_verdict(conn: Connection, message_id: str, verdict: Verdict, *, at: datetime) -> None:
    """Write the verdict that the stored receipt of a message states."""
    refused = verdict is Verdict.REFUSED
    state = DeliveryState.REFUSED if refused else DeliveryState.DELIVERED
    conn.execute(
        update(dispatches)
        .where(_is(message_id))
        .values(state=state, verdict=verdict, due_at=None, updated_at=at)
    )
    action, detail = journal.Action.BOOKS_CORRECTED, {"verdict": verdict}
    journal.append(conn, at=at, action=action, subject=message_id, detail=detail)


def dispatch(conn: Connection, message_id: str) -> Dispatch | None:
    """Return the message with this id."""
    query = select(*_COLUMNS).where(dispatches.c.message_id == message_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else Dispatch(**row._mapping)


def receipt(conn: Connection, message_id: str) -> bytes | None:
    """Return the peer's receipt for a message, byte for byte, once there is one."""
    found = dispatch(conn, message_id)
    if found is None or found.receipt_sha256 is None:
        return None
    return bodies.get(conn, found.receipt_sha256)


def attempts_of(conn: Connection, message_id: str) -> tuple[Attempt, ...]:
    """Return every attempt at a message, oldest first."""
    query = (
        select(*(attempts.c[name] for name in Attempt.__dataclass_fields__))
        .join(dispatches, dispatches.c.id == attempts.c.dispatch_id)
        .where(dispatches.c.message_id == message_id)
        .order_by(attempts.c.number)
    )
    return tuple(Attempt(**row._mapping) for row in conn.execute(query))


def page(
    conn: Connection,
    *,
    peer_id: int | None = None,
    state: DeliveryState | None = None,
    document_number: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Dispatch, ...]:
    """Return the newest messages first; pass the last ``id`` as ``before`` for the next page."""
    query = select(*_COLUMNS).order_by(dispatches.c.id.desc()).limit(limit)
    if peer_id is not None:
        query = query.where(dispatches.c.peer_id == peer_id)
    if state is not None:
        query = query.where(dispatches.c.state == state)
    if document_number is not None:
        query = query.where(dispatches.c.document_key == canonical_key(document_number))
    if before is not None:
        query = query.where(dispatches.c.id < before)
    return tuple(Dispatch(**row._mapping) for row in conn.execute(query))


def in_conversation(conn: Connection, conversation_id: str) -> tuple[Dispatch, ...]:
    """Return the messages of one conversation in the order in which they are sent."""
    own = dispatches.c.conversation_id == conversation_id
    query = select(*_COLUMNS).where(own).order_by(dispatches.c.id)
    return tuple(Dispatch(**row._mapping) for row in conn.execute(query))


def backlog(conn: Connection) -> Mapping[tuple[int, DeliveryState], int]:
    """Return how many messages are not final, by peer and state; counts open rows only."""
    query = (
        select(dispatches.c.peer_id, dispatches.c.state, func.count())
        .where(text(OPEN))
        .group_by(dispatches.c.peer_id, dispatches.c.state)
    )
    return {(peer_id, state): count for peer_id, state, count in conn.execute(query)}


def oldest_open(conn: Connection, peer_id: int) -> datetime | None:
    """Return when the oldest message that is not final at a peer was created."""
    own = dispatches.c.peer_id == peer_id
    query = select(func.min(dispatches.c.created_at)).where(own, text(OPEN))
    oldest: datetime | None = conn.execute(query).scalar()
    return oldest


def _enqueued_before(conn: Connection, new: NewDispatch) -> Dispatch:
    present = dispatch(conn, new.message_id)
    if present is None or present.envelope_sha256 != bodies.put(conn, new.envelope):
        raise ConflictError(f"the message id {new.message_id} was used for other bytes")
    return present


def _close_attempt(conn: Connection, claim: Claim, outcome: AttemptOutcome) -> None:
    conn.execute(
        update(attempts)
        .where(attempts.c.dispatch_id == claim.dispatch_id, attempts.c.number == claim.fence)
        .values(
            ended_at=outcome.ended_at,
            code=outcome.code or outcome.state.value,
            detail=outcome.detail,
            http_status=outcome.http_status,
        )
    )


@dataclass(frozen=True)
class _Step:
    event: DeliveryEvent
    action: journal.Action
    due_at: datetime | None


def _operate(
    conn: Connection, message_id: str, step: _Step, *, at: datetime, actor: str, reason: str
) -> Dispatch:
    locked = select(*_COLUMNS).where(_is(message_id)).with_for_update()
    row: Row[Any] | None = conn.execute(locked).one_or_none()
    if row is None:
        raise NotFoundError(f"no message {message_id} was sent from here")
    values: dict[str, Any] = {
        "state": advance(row.state, step.event),
        "due_at": step.due_at,
        "updated_at": at,
    }
    if step.event in (DeliveryEvent.RESEND, DeliveryEvent.RECONCILE):
        values["attempts"] = 0
    if step.event is DeliveryEvent.RECONCILE:
        values |= {"verdict": None, "code": None, "detail": None, "receipt_sha256": None}
    changed = conn.execute(
        update(dispatches).where(_is(message_id)).values(**values).returning(*_COLUMNS)
    ).one()
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=step.action,
        subject=message_id,
        detail={"reason": reason},
    )
    return Dispatch(**changed._mapping)


def _is(message_id: str) -> ColumnElement[bool]:
    return dispatches.c.message_id == message_id


def _journal(
    conn: Connection,
    stored: Dispatch,
    action: journal.Action,
    at: datetime,
    worker: str | None = None,
    *,
    sha256: bool = False,
) -> None:
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
