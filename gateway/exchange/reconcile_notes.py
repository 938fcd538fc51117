"""What reconciliation says to the journal and to the national system, in one wording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.documents.base import Record
from gateway.store import Balance, BalanceState, BooksSide, EventKind, Peer, events, journal

_ACTIONS = {
    (BooksSide.SENT, BalanceState.STATED): journal.Action.BOOKS_STATED,
    (BooksSide.RECEIVED, BalanceState.DIFFERENT): journal.Action.BOOKS_ANSWERED,
}
_NAMED = 20


def note_balance(
    conn: Connection,
    peer: Peer,
    before: Balance,
    now: Balance,
    *,
    at: datetime,
    message_ids: Sequence[str] = (),
) -> None:
    """Journal a step of a balance; tell the national system what is agreed or needs a person.

    Args:
        message_ids: messages that nothing but a person can bring into agreement; they are an
            alarm, raised once for each set of differences.
    """
    detail = {
        "peer": peer.identifier,
        "side": now.side,
        "day": now.day.isoformat(),
        "part": now.part,
        "round": now.round,
        "state": now.state,
        "differences": dict(now.differences),
        "statement": now.statement_id,
        "answer": now.answer_id,
    }
    action = _ACTIONS.get((now.side, now.state), journal.Action.BOOKS_DIFFER)
    if now.state is BalanceState.AGREED:
        action = journal.Action.BOOKS_AGREED
    journal.append(conn, at=at, action=action, subject=peer.identifier, detail=detail)
    if before.state is not now.state and now.state in _EVENTS:
        kind = _EVENTS[now.state]
        events.append(conn, at=at, kind=kind, subject=peer.identifier, data=detail)
    if message_ids and dict(before.differences) != dict(now.differences):
        data = {**detail, "messages": list(message_ids[:_NAMED]), "count": len(message_ids)}
        kind = EventKind.BOOKS_DIFFER
        events.append(conn, at=at, kind=kind, subject=peer.identifier, data=data)


_EVENTS = {
    BalanceState.AGREED: EventKind.BOOKS_AGREED,
    BalanceState.ASKS_PERSON: EventKind.BOOKS_ASK_PERSON,
}


def plain_records(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return records as JSON values, to be kept in a balance."""
    return [record.model_dump(mode="json", exclude_none=True) for record in records]
