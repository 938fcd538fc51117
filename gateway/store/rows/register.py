"""Rows of the register and the utilisation ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from gateway.documents.codes import CertificateKind, UtilisationStatus
from gateway.store.states import (
    DeliveryRole,
    EntryKind,
    ExchangeState,
    ImportState,
    IssueState,
    ResponseStanding,
    SearchField,
    Side,
)


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


@dataclass(frozen=True)
class SearchKey:
    """Is one spelling under which a certificate is found; ``term`` is canonical."""

    field: SearchField
    term: str


@dataclass(frozen=True, kw_only=True)
class NewCertificate:
    """Is a certificate of origin to be registered, with the bytes that prove it.

    Attributes:
        payload: the signed document, byte for byte.
        original_serial: serial of the first country's certificate behind a re-export.
        replaces_serial: serial of the certificate that this one replaces.
        keys: what the certificate is found by.
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
    keys: frozenset[SearchKey] = frozenset()


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
    role: DeliveryRole
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
    reasons: tuple[str, ...]
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
