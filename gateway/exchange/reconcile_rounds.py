"""The proposing side: one round is our statement about a part and the peer's answer to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from gateway.documents import BooksOutcome, BooksStatement, BooksStatus
from gateway.documents.books_statement import StatedMessage, StatedTotal
from gateway.exchange.context import Desk
from gateway.exchange.outbound import queue
from gateway.exchange.reconcile_answer import ReceivedStatement
from gateway.exchange.reconcile_books import (
    Part,
    frame,
    sent,
    span_of_balance,
    subject,
    totals_sent,
)
from gateway.exchange.reconcile_compare import counts_of, differences, judged, same_total
from gateway.exchange.reconcile_heal import differences_of, heal_sent
from gateway.exchange.reconcile_notes import note_balance, plain_records
from gateway.register.recovery import correct_totals
from gateway.store import Balance, BalanceState, Peer, Side, balances, bodies, outbox, peers

MOST_ROUNDS = 8
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=1)
ANSWER_WITHIN = timedelta(days=1)


def state_part(desk: Desk, conn: Connection, peer: Peer, balance: Balance) -> Balance:
    """State a part of ours, whatever our books hold of it now, and return its balance."""
    now = desk.clock()
    messages = sent(conn, span_of_balance(balance))
    totals = totals_sent(conn, messages)
    document = _statement(desk, peer, balance, tuple(messages.values()), totals)
    message_id = queue(desk, conn, document, peer, findings=()).message_id
    stored = None if message_id is None else outbox.dispatch(conn, message_id)
    stated = balances.change(
        conn,
        balance,
        at=now,
        state=BalanceState.STATED,
        round=document.round,
        due_at=now + ANSWER_WITHIN,
        counts=plain_records(document.counts),
        totals=plain_records(totals),
        statement_id=message_id,
        statement_sha256=None if stored is None else stored.envelope_sha256,
        answer_id=None,
        answer_sha256=None,
    )
    note_balance(conn, peer, balance, stated, at=now)
    return stated


def receive_answer(desk: Desk, conn: Connection, received: ReceivedStatement) -> None:
    """Judge the peer's answer to our newest statement; heal, then agree or state again later.

    1. An answer to an older statement says nothing any more.
    2. Hold our books as they are now against it, and heal what can be healed.
    3. AGREED needs both: the peer says so, and our own comparison finds nothing.
    """
    document, peer, now = received.document, received.peer, desk.clock()
    balance = balances.by_statement(conn, peer.id, document.answers or "")
    if balance is None or balance.state is not BalanceState.STATED:  # 1
        return
    messages = sent(conn, span_of_balance(balance))
    outcomes = judged(messages, document.messages)  # 2
    persons = heal_sent(desk, conn, peer, differences_of(outcomes, document.messages))
    totals = _judged_totals(conn, totals_sent(conn, messages), document.totals, at=now)
    found = differences([*outcomes.values(), *totals])
    agreed = not found and document.status is BooksStatus.AGREED  # 3
    changed = balances.change(
        conn,
        balance,
        at=now,
        state=BalanceState.AGREED if agreed else BalanceState.DIFFERENT,
        due_at=None if agreed else now + pause(balance.round - balance.first_round + 1),
        differences=found,
        answer_id=received.message_id,
        answer_sha256=bodies.put(conn, received.envelope),
    )
    note_balance(conn, peer, balance, changed, at=now, message_ids=persons)


def ask_person(conn: Connection, balance: Balance, *, at: datetime) -> None:
    """Stop: the rounds are used up, so a person must look; ``eco reconcile`` starts anew."""
    changed = balances.change(conn, balance, at=at, state=BalanceState.ASKS_PERSON, due_at=None)
    note_balance(conn, peers.get(conn, balance.peer_id), balance, changed, at=at)


def pause(rounds: int) -> timedelta:
    """Return how long to wait after the ``rounds``-th round that ended with differences."""
    return min(FIRST_PAUSE * (1 << 2 * min(rounds - 1, 10)), LONGEST_PAUSE)


def _judged_totals(
    conn: Connection,
    own: tuple[StatedTotal, ...],
    answered: tuple[StatedTotal, ...],
    *,
    at: datetime,
) -> list[BooksOutcome]:
    """Return how each total of ours stands; running totals that differ are counted anew."""
    said = {_key(total): total for total in answered}
    outcomes = []
    for total in own:
        other = said.get(_key(total))
        if other is None or other.outcome is BooksOutcome.UNKNOWN_HERE:
            outcomes.append(BooksOutcome.UNKNOWN_HERE)
        elif same_total(total, other):
            outcomes.append(BooksOutcome.MATCHED)
        else:
            outcomes.append(BooksOutcome.OTHER_TOTAL)
            certificate = subject(conn, total, Side.RECEIVED)
            if certificate is not None:
                correct_totals(conn, certificate.id, at=at)
    return outcomes


def _key(total: StatedTotal) -> tuple[str, str, int]:
    return total.issuing_country, total.serial_number, total.sequence_number


def _statement(
    desk: Desk,
    peer: Peer,
    balance: Balance,
    messages: tuple[StatedMessage, ...],
    totals: tuple[StatedTotal, ...],
) -> BooksStatement:
    part = Part(
        day=balance.day,
        part=balance.part,
        parts=balance.parts,
        after=balance.after,
        up_to=balance.up_to,
        round=balance.round + 1,
    )
    return BooksStatement(
        **frame(desk, peer, part),
        status=BooksStatus.STATED,
        counts=counts_of(messages),
        messages=messages,
        totals=totals,
    )
