"""The peer's signed verdict where no claim holds: late, in a bundle, or against an earlier one.

A receipt under a claim is recorded by ``outbox.record_attempt``.  Here stands what a verified
receipt means otherwise: it decides whatever was undecided, a time-out and a failure included;
after a decision it is known, or it contradicts, and then it is kept beside the first.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.errors import NotFoundError
from gateway.store import bodies, concerned, events, journal
from gateway.store.delivery import UNDECIDED, DeliveryEvent, advance
from gateway.store.rows import AttemptOutcome, Dispatch
from gateway.store.states import DeliveryState, EventKind
from gateway.store.tables import attempts, dispatches

_COLUMNS = tuple(dispatches.c[name] for name in Dispatch.__dataclass_fields__)
_EVENTS = {
    DeliveryState.DELIVERED: DeliveryEvent.PROVE,
    DeliveryState.REFUSED: DeliveryEvent.DISPROVE,
}


class Standing(StrEnum):
    """Says what a verified receipt counts for."""

    DECIDES = "DECIDES"
    KNOWN = "KNOWN"
    CONTRADICTS = "CONTRADICTS"


def record(
    conn: Connection, message_id: str, outcome: AttemptOutcome, *, actor: str
) -> tuple[Dispatch, Standing]:
    """Record a verified receipt for a message and say what it counts for.

    The caller has checked the receipt.  Where it decides, carry the outcome into the register
    in the same transaction (``register.record_delivery``).

    Raises:
        NotFoundError: no such message was sent from here.
        ValueError: the outcome is no verdict (a mistake of our own).
    """
    event = _EVENTS.get(outcome.state)
    if event is None or outcome.receipt is None or outcome.verdict is None:
        raise ValueError(f"{outcome.state} is no verdict of a peer")
    locked = select(*_COLUMNS).where(dispatches.c.message_id == message_id).with_for_update()
    row = conn.execute(locked).one_or_none()
    if row is None:
        raise NotFoundError(f"no message {message_id} was sent from here")
    if row.state in UNDECIDED:
        return _decide(conn, row, event, outcome, actor), Standing.DECIDES
    stored = Dispatch(**row._mapping)
    if stored.state is outcome.state:
        return stored, Standing.KNOWN
    _keep_beside(conn, stored, outcome, actor)
    return stored, Standing.CONTRADICTS


def _decide(
    conn: Connection, row: Row[Any], event: DeliveryEvent, outcome: AttemptOutcome, actor: str
) -> Dispatch:
    receipt = b"" if outcome.receipt is None else outcome.receipt
    values = {
        "state": advance(row.state, event),
        "due_at": None,
        "lease_owner": None,
        "verdict": outcome.verdict,
        "code": outcome.code,
        "detail": outcome.detail,
        "updated_at": outcome.ended_at,
        "receipt_sha256": bodies.put(conn, receipt),
    }
    own = dispatches.c.id == row.id
    changed = conn.execute(update(dispatches).where(own).values(**values).returning(*_COLUMNS))
    stored = Dispatch(**changed.one()._mapping)
    _end_attempt(conn, stored.id, outcome.ended_at, outcome.code or stored.state.value)
    _journal(conn, stored, outcome, actor, came_from=row.state)
    return stored


def _end_attempt(conn: Connection, dispatch_id: int, at: datetime, code: str) -> None:
    """End the attempt that still waits for an answer; whoever made it has lost its claim."""
    running = (attempts.c.dispatch_id == dispatch_id, attempts.c.ended_at.is_(None))
    conn.execute(update(attempts).where(*running).values(ended_at=at, code=code))


def _journal(
    conn: Connection,
    stored: Dispatch,
    outcome: AttemptOutcome,
    actor: str,
    *,
    came_from: DeliveryState,
) -> None:
    journal.append(
        conn,
        at=outcome.ended_at,
        actor=actor,
        action=journal.Action.DISPATCH_PROVED,
        subject=stored.message_id,
        detail={
            "from": came_from,
            "state": stored.state,
            "attempt": stored.attempts,
            "code": stored.code,
            "document": stored.document_number,
            "receipt_sha256": stored.receipt_sha256,
        },
    )


def _keep_beside(conn: Connection, stored: Dispatch, outcome: AttemptOutcome, actor: str) -> None:
    """Keep a receipt that contradicts the one that decided, and raise the alarm once."""
    sha256 = bodies.put(conn, outcome.receipt or b"")
    action = journal.Action.DISPATCH_CONTRADICTED
    earlier = journal.page(conn, subject=stored.message_id, action=action)
    if any(entry.detail.get("receipt_sha256") == sha256 for entry in earlier):
        return
    detail = {
        "decided": stored.verdict,
        "contradicting": outcome.verdict,
        "decided_by": stored.receipt_sha256,
        "receipt_sha256": sha256,
    }
    journal.append(
        conn,
        at=outcome.ended_at,
        actor=actor,
        action=action,
        subject=stored.message_id,
        detail=detail,
    )
    about = concerned.certificate_of(conn, stored)
    events.append(
        conn,
        at=outcome.ended_at,
        kind=EventKind.CONTRADICTION,
        subject=stored.message_id,
        data=detail | concerned.message_facts(stored, about),
        audience=concerned.audience_of(about),
    )
