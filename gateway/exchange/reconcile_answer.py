"""The answering side: a peer's statement is held against what we received from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from gateway.documents import (
    BooksOutcome,
    BooksStatement,
    BooksStatus,
    CustomsResponse,
    Finding,
)
from gateway.documents.books_statement import StatedMessage, StatedTotal
from gateway.documents.shape import shape_finding
from gateway.envelope import Header
from gateway.errors import CertificateAwaitedError
from gateway.exchange.context import Desk
from gateway.exchange.outbound import queue
from gateway.exchange.reconcile_books import (
    Entries,
    Part,
    frame,
    held,
    span_of,
    totals_answered,
)
from gateway.exchange.reconcile_compare import answered, counts_of, differences
from gateway.exchange.reconcile_heal import correct_arrived
from gateway.exchange.reconcile_notes import note_balance, plain_records
from gateway.store import (
    Balance,
    BalanceState,
    BooksSide,
    NewBalance,
    Peer,
    Side,
    balances,
    bodies,
    certificates,
    inbox,
    journal,
    outbox,
)

STATED_AGAIN_WITHIN = timedelta(days=3)
RESTORED_WITHIN = timedelta(days=3)
"""A finished day is stated an hour after its end; the rest is for a peer that was away."""
MOST_COPY_BYTES = 1_000_000
MOST_COPIES_BYTES = 2_000_000
"""What one copy, and all copies of one answer, may weigh; further ones go in later rounds."""

_FOR_PERSONS = (BooksOutcome.OTHER_DIGEST, BooksOutcome.OTHER_VERDICT)


@dataclass(frozen=True, kw_only=True)
class ReceivedStatement:
    """Is a verified statement or answer with the envelope that carried it."""

    document: BooksStatement
    message_id: str
    envelope: bytes
    peer: Peer


def findings_of(
    document: BooksStatement,
    *,
    sender: str,
    receiver: str,
    refers_to: str | None,
    now: datetime,
) -> tuple[Finding, ...]:
    """Return what makes a statement unusable, held against its envelope's header."""
    return tuple(
        shape_finding(path, reason)
        for path, reason in _complaints(document, (sender, receiver), refers_to, now)
    )


def require_certificate(
    conn: Connection, peer: Peer, header: Header, document: CustomsResponse, *, now: datetime
) -> None:
    """Return unless the certificate that ``document`` answers is itself on its way back.

    After a restored backup the peer sends its responses again, and new ones, perhaps before our
    own certificates have come back; a refusal would be final, so the response waits instead.

    Raises:
        CertificateAwaitedError: we asked for this message, or our books were restored lately,
            and lack the certificate still.
    """
    named = document.certificate
    if certificates.find(conn, Side.ISSUED, named.issuing_country, named.serial_number):
        return
    day = header.created_at.astimezone(UTC).date()
    if balances.awaits(conn, peer.id, day, header.message_id) or _restored_lately(conn, now):
        raise CertificateAwaitedError(
            f"{named.serial_number} is not back yet from the books of {peer.identifier}"
        )


def _restored_lately(conn: Connection, now: datetime) -> bool:
    """Whether days may still lie ahead on which the peer gives back what the backup lacks."""
    restored = journal.page(conn, action=journal.Action.BACKUP_RESTORED, limit=1)
    return any(entry.at > now - RESTORED_WITHIN for entry in restored)


def receive_statement(desk: Desk, conn: Connection, received: ReceivedStatement) -> bool:
    """Answer a peer's statement; return whether the peer has forgotten an earlier one.

    1. What it states, and what else we hold of that part, is compared by id; verdicts that
       differ are first set to what our own signed receipts say.
    2. Totals are compared; running totals that differ are first counted anew.
    3. Messages that it does not state are returned to it as copies.
    4. The answer is queued, and the balance kept, in this transaction.
    """
    document, peer, now = received.document, received.peer, desk.clock()
    before = balances.open_part(conn, _new_balance(peer, document, now))
    if 1 < document.round < before.round:
        return False  # overtaken: the peer waits for the answer to its newest statement only
    messages = _answered(desk, conn, peer, document)  # 1
    totals = totals_answered(conn, document.totals, at=now)  # 2
    found = differences([*(m.outcome for m in messages), *(t.outcome for t in totals)])
    answer = _answer(desk, received, _with_copies(conn, peer, messages), totals, agreed=not found)
    answer_id = queue(desk, conn, answer, peer, findings=()).message_id  # 4
    sent = None if answer_id is None else outbox.dispatch(conn, answer_id)
    changed = balances.change(
        conn,
        before,
        at=now,
        parts=document.parts,
        after=document.after,
        up_to=document.up_to,
        state=BalanceState.DIFFERENT if found else BalanceState.AGREED,
        round=document.round,
        due_at=now + STATED_AGAIN_WITHIN if found else None,
        counts=plain_records(answer.counts),
        totals=plain_records(totals),
        differences=found,
        statement_id=received.message_id,
        answer_id=answer_id,
        statement_sha256=bodies.put(conn, received.envelope),
        answer_sha256=None if sent is None else sent.envelope_sha256,
    )
    persons = [entry.message_id for entry in messages if entry.outcome in _FOR_PERSONS]
    note_balance(conn, peer, before, changed, at=now, message_ids=persons)
    return _forgot(before, document)


