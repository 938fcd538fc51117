"""The timeline of one certificate: every message, attempt, receipt, finding and use, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from gateway.documents import DocumentType, Finding, UtilisationStatus, Verdict
from gateway.exchange.context import Desk
from gateway.exchange.receipts import receipt_findings
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.lookup import Wanted, view
from gateway.store import (
    Arrival,
    CertificateRow,
    Dispatch,
    EntryKind,
    JournalAction,
    inbox,
    journal,
    outbox,
    peers,
    utilisation,
)

_MOST_STATES = 200


class StepKind(StrEnum):
    """Says what happened in one step."""

    REGISTERED = "REGISTERED"
    MESSAGE_QUEUED = "MESSAGE_QUEUED"
    ATTEMPT = "ATTEMPT"
    VERDICT = "VERDICT"
    MESSAGE_RECEIVED = "MESSAGE_RECEIVED"
    STATE = "STATE"
    RESPONSE = "RESPONSE"
    USE = "USE"


@dataclass(frozen=True, kw_only=True)
class TimelineStep:
    """Is one thing that happened to a certificate; what does not apply is None.

    Attributes:
        number: of the attempt, of the response, or of the goods item.
        findings: what the receipt of a message says.
    """

    at: datetime
    kind: StepKind
    message_id: str | None = None
    document_type: DocumentType | None = None
    document_number: str | None = None
    peer: str | None = None
    verdict: Verdict | None = None
    code: str | None = None
    detail: str | None = None
    number: int | None = None
    state: str | None = None
    status: UtilisationStatus | None = None
    declaration: str | None = None
    entry: EntryKind | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    total: Decimal | None = None
    findings: tuple[Finding, ...] = ()


def timeline(
    counter: Counter, caller: Caller, wanted: Wanted
) -> tuple[CertificateRow, tuple[TimelineStep, ...]]:
    """Return a certificate and all that happened to it, oldest first.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    row = view(counter, caller, wanted)
    return row, steps_of(counter, row)


def steps_of(counter: Counter, row: CertificateRow) -> tuple[TimelineStep, ...]:
    """Return all that happened to a certificate that the caller has found, oldest first."""
    with counter.desk.store.read() as conn:
        steps = [
            TimelineStep(at=row.created_at, kind=StepKind.REGISTERED, state=row.side.value),
            *_messages(counter.desk, conn, row),
            *_states(conn, row),
            *_uses(conn, row),
        ]
    return tuple(sorted(steps, key=lambda step: step.at))


def _messages(desk: Desk, conn: Connection, row: CertificateRow) -> Iterator[TimelineStep]:
    names = {peer.id: peer.identifier for peer in peers.every(conn)}
    for sent in outbox.in_conversation(conn, row.conversation_id):
        about = _about(sent, names)
        yield TimelineStep(at=sent.created_at, kind=StepKind.MESSAGE_QUEUED, **about)
        for attempt in outbox.attempts_of(conn, sent.message_id):
            yield TimelineStep(
                at=attempt.ended_at or attempt.started_at,
                kind=StepKind.ATTEMPT,
                number=attempt.number,
                code=attempt.code,
                detail=attempt.detail,
                **about,
            )
        if sent.verdict is not None:
            yield TimelineStep(
                at=sent.updated_at,
                kind=StepKind.VERDICT,
                verdict=sent.verdict,
                code=sent.code,
                findings=receipt_findings(desk, conn, sent),
                **about,
            )
    for arrival in inbox.in_conversation(conn, row.conversation_id):
        yield TimelineStep(
            at=arrival.received_at,
            kind=StepKind.MESSAGE_RECEIVED,
            verdict=arrival.verdict,
            code=arrival.code,
            findings=receipt_findings(desk, conn, arrival),
            **_about(arrival, names),
        )


def _about(found: Dispatch | Arrival, names: dict[int, str]) -> dict[str, Any]:
    return {
        "message_id": found.message_id,
        "document_type": found.document_type,
        "document_number": found.document_number,
        "peer": names.get(found.peer_id),
    }


def _states(conn: Connection, row: CertificateRow) -> Iterator[TimelineStep]:
    """Yield changes of state; the journal names a serial number, the side tells whose it is."""
    entries = journal.page(
        conn,
        subject=row.serial_number,
        action=JournalAction.CERTIFICATE_STATE,
        limit=_MOST_STATES,
    )
    for entry in reversed(entries):  # of one moment the earlier change stands first
        if entry.detail.get("side") == row.side and entry.at >= row.created_at:
            yield TimelineStep(
                at=entry.at,
                kind=StepKind.STATE,
                state=str(entry.detail.get("to")),
                detail=entry.detail.get("reason"),
            )


def _uses(conn: Connection, row: CertificateRow) -> Iterator[TimelineStep]:
    for response in utilisation.responses(conn, row.id):
        yield TimelineStep(
            at=response.stored_at,
            kind=StepKind.RESPONSE,
            number=response.sequence_number,
            status=response.status,
            state=response.standing.value,
            message_id=response.message_id,
            document_number=response.response_number,
            declaration=response.declaration_number,
        )
    for entry in utilisation.entries(conn, row.id):
        yield TimelineStep(
            at=entry.entered_at,
            kind=StepKind.USE,
            number=entry.item_number,
            entry=entry.kind,
            quantity=entry.quantity,
            unit=entry.unit,
            total=entry.total_after,
            document_number=entry.reference,
        )
