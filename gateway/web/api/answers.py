"""The answers of the interface as models; what REST and its description both rest on."""

from __future__ import annotations

from datetime import datetime

from gateway.documents import (
    CertificateOfOrigin,
    DocumentType,
    UtilisationStatus,
    Verdict,
)
from gateway.services.access import Scope
from gateway.services.maintenance import MaintenanceView
from gateway.services.mappings import MappingSummary
from gateway.services.reference import AgreementView, CodeListSummary, FormatView
from gateway.services.timeline import StepKind
from gateway.services.wording import (
    CertificateSummary,
    Figure,
    FindingView,
    ItemView,
    ReceiverView,
    View,
)
from gateway.store import EntryKind, OrganisationKind


class Links(View):
    """Holds addresses below this gateway for what follows; null where there is nothing."""

    certificate: str
    timeline: str
    message: str | None


class PeerJudgement(View):
    """Is what the peer would say of a document that is only tried, as far as is known here."""

    would_refuse: bool
    findings: tuple[FindingView, ...]


class TakenAnswer(View):
    """Is what became of a document handed over.

    Attributes:
        message_id: of the message that carries it; null for a dry run.
        repeated: it was handed over before; nothing new was stored.
        peer: for a dry run only.
    """

    document_type: DocumentType
    document_number: str
    issuing_country: str
    serial_number: str
    message_id: str | None
    repeated: bool
    dry_run: bool
    receiver: ReceiverView | None
    findings: tuple[FindingView, ...]
    peer: PeerJudgement | None
    links: Links


class CertificateAnswer(CertificateSummary):
    """Is one certificate of origin with all that is known of it.

    Attributes:
        document: what was signed, in canonical JSON; null once erased under retention.
        sha256: digest of the signed XML.
    """

    items: tuple[ItemView, ...]
    over_used: bool
    contradicted: bool
    missing_responses: int
    replaced_by: str | None
    message_id: str
    conversation_id: str
    sha256: str
    document: CertificateOfOrigin | None
    links: Links


class SearchAnswer(View):
    """Is one page of certificates; a page may be short or empty and yet have a next one."""

    certificates: tuple[CertificateSummary, ...]
    next: str | None


class StepView(View):
    """Is one step of a timeline; what does not apply is null."""

    at: datetime
    kind: StepKind
    message_id: str | None
    document_type: DocumentType | None
    document_number: str | None
    peer: str | None
    verdict: Verdict | None
    code: str | None
    detail: str | None
    number: int | None
    state: str | None
    status: UtilisationStatus | None
    declaration: str | None
    entry: EntryKind | None
    quantity: Figure | None
    unit: str | None
    total: Figure | None
    findings: tuple[FindingView, ...]


class TimelineAnswer(View):
    """Is everything that happened to one certificate, oldest first."""

    certificate: CertificateSummary
    steps: tuple[StepView, ...]


class LedgerLine(View):
    """Is one line of the utilisation ledger; it is never changed."""

    item_number: int
    kind: EntryKind
    quantity: Figure
    unit: str
    total_after: Figure
    sequence_number: int | None
    reference: str
    entered_at: datetime


class LedgerAnswer(View):
    """Is the utilisation ledger of one certificate."""

    issuing_country: str
    serial_number: str
    customs_status: UtilisationStatus | None
    over_used: bool
    items: tuple[ItemView, ...]
    entries: tuple[LedgerLine, ...]


class CodeListsAnswer(View):
    """Is the list of code lists."""

    code_lists: tuple[CodeListSummary, ...]


class AgreementsAnswer(View):
    """Is the list of agreements in force here."""

    agreements: tuple[AgreementView, ...]


class PeersAnswer(View):
    """Is the list of peers, with what each accepts."""

    peers: tuple[ReceiverView, ...]


class MaintenanceAnswer(View):
    """Is the list of announced maintenance that has not ended, ours and the peers'."""

    maintenance: tuple[MaintenanceView, ...]


class FormatsAnswer(View):
    """Is the list of national formats."""

    formats: tuple[FormatView, ...]


class MappingsAnswer(View):
    """Is the list of national formats with the versions in force."""

    mappings: tuple[MappingSummary, ...]


class MeAnswer(View):
    """Is who asks, and what the key is good for.

    Attributes:
        credential: visible part of the key.
        gateway: identifier of this gateway among its peers.
    """

    organisation: str
    name: str
    kind: OrganisationKind
    country: str
    authority_code: str | None
    credential: str
    scopes: tuple[Scope, ...]
    expires_at: datetime
    gateway: str
    test: bool


class ProblemView(View):
    """Is a problem document (RFC 9457).

    Attributes:
        type: ``urn:…:Problem:1:`` and the code.
        code: one of docs/errors.md.
        retryable: the very same request may succeed later.
        findings: everything that is wrong, in the language asked for.
        correlation_id: what the log calls this request.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    remedy: str
    correlation_id: str
    instance: str | None = None
    findings: tuple[FindingView, ...] = ()
