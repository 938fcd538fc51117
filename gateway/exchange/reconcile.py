"""Reconciliation: two gateways compare their books of a day until both hold the same.

Each gateway states what it *sent*, so that every message has exactly one side that proposes.
The receiver answers with its own books; both heal by themselves, and the sender states again,
at most ``MOST_ROUNDS`` times, until the answer says AGREED.  Statement and answer are signed
documents; together they are the agreed balance.  What may differ, and who then does what:
docs/reconciliation.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.documents import BooksStatement, DocumentType
from gateway.errors import ConflictError
from gateway.exchange.context import Desk
from gateway.exchange.reconcile_answer import ReceivedStatement, receive_statement
from gateway.exchange.reconcile_books import span_of
from gateway.exchange.reconcile_compare import pages
from gateway.exchange.reconcile_rounds import (
    MOST_ROUNDS,
    ask_person,
    receive_answer,
    state_part,
)
from gateway.store import (
    Balance,
    BalanceState,
    BooksSide,
    NewBalance,
    Peer,
    balances,
    outbox,
    peers,
    tasks,
)

log = structlog.get_logger(__name__)

TASK = "reconcile books"
PERIOD = timedelta(minutes=5)
GRACE = timedelta(hours=1)
LOOK_BACK = 14
PAGE = 1_000
LATER = timedelta(hours=1)
"""GRACE: rest after midnight before a day is stated.  LOOK_BACK: days that are stated late,
after an outage or a restored backup.  PAGE: messages in one part."""


def reconcile_due(desk: Desk, worker: str) -> int:
    """Return how many parts were stated; at most once per period over all workers.

    1. Plan each finished day that was never stated, for each peer that agreed to it.
    2. State what is due: new days, and parts that differed or were never answered.

    Nothing is stated while our own signing certificate is not valid: no peer would believe it,
    and a clock that leapt by years would leave statements of days that are yet to come.
    """
    now = desk.clock()
    if not desk.gateway_credential.holds_at(now):
        log.error("books are not stated", reason="own signing certificate not valid now")
        return 0
    with desk.store.begin() as conn:
        turn = tasks.claim(conn, TASK, worker, now, period=PERIOD)
    if turn is None:
        return 0
    for peer in partners(desk):
        for day in _unstated(desk, peer, now):
            plan_day(desk, peer, day)  # 1
    stated = state_due(desk)  # 2
    with desk.store.begin() as conn:
        tasks.end(conn, turn, at=desk.clock())
    return stated


def reconcile_now(desk: Desk, peer: Peer, day: date) -> tuple[Balance, ...]:
    """Return the balances of ``day`` after stating it to ``peer`` at once, with new rounds.

    Raises:
        ConflictError: the day is not over, or books are not agreed with this peer.
    """
    if day >= desk.clock().astimezone(UTC).date():
        raise ConflictError(f"{day} is not over yet (UTC)")
    if DocumentType.BOOKS_STATEMENT not in peer.document_types:
        raise ConflictError(f"{DocumentType.BOOKS_STATEMENT} is not agreed with {peer.identifier}")
    plan_day(desk, peer, day)
    with desk.store.begin() as conn:
        for balance in balances.page(conn, peer_id=peer.id, side=BooksSide.SENT, day=day):
            restart(conn, balance, at=desk.clock())
    state_due(desk)
    with desk.store.read() as conn:
        return balances.page(conn, peer_id=peer.id, day=day)


def partners(desk: Desk) -> tuple[Peer, ...]:
    """Return the active peers with which statements of books are agreed."""
    now = desk.clock()
    with desk.store.read() as conn:
        return tuple(
            peer
            for peer in peers.every(conn)
            if not peer.is_suspended
            and DocumentType.BOOKS_STATEMENT in peer.document_types
            and (peer.live_from is None or peer.live_from <= now)
        )


def plan_day(desk: Desk, peer: Peer, day: date, *, size: int = PAGE) -> None:
    """Cut what we sent ``peer`` on ``day`` into parts that are due at once, all or none."""
    now = desk.clock()
    with desk.store.begin() as conn:
        if balances.page(conn, peer_id=peer.id, side=BooksSide.SENT, day=day, limit=1):
            return
        parts = pages(balances.cuts(conn, span_of(peer.id, day), size))
        for part, (after, up_to) in enumerate(parts, start=1):
            new = NewBalance(
                peer_id=peer.id,
                side=BooksSide.SENT,
                day=day,
                part=part,
                parts=len(parts),
                after=after,
                up_to=up_to,
                at=now,
            )
            balances.change(conn, balances.open_part(conn, new), at=now, due_at=now)


def restart(conn: Connection, balance: Balance, *, at: datetime) -> None:
    """Let a part of ours be stated again at once, with a new series of rounds."""
    values: dict[str, Any] = {
        "state": BalanceState.DIFFERENT,
        "first_round": balance.round + 1,
        "due_at": at,
    }
    balances.change(conn, balance, at=at, **values)


def state_due(desk: Desk) -> int:
    """Return how many due parts were stated, each in a transaction of its own."""
    with desk.store.read() as conn:
        keys = balances.due(conn, desk.clock())
    return sum(_turn(desk, key) for key in keys)


def receive(desk: Desk, conn: Connection, received: ReceivedStatement) -> None:
    """Do what a statement or answer of a peer asks for, in the transaction that stores it."""
    if received.document.answers is not None:
        receive_answer(desk, conn, received)
        return
    lost_its_books = receive_statement(desk, conn, received)
    if lost_its_books:
        _state_ours_again(desk, conn, received.peer, received.document)


def _state_ours_again(desk: Desk, conn: Connection, peer: Peer, document: BooksStatement) -> None:
    """State our side of the day anew: the peer forgot the day, so it may lack our messages."""
    found = balances.page(conn, peer_id=peer.id, side=BooksSide.SENT, day=document.day)
    for balance in found:
        if balance.state.is_final:
            restart(conn, balance, at=desk.clock())


def _unstated(desk: Desk, peer: Peer, now: datetime) -> Iterable[date]:
    last = (now.astimezone(UTC) - GRACE).date() - timedelta(days=1)
    first = max(last - timedelta(days=LOOK_BACK - 1), peer.created_at.astimezone(UTC).date())
    with desk.store.read() as conn:
        known = balances.days(conn, peer.id, BooksSide.SENT, first)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day not in known]


def _turn(desk: Desk, key: int) -> int:
    """State one due part, or do what else its state asks for; return 1 if it was stated."""
    now = desk.clock()
    with desk.store.begin() as conn:
        balance = balances.lock(conn, key)
        if balance is None or balance.due_at is None or balance.due_at > now:
            return 0
        if balance.side is BooksSide.RECEIVED:
            ask_person(conn, balance, at=now)  # the peer did not state it again in time
            return 0
        peer = peers.get(conn, balance.peer_id)
        if peer.is_suspended or _is_under_way(conn, balance):
            balances.change(conn, balance, at=now, due_at=now + LATER)
            return 0
        if balance.round - balance.first_round + 1 >= MOST_ROUNDS:
            ask_person(conn, balance, at=now)
            return 0
        state_part(desk, conn, peer, balance)
    return 1


def _is_under_way(conn: Connection, balance: Balance) -> bool:
    """Whether the newest statement is still being delivered: its answer cannot be there."""
    if balance.state is not BalanceState.STATED or balance.statement_id is None:
        return False
    dispatch = outbox.dispatch(conn, balance.statement_id)
    return dispatch is not None and not dispatch.state.is_final
