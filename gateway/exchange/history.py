"""The history of one certificate: every message, attempt, response and ledger step in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from gateway.store import (
    CertificateDelivery,
    CertificateItem,
    CertificateRow,
    ResponseRow,
    certificates,
    inbox,
    outbox,
    utilisation,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Is one thing that happened to a certificate."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class CertificateHistory:
    """Is a certificate with everything that became of it here."""

    certificate: CertificateRow
    items: tuple[CertificateItem, ...]
    deliveries: tuple[CertificateDelivery, ...]
    responses: tuple[ResponseRow, ...]
    steps: tuple[Step, ...]


def history_of(conn: Connection, certificate: CertificateRow) -> CertificateHistory:
    """Return all that the books hold about ``certificate``, oldest step first."""
    responses = utilisation.responses(conn, certificate.id)
    steps = [
        Step(at=certificate.created_at, what=f"certificate {certificate.side.value.lower()}"),
        *_sent(conn, certificate),
        *_received(conn, certificate),
        *_answered(responses),
        *_written_off(conn, certificate),
    ]
    return CertificateHistory(
        certificate=certificate,
        items=certificates.items(conn, certificate.id),
        deliveries=certificates.deliveries(conn, certificate.id),
        responses=responses,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
    )


def _sent(conn: Connection, certificate: CertificateRow) -> Iterable[Step]:
    for dispatch in outbox.in_conversation(conn, certificate.conversation_id):
        name = dispatch.document_type.value
        yield Step(at=dispatch.created_at, what=f"{name} queued", detail=dispatch.document_number)
        for attempt in outbox.attempts_of(conn, dispatch.message_id):
            if attempt.ended_at is not None:
                yield Step(
                    at=attempt.ended_at,
                    what=f"attempt {attempt.number} to deliver ended",
                    detail=attempt.code or "with a verified receipt",
                )
        if dispatch.verdict is not None:
            yield Step(
                at=dispatch.updated_at,
                what=f"peer's verdict {dispatch.verdict.value}",
                detail=dispatch.detail or dispatch.code or "",
            )


def _received(conn: Connection, certificate: CertificateRow) -> Iterable[Step]:
    for arrival in inbox.in_conversation(conn, certificate.conversation_id):
        yield Step(
            at=arrival.received_at,
            what=f"{arrival.document_type.value} arrived",
            detail=f"{arrival.document_number or ''} {arrival.verdict.value}".strip(),
        )


def _answered(responses: Iterable[ResponseRow]) -> Iterable[Step]:
    for response in responses:
        declaration = response.declaration_number
        yield Step(
            at=response.stored_at,
            what=f"customs response {response.sequence_number}: {response.status.value}",
            detail="" if declaration is None else f"declaration {declaration}",
        )


def _written_off(conn: Connection, certificate: CertificateRow) -> Iterable[Step]:
    for entry in utilisation.entries(conn, certificate.id):
        yield Step(
            at=entry.entered_at,
            what=f"ledger: {entry.kind.value.lower()} item {entry.item_number}",
            detail=f"{_figure(entry.quantity)} {entry.unit}, total {_figure(entry.total_after)}",
        )


def _figure(value: Decimal) -> str:
    return f"{value.normalize():f}"
