"""Telling the national side that a document which came for it was refused here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin, Document, DocumentType, Finding
from gateway.envelope import Header
from gateway.register.attempts import tell_serial_reused
from gateway.store import EventCircle, Side, certificates, events

_SERIAL_TAKEN: Final = "V84"


def tell_refused(
    conn: Connection,
    header: Header,
    *,
    peer_id: int,
    code: str | None,
    own_country: str,
    at: datetime,
) -> None:
    """Tell those whom the document would have concerned that it was refused, and by which code.

    The document itself may be unreadable, so only what the verified envelope says is told.
    """
    data = {
        "message_id": header.message_id,
        "peer": header.sender,
        "document_type": header.document_type,
        "conversation_id": header.conversation_id,
        "code": code,
    }
    events.append(
        conn,
        at=at,
        kind=events.Kind.DOCUMENT_REFUSED,
        subject=header.message_id,
        data=data,
        audience=_audience(conn, header, peer_id, own_country),
    )


def tell_reused_serial(
    conn: Connection,
    document: Document | None,
    findings: Sequence[Finding],
    *,
    message_id: str,
    at: datetime,
) -> None:
    """Raise the alarm where the rules refused a document because its serial number is taken."""
    if not isinstance(document, CertificateOfOrigin):
        return
    if _SERIAL_TAKEN not in {finding.rule for finding in findings}:
        return
    country, serial = document.exporting_country, document.serial_number
    present = certificates.find(conn, Side.RECEIVED, country, serial)
    if present is not None:
        tell_serial_reused(conn, present, document, message_id=message_id, at=at)


def _audience(conn: Connection, header: Header, peer_id: int, own_country: str) -> events.Audience:
    """Return who is told; a peer can address only those whose certificates went to it."""
    if header.document_type is DocumentType.CERTIFICATE_OF_ORIGIN:
        return events.Audience(circle=EventCircle.RECEIVED, country=own_country)
    if header.document_type is DocumentType.CUSTOMS_RESPONSE:
        for found in certificates.in_conversation(conn, header.conversation_id):
            sent_to = {each.peer_id for each in certificates.deliveries(conn, found.id)}
            if found.side is Side.ISSUED and peer_id in sent_to:
                return events.audience_of(found)
    return events.OPERATORS