def _forgot(before: Balance, document: BooksStatement) -> bool:
    """Whether a first statement comes about a part that the peer stated before."""
    return document.round == 1 and before.round >= 1


def _new_balance(peer: Peer, document: BooksStatement, now: datetime) -> NewBalance:
    return NewBalance(
        peer_id=peer.id,
        side=BooksSide.RECEIVED,
        day=document.day,
        part=document.part,
        parts=document.parts,
        after=document.after,
        up_to=document.up_to,
        at=now,
    )


def _answered(
    desk: Desk, conn: Connection, peer: Peer, document: BooksStatement
) -> tuple[StatedMessage, ...]:
    span = span_of(peer.id, document.day, document.after, document.up_to)
    own = held(conn, span, document.messages)
    entries = answered(own, document.messages)
    doubtful: Entries = {
        entry.message_id: own[entry.message_id]
        for entry in entries
        if entry.outcome is BooksOutcome.OTHER_VERDICT
    }
    if not doubtful:
        return entries
    return answered({**own, **correct_arrived(desk, conn, peer, doubtful)}, document.messages)


def _with_copies(
    conn: Connection, peer: Peer, messages: tuple[StatedMessage, ...]
) -> tuple[StatedMessage, ...]:
    """Return the entries with a copy of each message that its sender did not state (3)."""
    room = MOST_COPIES_BYTES
    entries = []
    for entry in messages:
        copied = entry
        if entry.outcome is BooksOutcome.MISSING_THERE and room > 0:
            arrival = inbox.find(conn, peer.id, entry.message_id)
            raw = b"" if arrival is None else bodies.get(conn, arrival.envelope_sha256)
            if 0 < len(raw) <= min(room, MOST_COPY_BYTES):
                room -= len(raw)
                copied = entry.model_copy(update={"copy_of_envelope": raw})
        entries.append(copied)
    return tuple(entries)


def _answer(
    desk: Desk,
    received: ReceivedStatement,
    messages: tuple[StatedMessage, ...],
    totals: tuple[StatedTotal, ...],
    *,
    agreed: bool,
) -> BooksStatement:
    document = received.document
    part = Part(
        day=document.day,
        part=document.part,
        parts=document.parts,
        after=document.after,
        up_to=document.up_to,
        round=document.round,
    )
    ours = [entry for entry in messages if entry.outcome is not BooksOutcome.UNKNOWN_HERE]
    return BooksStatement(
        **frame(desk, received.peer, part),
        answers=received.message_id,
        status=BooksStatus.AGREED if agreed else BooksStatus.DIFFERENCES,
        counts=counts_of(ours),
        messages=messages,
        totals=totals,
    )


def _complaints(
    document: BooksStatement, ends: tuple[str, str], refers_to: str | None, now: datetime
) -> Iterator[tuple[str, str]]:
    if (document.sender, document.receiver) != ends:
        yield "sender", "the statement is not from the sender of its envelope to its receiver"
    if document.answers != refers_to:
        yield "answers", "the envelope refers to another message than the statement answers"
    if (document.answers is None) is not (document.status is BooksStatus.STATED):
        yield "status", "STATED belongs to a statement, AGREED or DIFFERENCES to an answer"
    if document.day > now.astimezone(UTC).date():
        yield "day", "the day has not begun"
    if document.part > document.parts:
        yield "part", "there are fewer parts than its number says"
    ids = [entry.message_id for entry in document.messages]
    if len(set(ids)) != len(ids):
        yield "messages", "a message is stated twice"
    if any(not _is_within(document, message_id) for message_id in ids):
        yield "messages", "a message lies outside the bounds of the part"


def _is_within(document: BooksStatement, message_id: str) -> bool:
    above = document.after is None or message_id > document.after
    return above and (document.up_to is None or message_id <= document.up_to)
