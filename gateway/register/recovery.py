"""Bringing register and ledger back to what signed documents prove, after books were lost.

Used by reconciliation only.  Nothing here believes a peer's word: the truth is what our own
signed responses, the peer's signed responses and the lines of the ledger say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from gateway.documents import CustomsResponse, UtilisationStatus
from gateway.errors import ConflictError, NotFoundError
from gateway.register.carriage import new_response
from gateway.register.contents import content_digest
from gateway.register.drawing import plain
from gateway.register.fold import fold_all
from gateway.register.notes import note_state, serial_event
from gateway.register.register import record_response_sent
from gateway.register.states import ImportState
from gateway.store import certificates, journal, utilisation
from gateway.store.rows import CertificateItem, CertificateRow, ResponseRow
from gateway.store.states import EntryKind, EventKind, ResponseStanding, Side
from gateway.store.utilisation import NewEntry, NewResponse

RECONCILIATION = "reconciliation"
"""What a ledger line names as its cause when reconciliation wrote it."""

_STATE: Mapping[UtilisationStatus, ImportState] = {
    UtilisationStatus.RECEIVED: ImportState.AVAILABLE,
    UtilisationStatus.ACCEPTED: ImportState.ACCEPTED,
    UtilisationStatus.ACCEPTED_MINOR: ImportState.ACCEPTED_MINOR,
    UtilisationStatus.PARTIAL: ImportState.PARTIALLY_UTILISED,
    UtilisationStatus.FULL: ImportState.UTILISED,
    UtilisationStatus.UNDER_QUERY: ImportState.UNDER_VERIFICATION,
    UtilisationStatus.PENDING: ImportState.PENDING,
    UtilisationStatus.REJECTED: ImportState.REJECTED,
    UtilisationStatus.WITHDRAWN: ImportState.WITHDRAWN,
    UtilisationStatus.EXPIRED_UNUSED: ImportState.EXPIRED,
}


def recover_response_sent(
    conn: Connection, response: CustomsResponse, *, payload: bytes, message_id: str, at: datetime
) -> ResponseRow:
    """Enter a customs response of our own that our books lost and a peer gave back.

    1. The certificate is registered here, and its row is locked.
    2. A response that is still drawn or stored is only given its message back.
    3. The totals rise to what the response states, if it is the newest.
    4. The certificate is where the response put it.

    Raises:
        NotFoundError: the certificate is not here (yet).
        ConflictError: another response went out under the same sequence number, or the items
            are registered otherwise; nothing was written.
    """
    named = response.certificate
    certificate = certificates.reserve(
        conn, Side.RECEIVED, named.issuing_country, named.serial_number
    )
    if certificate is None:
        raise NotFoundError(f"no certificate {named.serial_number!r} was received here")  # 1
    if utilisation.at_sequence(conn, certificate.id, response.sequence_number):
        return record_response_sent(  # 2
            conn, response, payload=payload, message_id=message_id, at=at
        )
    new = _response(certificate, response, payload, message_id, at)
    items = _matching_items(conn, certificate, new)
    stored = utilisation.add_response(conn, new)
    if response.sequence_number > certificate.last_sequence:
        _raise_totals(conn, items, stored, at=at)  # 3
        now = certificates.change(  # 4
            conn,
            certificate,
            at=at,
            state=_state_after(response.status, certificates.items(conn, certificate.id)),
            last_sequence=response.sequence_number,
            reported_status=response.status,
        )
        note_state(conn, certificate, now, at=at, reason=RECONCILIATION)
    _journal(conn, certificate, stored, at)
    return stored


def correct_totals(conn: Connection, certificate_id: int, *, at: datetime) -> bool:
    """Return whether a running total differed from what documents prove, and mend it.

    First the running totals become what the ledger's lines amount to; then, at the issuing
    side, the ledger is brought to what the peer's stored responses amount to.
    """
    certificate = certificates.lock(conn, certificate_id)
    before = {item.number: item.used for item in certificates.items(conn, certificate_id)}
    for number, used in _ledger(conn, certificate_id, before).items():
        if used != before[number]:
            utilisation.set_total(conn, certificate_id, number, used)
    if certificate.side is Side.ISSUED:
        _fold_again(conn, certificate, at)
    items = certificates.items(conn, certificate_id)
    after = {item.number: item.used for item in items}
    if before == after:
        return False
    over = any(item.remaining < 0 for item in items)
    now = certificates.change(conn, certificate, at=at, over_used=over)
    changed = {str(n): plain(after[n]) for n in after if after[n] != before[n]}
    journal.append(
        conn,
        at=at,
        action=journal.Action.UTILISATION_CORRECTED,
        subject=certificate.serial_number,
        detail={"side": certificate.side, "totals": changed},
    )
    drift = {n: plain(after[n] - before[n]) for n in after if after[n] != before[n]}
    _tell_corrected(conn, certificate, now, drift, at=at)
    return True


def _tell_corrected(
    conn: Connection,
    before: CertificateRow,
    now: CertificateRow,
    drift: Mapping[int, str],
    *,
    at: datetime,
) -> None:
    changed = {str(number): change for number, change in drift.items()}
    kind = EventKind.UTILISATION_CHANGED
    serial_event(conn, kind, now, at=at, reason=RECONCILIATION, changed=changed)
    if now.over_used and not before.over_used:
        serial_event(conn, EventKind.OVER_USE, now, at=at)


def _ledger(
    conn: Connection, certificate_id: int, known: Mapping[int, Decimal]
) -> Mapping[int, Decimal]:
    lines = utilisation.ledger_totals(conn, certificate_id)
    return {number: lines.get(number, Decimal(0)) for number in known}


def _fold_again(conn: Connection, certificate: CertificateRow, at: datetime) -> None:
    items = {item.number: item for item in certificates.items(conn, certificate.id)}
    folded = fold_all(utilisation.responses(conn, certificate.id), items)
    for number, item in items.items():
        _enter(
            conn,
            item,
            folded.totals[number],
            sequence=certificate.last_sequence,
            reference=RECONCILIATION,
            at=at,
        )


def _state_after(status: UtilisationStatus, items: Iterable[CertificateItem]) -> ImportState:
    """Return where the response put the certificate; acceptance after use restores the use."""
    accepted = status in (UtilisationStatus.ACCEPTED, UtilisationStatus.ACCEPTED_MINOR)
    if accepted and any(item.used for item in items):
        spent = all(item.remaining <= 0 for item in items)
        return ImportState.UTILISED if spent else ImportState.PARTIALLY_UTILISED
    return _STATE[status]


def _matching_items(
    conn: Connection, certificate: CertificateRow, response: NewResponse
) -> Mapping[int, CertificateItem]:
    items = {item.number: item for item in certificates.items(conn, certificate.id)}
    for line in response.items:
        item = items.get(line.number)
        if item is None or item.unit != line.unit:
            raise ConflictError(
                f"the response to {certificate.serial_number} names item {line.number}, "
                "which is registered otherwise"
            )
    return items


def _raise_totals(
    conn: Connection,
    items: Mapping[int, CertificateItem],
    stored: ResponseRow,
    *,
    at: datetime,
) -> None:
    for line in stored.items:
        _enter(
            conn,
            items[line.number],
            line.cumulative,
            sequence=stored.sequence_number,
            reference=f"{RECONCILIATION} {stored.response_number}"[:140],
            at=at,
        )


def _enter(
    conn: Connection,
    item: CertificateItem,
    total: Decimal,
    *,
    sequence: int,
    reference: str,
    at: datetime,
) -> None:
    change = total - item.used
    if not change:
        return
    entry = NewEntry(
        certificate_id=item.certificate_id,
        item_number=item.number,
        kind=EntryKind.USE if change > 0 else EntryKind.REVERSAL,
        quantity=change,
        unit=item.unit,
        total_after=total,
        sequence_number=sequence,
        reference=reference,
        entered_at=at,
    )
    utilisation.add_entry(conn, entry)


def _response(
    certificate: CertificateRow,
    response: CustomsResponse,
    payload: bytes,
    message_id: str,
    at: datetime,
) -> NewResponse:
    stated = new_response(
        response,
        certificate_id=certificate.id,
        standing=ResponseStanding.SENT,
        content_sha256=content_digest(response),
        at=at,
    )
    return replace(stated, message_id=message_id, payload=payload)


def _journal(
    conn: Connection, certificate: CertificateRow, stored: ResponseRow, at: datetime
) -> None:
    journal.append(
        conn,
        at=at,
        action=journal.Action.RESPONSE_RECOVERED,
        subject=certificate.serial_number,
        detail={"sequence": stored.sequence_number, "message_id": stored.message_id},
    )
    now = certificates.get(conn, certificate.id)
    serial_event(
        conn,
        EventKind.RESPONSE_RECOVERED,
        now,
        at=at,
        sequence=stored.sequence_number,
        status=stored.status,
        message_id=stored.message_id,
    )
