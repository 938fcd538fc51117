"""The forms of the answers that every way in shares: findings in one language, peers, items.

Members are added over time, never renamed or removed within a major version.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from gateway.documents import (
    CertificateKind,
    DocumentType,
    Finding,
    Language,
    Severity,
    UtilisationStatus,
    Verdict,
)
from gateway.store import (
    CertificateItem,
    CertificateRow,
    DeliveryState,
    ImportState,
    IssueState,
    Peer,
    PeerState,
    Side,
)

Figure = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value.normalize():f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]
"""A quantity in plain digits; a string in JSON, never a float."""


class View(BaseModel):
    """Is the frozen base of every answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FindingView(View):
    """Is one complaint about a document, in one language.

    Attributes:
        message: the cause.
    """

    rule: str
    severity: Severity
    path: str
    box: str | None
    article: str | None
    message: str
    remedy: str


class ReceiverView(View):
    """Is the peer that gets a document, and what it takes from us."""

    identifier: str
    country: str
    name: str
    state: PeerState
    test: bool
    document_types: tuple[DocumentType, ...]
    live_from: datetime | None


class ItemView(View):
    """Is a goods item with what is left of it."""

    number: int
    hs_code: str
    country_of_origin: str
    description: str
    unit: str
    certified: Figure
    used: Figure
    reexported: Figure
    remaining: Figure


class CertificateSummary(View):
    """Is a certificate of origin as lists show it."""

    issuing_country: str
    serial_number: str
    issued_on: date
    valid_until: date
    side: Side
    state: IssueState | ImportState
    state_since: datetime
    agreement: str
    kind: CertificateKind
    destination_country: str
    authority_code: str
    exporter: str
    exporter_number: str | None
    consignee: str
    customs_status: UtilisationStatus | None
    test: bool
    updated_at: datetime


class MessageView(View):
    """Is one message, sent or received.

    Attributes:
        state: how far one that we send has come; None for a received one.
    """

    message_id: str
    sent: bool
    peer: str
    document_type: DocumentType
    document_number: str | None
    conversation_id: str
    refers_to: str | None
    state: DeliveryState | None
    verdict: Verdict | None
    code: str | None
    detail: str | None
    at: datetime
    attempts: int
    findings: tuple[FindingView, ...]


def finding_view(finding: Finding, language: Language) -> FindingView:
    """Return a finding in one language."""
    return FindingView(
        rule=finding.rule,
        severity=finding.severity,
        path=finding.path,
        box=finding.box,
        article=finding.article,
        message=finding.message.in_language(language),
        remedy=finding.remedy.in_language(language),
    )


def receiver_view(peer: Peer) -> ReceiverView:
    """Return what is said of a peer to the national side: its public card."""
    return ReceiverView(
        identifier=peer.identifier,
        country=peer.country,
        name=peer.name,
        state=peer.state,
        test=peer.test,
        document_types=peer.document_types,
        live_from=peer.live_from,
    )


def item_view(item: CertificateItem) -> ItemView:
    """Return a goods item with its totals."""
    values = {name: getattr(item, name) for name in ItemView.model_fields}
    return ItemView(**values)


def certificate_summary(row: CertificateRow) -> CertificateSummary:
    """Return a certificate as lists show it."""
    renamed = {
        "exporter": row.exporter_name,
        "consignee": row.consignee_name,
        "customs_status": row.reported_status,
    }
    own = CertificateSummary.model_fields.keys() - renamed.keys()
    return CertificateSummary(**{name: getattr(row, name) for name in own}, **renamed)
