"""Looking up: one certificate with its document, its ledger, its messages; every view is noted.

Whoever looks at a certificate that another state issued leaves a line in the journal: which
key, which certificate, and why, where the caller says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin, Finding
from gateway.errors import GatewayError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.known import stored_certificate
from gateway.exchange.receipts import receipt_findings
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import (
    Arrival,
    CertificateItem,
    CertificateRow,
    Dispatch,
    OrganisationKind,
    Side,
    UtilisationEntry,
    certificates,
    inbox,
    journal,
    outbox,
    peers,
    utilisation,
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Names one certificate of origin.

    Attributes:
        issued_on: guards against a serial number that was read wrongly.
        purpose: why a foreign certificate is looked at, in the caller's words.
    """

    issuing_country: str
    serial_number: str
    issued_on: date | None = None
    purpose: str | None = None


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Is a certificate with its goods items and its document, None once that was erased."""

    row: CertificateRow
    items: tuple[CertificateItem, ...]
    document: CertificateOfOrigin | None


@dataclass(frozen=True, kw_only=True)
class FoundMessage:
    """Is one message with what its receipt says."""

    message: Dispatch | Arrival
    peer: str
    findings: tuple[Finding, ...]


def certificate(counter: Counter, caller: Caller, wanted: Wanted) -> Looked:
    """Return a certificate that the caller may see, with items and document.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    row = view(counter, caller, wanted)
    with counter.desk.store.read() as conn:
        return Looked(
            row=row,
            items=certificates.items(conn, row.id),
            document=_document(counter.desk, conn, row),
        )


def signed_document(counter: Counter, caller: Caller, wanted: Wanted) -> tuple[bytes, str]:
    """Return the signed document of a certificate, byte for byte, and its SHA-256.

    Raises:
        NotFoundError: there is none, it is not the caller's to see, or it was erased.
    """
    row = view(counter, caller, wanted)
    with counter.desk.store.read() as conn:
        return certificates.content(conn, row), row.payload_sha256


def ledger(
    counter: Counter, caller: Caller, wanted: Wanted
) -> tuple[CertificateRow, tuple[CertificateItem, ...], tuple[UtilisationEntry, ...]]:
    """Return a certificate, its items with totals, and every line of its ledger.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    row = view(counter, caller, wanted)
    with counter.desk.store.read() as conn:
        return row, certificates.items(conn, row.id), utilisation.entries(conn, row.id)


def view(counter: Counter, caller: Caller, wanted: Wanted) -> CertificateRow:
    """Return a certificate that the caller may see; noted in the journal if it is foreign.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    caller.require(Scope.READ)
    with counter.desk.store.read() as conn:
        row = visible_one(conn, caller, wanted)
    note_views(counter, caller, (row,), subject=row.serial_number, purpose=wanted.purpose)
    return row


def visible_one(conn: Connection, caller: Caller, wanted: Wanted) -> CertificateRow:
    """Return the certificate, on the caller's own side first.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    for side in caller.sides:
        row = certificates.find(conn, side, wanted.issuing_country, wanted.serial_number)
        dated = row is not None and wanted.issued_on in (None, row.issued_on)
        if row is not None and dated and caller.may_see(row):
            return row
    raise NotFoundError("no such certificate of origin is registered")


def note_views(
    counter: Counter,
    caller: Caller,
    rows: tuple[CertificateRow, ...],
    *,
    subject: str,
    purpose: str | None,
) -> None:
    """Write into the journal that foreign certificates among ``rows`` were looked at."""
    foreign = [row.id for row in rows if row.side is Side.RECEIVED]
    if not foreign:
        return
    with counter.desk.store.begin() as conn:
        journal.append(
            conn,
            at=counter.desk.clock(),
            actor=caller.actor,
            action=journal.Action.DOCUMENT_VIEWED,
            subject=subject,
            detail={
                "organisation": caller.organisation.code,
                "certificates": len(foreign),
                "purpose": purpose,
            },
        )


def message(
    counter: Counter, caller: Caller, message_id: str, *, purpose: str | None
) -> FoundMessage:
    """Return one message about a certificate that the caller may see.

    Messages about no certificate (books) are shown to single windows and auditors.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    caller.require(Scope.MESSAGES)
    with counter.desk.store.read() as conn:
        found = _message(conn, message_id)
        rows = certificates.in_conversation(conn, found.conversation_id)
        seen = tuple(row for row in rows if caller.may_see(row))
        general = caller.organisation.kind in _SEES_BOOKS and not rows
        if not seen and not general:
            raise NotFoundError(_NO_MESSAGE)
        peer = peers.get(conn, found.peer_id).identifier
        findings = receipt_findings(counter.desk, conn, found)
    note_views(counter, caller, seen, subject=message_id, purpose=purpose)
    return FoundMessage(message=found, peer=peer, findings=findings)


_SEES_BOOKS = frozenset({OrganisationKind.SINGLE_WINDOW, OrganisationKind.AUDITOR})
_NO_MESSAGE = "no such message was sent or received"


def _message(conn: Connection, message_id: str) -> Dispatch | Arrival:
    sent = outbox.dispatch(conn, message_id)
    if sent is not None:
        return sent
    received = inbox.find_by_message(conn, message_id)
    if not received:
        raise NotFoundError(_NO_MESSAGE)
    return received[0]


def _document(desk: Desk, conn: Connection, row: CertificateRow) -> CertificateOfOrigin | None:
    try:
        return stored_certificate(desk, conn, row)
    except GatewayError:  # erased, or kept as it came and unread by this version's tables
        return None
