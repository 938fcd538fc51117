"""Whom a message sent from here concerns: the certificate of origin that it is about.

Nothing here locks anything.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gateway.documents.codes import DocumentType
from gateway.store import certificates, events, utilisation
from gateway.store.rows import CertificateRow, Claim, Dispatch
from gateway.store.states import Side


def certificate_of(conn: Connection, sent: Claim | Dispatch) -> CertificateRow | None:
    """Return the certificate that a message carries, ends or answers; None for other messages."""
    for delivery in certificates.deliveries_of_message(conn, sent.message_id):
        return certificates.get(conn, delivery.certificate_id)
    return answered_by(conn, sent)


def answered_by(conn: Connection, sent: Claim | Dispatch) -> CertificateRow | None:
    """Return the certificate that a customs response sent from here answers, None for others."""
    if sent.document_type is not DocumentType.CUSTOMS_RESPONSE:
        return None
    response = utilisation.response_of_message(conn, sent.message_id)
    if response is None:
        return None
    found = certificates.get(conn, response.certificate_id)
    return found if found.side is Side.RECEIVED else None  # a peer may have used this id, too


def audience_of(certificate: CertificateRow | None) -> events.Audience:
    """Return who is told of a message about a certificate; operators where it is about none."""
    return events.OPERATORS if certificate is None else events.audience_of(certificate)


def facts_of(certificate: CertificateRow) -> dict[str, Any]:
    """Return what every event about a certificate says of it."""
    return {
        "side": certificate.side,
        "issuing_country": certificate.issuing_country,
        "serial_number": certificate.serial_number,
        "state": certificate.state,
    }


def message_facts(sent: Claim | Dispatch, certificate: CertificateRow | None) -> dict[str, Any]:
    """Return what every event about a message sent from here says of it."""
    return {
        **({} if certificate is None else facts_of(certificate)),
        "message_id": sent.message_id,
        "document_type": sent.document_type,
        "document_number": sent.document_number,
        "conversation_id": sent.conversation_id,
    }
