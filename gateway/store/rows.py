"""The rows of the store as frozen records, and the records with which rows are made.

Signed bytes are not part of a row unless it says so: ask ``gateway.store.bodies`` for them by
their SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gateway.documents.codes import CertificateKind, DocumentType, UtilisationStatus, Verdict
from gateway.store.states import (
    AlgorithmLevel,
    CredentialUse,
    DeliveryState,
    EntryKind,
    EventKind,
    ExchangeState,
    ImportState,
    IssueState,
    PeerChannel,
    PeerState,
    ResponseStanding,
    RevocationLevel,
    Side,
)


@dataclass(frozen=True, kw_only=True)
class PeerProfile:
    """Is what two operators agreed about their exchange.

    Attributes:
        identifier: the gateway's id in envelopes, as ``KE-GW``.
        soap_version: ``1.1`` or ``1.2``; without meaning for REST.
        document_types: what may be exchanged, in either direction.
        live_from: nothing is sent before; None means at once.
        retry: settings of the retry policy that differ from ours.
        test: the peer is a test gateway.
    """

    identifier: str
    country: str
    name: str
    channel: PeerChannel
    url: str
    soap_version: str = "1.2"
    document_types: tuple[DocumentType, ...] = (
        DocumentType.CERTIFICATE_OF_ORIGIN,
        DocumentType.CUSTOMS_RESPONSE,
    )
    algorithms: AlgorithmLevel = AlgorithmLevel.STRICT
    revocation: RevocationLevel = RevocationLevel.REQUIRE
    live_from: datetime | None = None
    retry: Mapping[str, Any] = field(default_factory=dict)
    test: bool = False


@dataclass(frozen=True, kw_only=True)
class Peer(PeerProfile):
    """Is a registered peer."""

    id: int
    state: PeerState
    created_at: datetime
    updated_at: datetime

    @property
    def is_suspended(self) -> bool:
        """Whether exchange with this peer rests."""
        return self.state is PeerState.SUSPENDED


@dataclass(frozen=True, kw_only=True)
class NewCredential:
    """Is an X.509 certificate to be registered for a peer.

    Attributes:
        fingerprint: SHA-256 of the DER form, lower-case hex.
        role: value of ``gateway.trust.SignerRole`` for signers and anchors.
        valid_from: first moment at which the registration (not the X.509 validity) holds.
        valid_until: moment from which it holds no more.
    """

    use: CredentialUse
    pem: str
    fingerprint: str
    country: str
    role: str | None = None
    authority_code: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PeerCredential(NewCredential):
    """Is an X.509 certificate registered for a peer."""

    id: int
    peer_id: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class PeerCrl:
    """Is the newest revocation list of one issuer, as fetched (DER or PEM)."""

    peer_id: int
    issuer: str
    this_update: datetime
    next_update: datetime | None
    stored_at: datetime
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Is the state of the way to one peer: parked after failures, open after a success."""

    peer_id: int
    parked_until: datetime | None
    failures: int
    claimed_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewDispatch:
    """Is a message to be delivered: the bytes are sent exactly as given, now and on retry.

    Attributes:
        conversation_id: life of one certificate of origin; its messages keep their order.
        due_at: when to send first; None means at once.
    """

    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    envelope: bytes
    payload: bytes
    created_at: datetime
    refers_to: str | None = None
    test: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Is a message in the outbox.

    Attributes:
        due_at: when it may be claimed; end of the lease while SENDING, None once final.
        fence: number of the newest claim; rises by one with each.
        attempts: claims since queued or resent.
    """

    id: int
    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    refers_to: str | None
    test: bool
    state: DeliveryState
    due_at: datetime | None
    lease_owner: str | None
    fence: int
    attempts: int
    verdict: Verdict | None
    code: str | None
    detail: str | None
    created_at: datetime
    updated_at: datetime
    envelope_sha256: str
    payload_sha256: str
    receipt_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Is one worker's right to send one dispatch until ``lease_until``.

    Attributes:
        fence: proof of the claim; an outcome under an older one is refused.
        attempt: 1 for the first attempt since queued or resent.
    """

    dispatch_id: int
    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    worker: str
    fence: int
    attempt: int
    claimed_at: datetime
    lease_until: datetime
    created_at: datetime
    envelope: bytes
    envelope_sha256: str


