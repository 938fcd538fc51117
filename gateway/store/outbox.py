"""The outbox: messages on their way, changed only along ``gateway.store.delivery``.

Claiming stands in ``gateway.store.claiming``, the end of an attempt in
``gateway.store.recording``; both are offered here too.  Every function that
changes a row writes the journal in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, text, update

from gateway.documents.codes import Verdict
from gateway.errors import ConflictError, NotFoundError
from gateway.store import bodies, concerned, events, journal
from gateway.store.claiming import claim_due, renew
from gateway.store.delivery import DeliveryEvent, advance
from gateway.store.dialects import by_no_index
from gateway.store.keys import canonical_key
from gateway.store.recording import COLUMNS, journal_step, record_attempt
from gateway.store.rows import Attempt, Claim, Dispatch, NewDispatch
from gateway.store.statements import Statement, inserting
from gateway.store.states import DeliveryState, EventKind
from gateway.store.tables import attempts, dispatches
from gateway.store.tables.exchange import OPEN, STOPPED

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
    "tried_since",
]

_GIVEN = tuple(
    name
    for name in NewDispatch.__dataclass_fields__
    if name not in ("envelope", "payload", "due_at", "head_start")
)
_DERIVED = (
    "document_key",
    "state",
    "due_at",
    "rank_at",
    "fence",
    "attempts",
    "updated_at",
    "envelope_sha256",
    "payload_sha256",
)
_ENQUEUE = inserting(dispatches, (*_GIVEN, *_DERIVED), dispatches.c.id, if_absent=True)
_BY_ID = Statement(select(*COLUMNS).where(dispatches.c.message_id == bindparam("message_id")))
_UNTRIED: Mapping[str, Any] = dict.fromkeys(
    ("lease_owner", "verdict", "code", "detail", "receipt_sha256")
)

_STOPPED = (DeliveryState.HELD, DeliveryState.REFUSED, DeliveryState.FAILED)


def enqueue(conn: Connection, new: NewDispatch) -> Dispatch:
    """Put a message into the outbox and return it; the very same message again is no error.

    Raises:
        ConflictError: the message id was used for other bytes.
    """
    envelope_sha256, payload_sha256 = bodies.put_all(conn, new.envelope, new.payload)
    values = {name: getattr(new, name) for name in _GIVEN} | {
        "document_key": canonical_key(new.document_number),
        "state": DeliveryState.QUEUED,
        "due_at": new.due_at or new.created_at,
        "rank_at": new.created_at - new.head_start,
        "fence": 0,
        "attempts": 0,
        "updated_at": new.created_at,
        "envelope_sha256": envelope_sha256,
        "payload_sha256": payload_sha256,
    }
    key = _ENQUEUE.scalar(conn, **values)
    if key is None:
        return _enqueued_before(conn, new)
    del values["document_key"]
    stored = Dispatch(id=key, **_UNTRIED, **values)
    journal_step(conn, stored, journal.Action.DISPATCH_QUEUED, new.created_at, sha256=True)
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
    changed = conn.execute(
        update(dispatches)
        .where(_is(message_id))
        .values(state=state, verdict=verdict, due_at=None, updated_at=at)
        .returning(*COLUMNS)
    ).one()
    action, detail = journal.Action.BOOKS_CORRECTED, {"verdict": verdict}
    journal.append(conn, at=at, action=action, subject=message_id, detail=detail)
    kind = EventKind.MESSAGE_REFUSED if refused else EventKind.MESSAGE_DELIVERED
    _tell(conn, Dispatch(**changed._mapping), kind, at, verdict=verdict)


def dispatch(conn: Connection, message_id: str) -> Dispatch | None:
    """Return the message with this id."""
    row = _BY_ID.first(conn, message_id=message_id)
    return None if row is None else Dispatch(**row._asdict())


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


def tried_since(conn: Connection, claim: Claim) -> datetime:
    """Return when the first attempt began since the message was queued, or queued again."""
    first = claim.fence - claim.attempt + 1
    if first == claim.fence:
        return claim.claimed_at
    query = select(attempts.c.started_at).where(
        attempts.c.dispatch_id == claim.dispatch_id, attempts.c.number == first
    )
    began: datetime = conn.execute(query).scalar_one()
    return began


def page(
    conn: Connection,
    *,
    peer_id: int | None = None,
    state: DeliveryState | None = None,
    document_number: str | None = None,
    before: int | None = None,
    limit: int = 50,
    waiting: bool = False,
) -> tuple[Dispatch, ...]:
    """Return the newest messages first; pass the last ``id`` as ``before`` for the next page.

    Args:
        waiting: only those that are not at their end.
    """
    query = select(*COLUMNS).order_by(dispatches.c.id.desc()).limit(limit)
    if peer_id is not None:
        query = query.where(dispatches.c.peer_id == peer_id)
    if state is not None:
        query = query.where(dispatches.c.state == state)
    if waiting:
        query = query.where(text(OPEN))
    if state in _STOPPED:
        query = query.where(text(STOPPED))  # says so in the words of the index
    if document_number is not None:
        query = query.where(dispatches.c.document_key == canonical_key(document_number))
    if before is not None:
        query = query.where(dispatches.c.id < before)
    return tuple(Dispatch(**row._mapping) for row in conn.execute(query))


def in_conversation(conn: Connection, conversation_id: str) -> tuple[Dispatch, ...]:
    """Return the messages of one conversation in the order in which they are sent."""
    own = dispatches.c.conversation_id == conversation_id
    query = select(*COLUMNS).where(own).order_by(dispatches.c.id)
    return tuple(Dispatch(**row._mapping) for row in conn.execute(query))


def backlog(conn: Connection) -> Mapping[tuple[int, DeliveryState], int]:
    """Return how many messages are not final, by peer and state; counts open rows only."""
    peer_id = by_no_index(conn.dialect.name, dispatches.c.peer_id)
    query = (
        select(peer_id, dispatches.c.state, func.count())
        .where(text(OPEN))
        .group_by(peer_id, dispatches.c.state)
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


_QUEUED_AGAIN = (DeliveryEvent.RELEASE, DeliveryEvent.RESEND, DeliveryEvent.RECONCILE)
"""Steps after which attempts, pauses and the time until giving up count anew."""


@dataclass(frozen=True)
class _Step:
    event: DeliveryEvent
    action: journal.Action
    due_at: datetime | None


def _operate(
    conn: Connection, message_id: str, step: _Step, *, at: datetime, actor: str, reason: str
) -> Dispatch:
    locked = select(*COLUMNS).where(_is(message_id)).with_for_update()
    row: Row[Any] | None = conn.execute(locked).one_or_none()
    if row is None:
        raise NotFoundError(f"no message {message_id} was sent from here")
    values: dict[str, Any] = {
        "state": advance(row.state, step.event),
        "due_at": step.due_at,
        "updated_at": at,
    }
    if step.event in _QUEUED_AGAIN:
        values["attempts"] = 0
    if step.event is DeliveryEvent.RECONCILE:
        values |= {"verdict": None, "code": None, "detail": None, "receipt_sha256": None}
    changed = conn.execute(
        update(dispatches).where(_is(message_id)).values(**values).returning(*COLUMNS)
    ).one()
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=step.action,
        subject=message_id,
        detail={"reason": reason},
    )
    stored = Dispatch(**changed._mapping)
    again = step.event in _QUEUED_AGAIN
    kind = EventKind.MESSAGE_QUEUED_AGAIN if again else EventKind.MESSAGE_HELD
    _tell(conn, stored, kind, at)
    return stored


def _tell(conn: Connection, stored: Dispatch, kind: EventKind, at: datetime, **more: Any) -> None:
    """Tell those whom a message concerns what became of it otherwise than by an attempt."""
    about = concerned.certificate_of(conn, stored)
    events.append(
        conn,
        at=at,
        kind=kind,
        subject=stored.message_id,
        data=concerned.message_facts(stored, about) | more,
        audience=concerned.audience_of(about),
    )


def _is(message_id: str) -> ColumnElement[bool]:
    return dispatches.c.message_id == message_id
