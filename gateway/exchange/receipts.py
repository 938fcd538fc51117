"""Receipts: the signed acknowledgement that answers an envelope, and the check of a peer's.

A receipt is an envelope of its own whose payload is an Acknowledgement.  It is signed by the
gateway; the envelope signature is the proof, the payload carries no second one.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from gateway.documents import Acknowledgement, DocumentType, Finding, Verdict
from gateway.envelope import Header, unwrap, wrap
from gateway.errors import GatewayError, ReceiptError
from gateway.exchange.context import Desk
from gateway.store import Arrival, Dispatch, outbox
from gateway.trust import PeerTrust, SignerRole, sign_canonical, verify
from gateway.xml.parsing import parse

DOCUMENT_VERSION = "1.0"
MOST_FINDINGS = 200


@dataclass(frozen=True, kw_only=True)
class ReceivedMessage:
    """Names the message that a receipt answers.

    Attributes:
        header: its verified header.
        sha256: digest of the envelope bytes as received, in hex.
        document_number: number of the payload, where it could be read.
    """

    header: Header
    sha256: str
    received_at: datetime
    document_number: str | None = None


def sha256_of(raw: bytes) -> str:
    """Return the SHA-256 of ``raw`` in hex."""
    return hashlib.sha256(raw).hexdigest()


def new_message_id() -> str:
    """Return a message id that was never used before (``urn:uuid:…``)."""
    return uuid.uuid4().urn


def to_minute(moment: datetime) -> datetime:
    """Return ``moment`` in UTC, cut to the minute that format 205 can carry."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def make_receipt(
    desk: Desk,
    message: ReceivedMessage,
    *,
    verdict: Verdict,
    code: str | None = None,
    findings: Sequence[Finding] = (),
) -> bytes:
    """Return the signed receipt envelope for ``message``."""
    now = to_minute(message.received_at)
    header = message.header
    acknowledgement = Acknowledgement(
        acknowledgement_number=f"ACK-{uuid.uuid4()}",
        issued_at=now,
        test=header.test,
        sender=desk.identity.identifier,
        sender_country=desk.identity.country,
        receiver=header.sender,
        receiver_country=header.sender_country,
        message_id=header.message_id,
        envelope_sha256=message.sha256,
        document_type=header.document_type,
        document_number=message.document_number,
        received_at=now,
        verdict=verdict,
        code=code,
        findings=tuple(findings[:MOST_FINDINGS]),
    )
    payload = desk.tables[DocumentType.ACKNOWLEDGEMENT].render(acknowledgement)
    return sign_canonical(wrap(_receipt_header(desk, message), payload), desk.gateway_credential)


def receipt_findings(
    desk: Desk, conn: Connection, found: Dispatch | Arrival
) -> tuple[Finding, ...]:
    """Return the findings in the receipt of a message; its signature was verified on arrival."""
    raw = found.receipt if isinstance(found, Arrival) else outbox.receipt(conn, found.message_id)
    if not raw:
        return ()
    _, payload = unwrap(parse(raw))
    document = desk.tables[DocumentType.ACKNOWLEDGEMENT].read(parse(payload))
    return document.findings if isinstance(document, Acknowledgement) else ()


def check_receipt(
    desk: Desk,
    raw: bytes,
    trust: PeerTrust,
    *,
    sender: str,
    message_id: str,
    sha256: str,
    now: datetime,
) -> Acknowledgement:
    """Return the acknowledgement of a receipt that proves what became of our message.

    1. The envelope signature is the peer's; only what it covers is read.
    2. The receipt is addressed to us and refers to our message.
    3. The payload follows the schema and names our message id and our digest.

    Raises:
        ReceiptError: the receipt proves nothing about this message.
    """
    try:
        header, acknowledgement = read_receipt(desk, raw, trust, now)
    except ReceiptError:
        raise
    except GatewayError as exc:
        raise ReceiptError(f"the receipt does not hold ({exc.code}): {exc.detail}") from exc
    expected = (sender, desk.identity.identifier, message_id)
    if (header.sender, header.receiver, header.refers_to) != expected:
        raise ReceiptError("the receipt is not this peer's, not for us or about another message")
    if (acknowledgement.message_id, acknowledgement.envelope_sha256) != (message_id, sha256):
        raise ReceiptError("the receipt names another message id or another digest than was sent")
    return acknowledgement


def _receipt_header(desk: Desk, message: ReceivedMessage) -> Header:
    received = message.header
    return Header(
        message_id=new_message_id(),
        sender=desk.identity.identifier,
        sender_country=desk.identity.country,
        receiver=received.sender,
        receiver_country=received.sender_country,
        document_type=DocumentType.ACKNOWLEDGEMENT,
        document_version=DOCUMENT_VERSION,
        created_at=message.received_at,
        conversation_id=received.conversation_id,
        refers_to=received.message_id,
        test=received.test,
    )


def read_receipt(
    desk: Desk, raw: bytes, trust: PeerTrust, now: datetime
) -> tuple[Header, Acknowledgement]:
    """Return header and acknowledgement of a receipt signed by whom ``trust`` believes.

    Raises:
        GatewayError: it is no such receipt.
    """
    verified = verify(raw, trust, role=SignerRole.GATEWAY, at=now)
    desk.schemas.require_valid(verified.root)
    header, payload = unwrap(verified.root)
    if header.document_type is not DocumentType.ACKNOWLEDGEMENT:
        raise ReceiptError(f"the answer is a {header.document_type}, not an Acknowledgement")
    root = parse(payload)
    desk.schemas.require_valid(root)
    document = desk.tables[DocumentType.ACKNOWLEDGEMENT].read(root)
    if not isinstance(document, Acknowledgement):
        raise ReceiptError("the answer's payload is no Acknowledgement")
    return header, document
