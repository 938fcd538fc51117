"""The calls about certificates, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from gateway.client.api.shared import FindingView, Links, TakenAnswer
from gateway.client.calls import Calls, step
from gateway.client.connection import Body
from gateway.client.views import Known, View
from gateway.documents.base import Record
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import (
    CertificateKind,
    DocumentType,
    Language,
    UtilisationStatus,
    Verdict,
)


class Side(StrEnum):
    """Says on which side of a certificate of origin we stand."""

    ISSUED = "ISSUED"
    RECEIVED = "RECEIVED"


class IssueState(StrEnum):
    """Is the state of a certificate of origin at its issuing side."""

    ISSUED = "ISSUED"
    CANCELLING = "CANCELLING"
    REPLACING = "REPLACING"
    CANCELLED = "CANCELLED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"


class ImportState(StrEnum):
    """Is the state of a certificate of origin at its importing side."""

    RECEIVED = "RECEIVED"
    AVAILABLE = "AVAILABLE"
    PRESENTED = "PRESENTED"
    ACCEPTED = "ACCEPTED"
    ACCEPTED_MINOR = "ACCEPTED_MINOR"
    UNDER_VERIFICATION = "UNDER_VERIFICATION"
    PENDING = "PENDING"
    PARTIALLY_UTILISED = "PARTIALLY_UTILISED"
    UTILISED = "UTILISED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    CANCELLED = "CANCELLED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"


class StepKind(StrEnum):
    """Says what happened in one step."""

    REGISTERED = "REGISTERED"
    MESSAGE_QUEUED = "MESSAGE_QUEUED"
    ATTEMPT = "ATTEMPT"
    VERDICT = "VERDICT"
    MESSAGE_RECEIVED = "MESSAGE_RECEIVED"
    STATE = "STATE"
    RESPONSE = "RESPONSE"
    USE = "USE"


class EntryKind(StrEnum):
    """Says why the total of a goods item changed."""

    USE = "USE"
    REEXPORT = "REEXPORT"
    REVERSAL = "REVERSAL"


class Likeness(StrEnum):
    """Says how what is declared compares with what is certified."""

    EQUAL = "EQUAL"
    FORM = "FORM"
    DIFFERS = "DIFFERS"
    MISSING = "MISSING"


class Explanation(StrEnum):
    """Names the sentence that explains a comparison."""

    SAME = "SAME"
    SPELLING = "SPELLING"
    HS_SUBHEADING = "HS_SUBHEADING"
    HS_OTHER = "HS_OTHER"
    ORIGIN_OTHER = "ORIGIN_OTHER"
    NAME_OTHER = "NAME_OTHER"
    INVOICE_OTHER = "INVOICE_OTHER"
    NOT_DECLARED = "NOT_DECLARED"
    NO_SUCH_ITEM = "NO_SUCH_ITEM"
    ITEM_NOT_DECLARED = "ITEM_NOT_DECLARED"
    UNIT_OTHER = "UNIT_OTHER"
    UNIT_CONVERTED = "UNIT_CONVERTED"
    ALL_THAT_REMAINS = "ALL_THAT_REMAINS"
    WITHIN_REMAINDER = "WITHIN_REMAINDER"
    BEYOND_REMAINDER = "BEYOND_REMAINDER"


class CertificateSummary(View):
    """Is a certificate of origin as lists show it."""

    issuing_country: str
    serial_number: str
    issued_on: date
    valid_until: date
    side: Known[Side]
    state: Known[IssueState] | Known[ImportState]
    state_since: datetime
    agreement: str
    kind: Known[CertificateKind]
    destination_country: str
    authority_code: str
    exporter: str
    exporter_number: str | None
    consignee: str
    customs_status: Known[UtilisationStatus] | None
    test: bool
    updated_at: datetime


class SearchAnswer(View):
    """Is one page of certificates; a page may be short or empty and yet have a next one."""

    certificates: tuple[CertificateSummary, ...]
    next: str | None


class ItemView(View):
    """Is a goods item with what is left of it."""

    number: int
    hs_code: str
    country_of_origin: str
    description: str
    unit: str
    certified: Decimal
    used: Decimal
    reexported: Decimal
    remaining: Decimal


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


class StepView(View):
    """Is one step of a timeline; what does not apply is null."""

    at: datetime
    kind: Known[StepKind]
    message_id: str | None
    document_type: Known[DocumentType] | None
    document_number: str | None
    peer: str | None
    verdict: Known[Verdict] | None
    code: str | None
    detail: str | None
    number: int | None
    state: str | None
    status: Known[UtilisationStatus] | None
    declaration: str | None
    entry: Known[EntryKind] | None
    quantity: Decimal | None
    unit: str | None
    total: Decimal | None
    findings: tuple[FindingView, ...]


class TimelineAnswer(View):
    """Is everything that happened to one certificate, oldest first."""

    certificate: CertificateSummary
    steps: tuple[StepView, ...]


class LedgerLine(View):
    """Is one line of the utilisation ledger; it is never changed."""

    item_number: int
    kind: Known[EntryKind]
    quantity: Decimal
    unit: str
    total_after: Decimal
    sequence_number: int | None
    reference: str
    entered_at: datetime


class LedgerAnswer(View):
    """Is the utilisation ledger of one certificate."""

    issuing_country: str
    serial_number: str
    customs_status: Known[UtilisationStatus] | None
    over_used: bool
    items: tuple[ItemView, ...]
    entries: tuple[LedgerLine, ...]


class DeclaredItemForm(Record):
    """Is one line of an import declaration; what is left out is not compared.

    Attributes:
        number: of the goods item on the certificate that it is declared under.
        hs: national subheadings are taken as such.
        quantity: in `unit`, or in the unit of the certificate.
    """

    number: int
    hs: str = ""
    origin: str = ""
    quantity: Decimal | None = None
    unit: str = ""


class DeclarationForm(Record):
    """Is what an import declaration states about a consignment; it is looked at and not kept."""

    exporter: str = ""
    consignee: str = ""
    invoice: str = ""
    items: tuple[DeclaredItemForm, ...] = ()


class ComparedView(View):
    """Is one datum on both papers.

    Attributes:
        datum: exporter, consignee, invoice, hs, origin, quantity or item.
        item: number of the goods item; null for the whole certificate.
        likeness: DIFFERS alone has to be explained or asked about; FORM never justifies a refusal.
        explanation: code of the reason.
        left: of a quantity, what was left of the item before this declaration, in its unit.
    """

    datum: str
    item: int | None
    certified: str
    declared: str
    likeness: Known[Likeness]
    explanation: Known[Explanation]
    left: Decimal | None


class DeclarationAnswer(View):
    """Is how a declaration compares with a certificate, of the whole first, then item by item.

    Attributes:
        agrees: nothing differs in more than form.
    """

    issuing_country: str
    serial_number: str
    agrees: bool
    comparisons: tuple[ComparedView, ...]


class CertificatesCalls(Calls):
    """Makes the calls about certificates."""

    def submit_certificate(
        self,
        content: Body,
        *,
        media_type: str,
        format: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> TakenAnswer:
        """Take one certificate of origin, or say what taking it would answer.

        POST /certificates, with the scope certificates:submit.
        """
        return self._post(
            TakenAnswer,
            "/certificates",
            content,
            media_type=media_type,
            query={"format": format, "dry_run": dry_run},
            idempotency_key=idempotency_key,
            keyed=True,
        )

    def search_certificates(
        self,
        *,
        serial: str | None = None,
        exporter: str | None = None,
        consignee: str | None = None,
        invoice: str | None = None,
        declaration: str | None = None,
        hs: str | None = None,
        issuing_country: str | None = None,
        destination_country: str | None = None,
        state: IssueState | ImportState | None = None,
        kind: CertificateKind | None = None,
        side: Side | None = None,
        issued_from: date | None = None,
        issued_until: date | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SearchAnswer:
        """Return one page of the certificates that meet the criteria.

        GET /certificates, with the scope certificates:read.
        """
        return self._get(
            SearchAnswer,
            "/certificates",
            {
                "serial": serial,
                "exporter": exporter,
                "consignee": consignee,
                "invoice": invoice,
                "declaration": declaration,
                "hs": hs,
                "issuing_country": issuing_country,
                "destination_country": destination_country,
                "state": state,
                "kind": kind,
                "side": side,
                "issued_from": issued_from,
                "issued_until": issued_until,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def get_certificate(
        self, country: str, serial: str, *, issued_on: date | None = None
    ) -> CertificateAnswer:
        """Return one certificate with its goods items and its document.

        GET /certificates/{country}/{serial}, with the scope certificates:read.
        """
        return self._get(
            CertificateAnswer,
            f"/certificates/{step(country)}/{step(serial)}",
            {"issued_on": issued_on},
        )

    def get_signed_document(
        self, country: str, serial: str, *, issued_on: date | None = None
    ) -> bytes:
        """Return the signed XML of one certificate, byte for byte.

        GET /certificates/{country}/{serial}/document, with the scope certificates:read.
        """
        return self._bytes(
            f"/certificates/{step(country)}/{step(serial)}/document",
            "application/xml",
            {"issued_on": issued_on},
        )

    def get_paper(
        self,
        country: str,
        serial: str,
        *,
        issued_on: date | None = None,
        language: Language | None = None,
        copy_number: int = 1,
    ) -> bytes:
        """Return one certificate as a PDF form with the signed XML inside.

        Every print is a copy and says so: the original is electronic.

        GET /certificates/{country}/{serial}/paper, with the scope certificates:read.
        """
        return self._bytes(
            f"/certificates/{step(country)}/{step(serial)}/paper",
            "application/pdf",
            {"issued_on": issued_on, "language": language, "copy_number": copy_number},
        )

    def get_timeline(
        self, country: str, serial: str, *, issued_on: date | None = None
    ) -> TimelineAnswer:
        """Return everything that happened to one certificate.

        GET /certificates/{country}/{serial}/timeline, with the scope certificates:read.
        """
        return self._get(
            TimelineAnswer,
            f"/certificates/{step(country)}/{step(serial)}/timeline",
            {"issued_on": issued_on},
        )

    def get_ledger(
        self, country: str, serial: str, *, issued_on: date | None = None
    ) -> LedgerAnswer:
        """Return the utilisation ledger of one certificate.

        GET /certificates/{country}/{serial}/ledger, with the scope certificates:read.
        """
        return self._get(
            LedgerAnswer,
            f"/certificates/{step(country)}/{step(serial)}/ledger",
            {"issued_on": issued_on},
        )

    def compare_declaration(
        self, country: str, serial: str, content: DeclarationForm, *, issued_on: date | None = None
    ) -> DeclarationAnswer:
        """Return how a declaration compares with a certificate, datum by datum, with the reason.

        POST /certificates/{country}/{serial}/comparison, with the scope certificates:read.
        """
        return self._post(
            DeclarationAnswer,
            f"/certificates/{step(country)}/{step(serial)}/comparison",
            content,
            query={"issued_on": issued_on},
        )
