"""Our own books in the form of a statement: the messages of a part of a day, and totals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.documents import BooksOutcome, DocumentType, Verdict
from gateway.documents.base import Quantity
from gateway.documents.books_statement import StatedItem, StatedMessage, StatedTotal
from gateway.exchange.context import Desk
from gateway.exchange.receipts import to_minute
from gateway.exchange.reconcile_compare import same_total
from gateway.register.recovery import correct_totals
from gateway.store import (
    Balance,
    BookLine,
    CertificateRow,
    Peer,
    ResponseRow,
    Side,
    Span,
    balances,
    certificates,
    utilisation,
)

Entries = Mapping[str, StatedMessage]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Names one part of one day and the round in which it is stated or answered."""

    day: date
    part: int
    parts: int
    after: str | None
    up_to: str | None
    round: int


def frame(desk: Desk, peer: Peer, part: Part) -> dict[str, Any]:
    """Return the fields that every statement of ours to ``peer`` about ``part`` begins with."""
    number = f"BS-{part.day:%Y%m%d}-{part.part}-{part.round}-{uuid.uuid4().hex[:12]}"
    return {
        "statement_number": number,
        "issued_at": to_minute(desk.clock()),
        "test": desk.identity.test,
        "sender": desk.identity.identifier,
        "sender_country": desk.identity.country,
        "receiver": peer.identifier,
        "receiver_country": peer.country,
        **vars(part),
    }


def span_of(peer_id: int, day: date, after: str | None = None, up_to: str | None = None) -> Span:
    """Return the stretch of one peer's messages that a part of ``day`` covers."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    end = start + timedelta(days=1)
    return Span(peer_id=peer_id, start=start, end=end, after=after, up_to=up_to)


def span_of_balance(balance: Balance) -> Span:
    """Return the stretch of messages that ``balance`` is about."""
    return span_of(balance.peer_id, balance.day, balance.after, balance.up_to)


def sent(conn: Connection, span: Span) -> Entries:
    """Return what we sent in ``span``, by message id."""
    return _entries(balances.sent(conn, span))


def held(conn: Connection, span: Span, stated: Iterable[StatedMessage]) -> Entries:
    """Return what we hold of a peer: all of ``span``, and all that it stated by id.

    The day counts by the sender's time of creation, so that clocks and late deliveries
    near midnight cannot move a message to another day.
    """
    named = [entry.message_id for entry in stated]
    return _entries(
        (*balances.arrived(conn, span), *balances.arrived_of(conn, span.peer_id, named))
    )


def totals_sent(conn: Connection, messages: Entries) -> tuple[StatedTotal, ...]:
    """Return what certificates were used for, as of our newest response among ``messages``."""
    ids = [
        entry.message_id
        for entry in messages.values()
        if entry.document_type is DocumentType.CUSTOMS_RESPONSE
        and entry.verdict is not Verdict.REFUSED
    ]
    newest = {row.certificate_id: row for row in utilisation.responses_of_messages(conn, ids)}
    return tuple(_total(conn, certificates.get(conn, key), row) for key, row in newest.items())


def totals_answered(
    conn: Connection, stated: Iterable[StatedTotal], *, at: datetime
) -> tuple[StatedTotal, ...]:
    """Return our own totals beside the stated ones; what documents prove is mended first."""
    return tuple(_answered_total(conn, total, at) for total in stated)


def subject(conn: Connection, total: StatedTotal, side: Side) -> CertificateRow | None:
    """Return the certificate that ``total`` is about, on our side of it."""
    return certificates.find(conn, side, total.issuing_country, total.serial_number)


def _answered_total(conn: Connection, stated: StatedTotal, at: datetime) -> StatedTotal:
    certificate = subject(conn, stated, Side.ISSUED)
    own = None if certificate is None else _held_total(conn, certificate, stated)
    if certificate is None or own is None:
        return stated.model_copy(update={"outcome": BooksOutcome.UNKNOWN_HERE})
    if not same_total(own, stated) and correct_totals(conn, certificate.id, at=at):
        own = _held_total(conn, certificate, stated) or own
    outcome = BooksOutcome.MATCHED if same_total(own, stated) else BooksOutcome.OTHER_TOTAL
    return own.model_copy(update={"outcome": outcome})


def _held_total(
    conn: Connection, certificate: CertificateRow, stated: StatedTotal
) -> StatedTotal | None:
    rows = utilisation.at_sequence(conn, certificate.id, stated.sequence_number)
    return _total(conn, certificate, rows[0]) if rows else None


def _total(conn: Connection, certificate: CertificateRow, response: ResponseRow) -> StatedTotal:
    """Return the totals as of ``response``; the newest one's are the running totals."""
    running = {item.number: item for item in certificates.items(conn, certificate.id)}
    is_newest = response.sequence_number == certificate.last_sequence
    items = []
    for line in response.items:
        item = running.get(line.number) if is_newest else None
        used = line.cumulative if item is None else item.used
        unit = line.unit if item is None else item.unit
        items.append(StatedItem(number=line.number, used=Quantity(value=used, unit=unit)))
    return StatedTotal(
        serial_number=certificate.serial_number,
        issuing_country=certificate.issuing_country,
        sequence_number=response.sequence_number,
        items=tuple(items),
    )


def _entries(lines: Iterable[BookLine]) -> Entries:
    return {
        line.message_id: StatedMessage(
            message_id=line.message_id,
            document_type=line.document_type,
            document_number=line.document_number,
            envelope_sha256=line.envelope_sha256,
            verdict=line.verdict,
        )
        for line in lines
    }
