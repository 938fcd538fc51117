"""Answers and vocabularies that several parts of the interface share.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.client.views import Known, View
from gateway.documents.codes import DocumentType, Severity


class PeerState(StrEnum):
    """Says whether we exchange messages with a peer."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class EventKind(StrEnum):
    """Names what the national system is told."""

    MESSAGE_DELIVERED = "MESSAGE_DELIVERED"
    MESSAGE_REFUSED = "MESSAGE_REFUSED"
    MESSAGE_FAILED = "MESSAGE_FAILED"
    MESSAGE_HELD = "MESSAGE_HELD"
    MESSAGE_QUEUED_AGAIN = "MESSAGE_QUEUED_AGAIN"
    CERTIFICATE_AVAILABLE = "CERTIFICATE_AVAILABLE"
    CERTIFICATE_CHANGED = "CERTIFICATE_CHANGED"
    CERTIFICATE_CANCELLED = "CERTIFICATE_CANCELLED"
    CERTIFICATE_REPLACED = "CERTIFICATE_REPLACED"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    DOCUMENT_REFUSED = "DOCUMENT_REFUSED"
    RESPONSE_RECEIVED = "RESPONSE_RECEIVED"
    RESPONSE_RECOVERED = "RESPONSE_RECOVERED"
    UTILISATION_CHANGED = "UTILISATION_CHANGED"
    OVER_USE = "OVER_USE"
    OVER_USE_ATTEMPTED = "OVER_USE_ATTEMPTED"
    CONTRADICTION = "CONTRADICTION"
    GAP = "GAP"
    SERIAL_REUSED = "SERIAL_REUSED"
    MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"
    BOOKS_AGREED = "BOOKS_AGREED"
    BOOKS_DIFFER = "BOOKS_DIFFER"
    BOOKS_ASK_PERSON = "BOOKS_ASK_PERSON"
    BOOKS_RESTORED = "BOOKS_RESTORED"
    PEER_SILENT = "PEER_SILENT"
    PEER_BACK = "PEER_BACK"
    PEER_SUSPENDED = "PEER_SUSPENDED"
    PEER_RESUMED = "PEER_RESUMED"
    MAINTENANCE_ANNOUNCED = "MAINTENANCE_ANNOUNCED"
    MAINTENANCE_ENDED = "MAINTENANCE_ENDED"
    WEBHOOK_STOPPED = "WEBHOOK_STOPPED"


class FindingView(View):
    """Is one complaint about a document, in one language.

    Attributes:
        message: the cause.
    """

    rule: str
    severity: Known[Severity]
    path: str
    box: str | None
    article: str | None
    message: str
    remedy: str


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


class ReceiverView(View):
    """Is the peer that gets a document, and what it takes from us."""

    identifier: str
    country: str
    name: str
    state: Known[PeerState]
    test: bool
    document_types: tuple[Known[DocumentType], ...]
    live_from: datetime | None


class PeerJudgement(View):
    """Is what the peer would say of a document that is only tried, as far as is known here."""

    would_refuse: bool
    findings: tuple[FindingView, ...]


class Links(View):
    """Holds addresses below this gateway for what follows; null where there is nothing."""

    certificate: str
    timeline: str
    message: str | None


class TakenAnswer(View):
    """Is what became of a document handed over.

    Attributes:
        message_id: of the message that carries it; null for a dry run.
        repeated: it was handed over before; nothing new was stored.
        peer: for a dry run only.
    """

    document_type: Known[DocumentType]
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