@dataclass(frozen=True, kw_only=True)
class AttemptOutcome:
    """Is how one attempt ended.

    Attributes:
        state: DELIVERED, REFUSED, RETRYING or FAILED.
        due_at: when to try again; obligatory for RETRYING and only for it.
        code: wire code of the error or refusal; None on plain success.
        receipt: the peer's receipt envelope, byte for byte, on DELIVERED and REFUSED.
        park_until: nothing else is sent to this peer before; for unreachable peers.
    """

    state: DeliveryState
    ended_at: datetime
    due_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
    http_status: int | None = None
    receipt: bytes | None = None
    verdict: Verdict | None = None
    park_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Is one recorded attempt; without ``ended_at`` it is running or its worker died."""

    dispatch_id: int
    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    code: str | None
    detail: str | None
    http_status: int | None


@dataclass(frozen=True, kw_only=True)
class NewArrival:
    """Is a message of a peer together with the receipt it is answered with.

    Attributes:
        envelope: the bytes received.
        payload: the document's bytes; None where they could not be had.
        code: wire code of a refusal.
    """

    peer_id: int
    message_id: str
    document_type: DocumentType
    conversation_id: str
    envelope: bytes
    payload: bytes | None
    receipt: bytes
    verdict: Verdict
    received_at: datetime
    document_number: str | None = None
    refers_to: str | None = None
    test: bool = False
    signer_fingerprint: str | None = None
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Is a message in the inbox, with the receipt that every repetition is answered with."""

    id: int
    peer_id: int
    message_id: str
    document_type: DocumentType
    document_number: str | None
    conversation_id: str
    refers_to: str | None
    test: bool
    signer_fingerprint: str | None
    verdict: Verdict
    code: str | None
    received_at: datetime
    repeats: int
    envelope_sha256: str
    payload_sha256: str | None
    receipt_sha256: str
    receipt: bytes


@dataclass(frozen=True, kw_only=True)
class CertificateItem:
    """Is a goods item of a registered certificate with its running totals."""

    certificate_id: int
    number: int
    hs_code: str
    country_of_origin: str
    description: str
    unit: str
    certified: Decimal
    used: Decimal
    reexported: Decimal

    @property
    def remaining(self) -> Decimal:
        """What is neither used nor re-exported; negative after over-use."""
        return self.certified - self.used - self.reexported


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """Is a goods item as certified."""

    number: int
    hs_code: str
    country_of_origin: str
    description: str
    unit: str
    certified: Decimal


@dataclass(frozen=True, kw_only=True)
class NewCertificate:
    """Is a certificate of origin to be registered, with the bytes that prove it.

    Attributes:
        payload: the signed document, byte for byte.
        original_serial: serial of the first country's certificate behind a re-export.
        replaces_serial: serial of the certificate that this one replaces.
    """

    side: Side
    agreement: str
    kind: CertificateKind
    serial_number: str
    issuing_country: str
    destination_country: str
    issued_on: date
    valid_until: date
    authority_code: str
    exporter_name: str
    exporter_number: str | None
    consignee_name: str
    test: bool
    state: IssueState | ImportState
    peer_id: int | None
    conversation_id: str
    message_id: str
    original_country: str | None
    original_serial: str | None
    replaces_serial: str | None
    content_sha256: str
    payload: bytes
    items: tuple[NewItem, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CertificateRow:
    """Is a registered certificate of origin.

    Attributes:
        state: IssueState on the issuing side, ImportState on the importing side.
        reported_status: what the highest customs response says.
        missing_responses: sequence numbers below the highest that never came.
        peer_id: the peer that delivered it; None on the issuing side.
        message_id: the message that carried it.
        ended_by: message that cancels or replaces it, once there is one.
        content_sha256: digest of the document's content, whatever its signature.
        payload_sha256: digest of the signed bytes.
    """

    id: int
    side: Side
    agreement: str
    kind: CertificateKind
    serial_number: str
    serial_key: str
    issuing_country: str
    destination_country: str
    issued_on: date
    valid_until: date
    authority_code: str
    exporter_name: str
    exporter_number: str | None
    consignee_name: str
    test: bool
    state: IssueState | ImportState
    state_since: datetime
    reported_status: UtilisationStatus | None
    last_sequence: int
    missing_responses: int
    contradicted: bool
    over_used: bool
    peer_id: int | None
    conversation_id: str
    message_id: str
    original_country: str | None
    original_key: str | None
    replaces_key: str | None
    replaced_by: str | None
    ended_by: str | None
    created_at: datetime
    updated_at: datetime
    content_sha256: str
    payload_sha256: str


@dataclass(frozen=True, kw_only=True)
class CertificateDelivery:
    """Is how far one message about an issued certificate has come at one destination."""

    certificate_id: int
    peer_id: int
    message_id: str
    state: ExchangeState
    code: str | None
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ResponseItem:
    """Is one goods item of a stored customs response."""

    number: int
    unit: str
    quantity: Decimal
    cumulative: Decimal


@dataclass(frozen=True, kw_only=True)
class ResponseRow:
    """Is a customs response, sent (importing side) or received (issuing side)."""

    id: int
    certificate_id: int
    sequence_number: int
    status: UtilisationStatus
    standing: ResponseStanding
    response_number: str | None
    reference_key: str | None
    content_sha256: str
    items: tuple[ResponseItem, ...]
    findings: tuple[str, ...]
    declaration_number: str | None
    officer: str | None
    message_id: str | None
    decided_at: datetime
    stored_at: datetime
    payload_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class UtilisationEntry:
    """Is one line of the utilisation ledger; it is never changed."""

    id: int
    certificate_id: int
    item_number: int
    kind: EntryKind
    quantity: Decimal
    unit: str
    total_after: Decimal
    sequence_number: int | None
    reference: str
    entered_at: datetime


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """Is one line of the journal; ``entry_hash`` covers all of it and the line before."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous_hash: str
    entry_hash: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Is one thing the national system is told; ``cursor`` only rises."""

    cursor: int
    at: datetime
    kind: EventKind
    subject: str
    data: Mapping[str, Any]
