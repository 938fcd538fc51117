"""Responding: what customs decided becomes a ledger step and a signed response on its way.

The national system says what was decided and how much was written off now; sequence number
and cumulative totals come from the ledger, so they cannot disagree with it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from gateway.agreements import Facts, Point, RegisterFacts, Use, check, check_at_each
from gateway.documents import (
    CertificateOfOrigin,
    CustomsResponse,
    Finding,
    Language,
    Severity,
    UtilisationStatus,
)
from gateway.documents.base import (
    CountryCode,
    Day,
    Identifier,
    LongText,
    Moment,
    Quantity,
    Record,
)
from gateway.documents.customs_response import (
    CertificateReference,
    Declaration,
    Officer,
    Reason,
    Security,
)
from gateway.documents.parties import Authority
from gateway.errors import InvalidDocumentError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.known import facts_about_subject, stored_certificate
from gateway.exchange.outbound import Submission, queue, receiving_peer
from gateway.exchange.receipts import to_minute
from gateway.register.decision import CustomsDecision, DrawnItem, LedgerOutcome, UsePolicy
from gateway.register.importing import decide
from gateway.store import CertificateRow, Side, certificates

_GRANTED = frozenset(
    {
        UtilisationStatus.ACCEPTED,
        UtilisationStatus.ACCEPTED_MINOR,
        UtilisationStatus.PARTIAL,
        UtilisationStatus.FULL,
    }
)
"""With these customs grant the preference, so the certificate is judged once more (point C)."""


class WriteOff(Record):
    """Is the quantity of one goods item that customs writes off now."""

    number: Annotated[int, Field(ge=1, le=99_999)]
    quantity: Quantity


class CustomsDecisionForm(Record):
    """Is what the national system says about one decision of customs on a known certificate.

    Attributes:
        reference: the customs system's own key of this decision; saying it again repeats
            the answer and writes nothing off twice.
        items: for PARTIAL and FULL; FULL without items writes off all that remains.
        exceptional: use after the end of validity is granted (V73).
    """

    status: UtilisationStatus
    reference: Identifier
    decided_at: Moment
    language: Language = Language.ENGLISH
    customs_authority: Authority
    officer: Officer
    items: tuple[WriteOff, ...] = ()
    reasons: tuple[Reason, ...] = ()
    declaration: Declaration | None = None
    security: Security | None = None
    remarks: LongText | None = None
    exceptional: bool = False


class CustomsAction(CustomsDecisionForm):
    """Is a decision of customs with the certificate it is about (JSON of `eco respond`)."""

    issuing_country: CountryCode
    serial_number: Identifier
    issued_on: Day | None = None


def respond(desk: Desk, action: CustomsAction) -> Submission:
    """Return the submission of the response that ``action`` amounts to.

    1. The certificate was received here; its agreement says how it may be used.
    2. The ledger decides under a lock: over-use, wrong units and dead certificates stop here.
    3. The response document carries the ledger's sequence number and totals; rules judge it.
    4. Ledger step, response and queued message are one transaction.

    Raises:
        NotFoundError: no such certificate was received.
        InvalidDocumentError: with every finding; nothing was written off.
        ConflictError: the reference was used for another decision.
    """
    with desk.store.begin() as conn:
        return respond_within(desk, conn, action)


def respond_within(desk: Desk, conn: Connection, action: CustomsAction) -> Submission:
    """Do what ``respond`` does inside the caller's transaction."""
    certificate = received(conn, action.issuing_country, action.serial_number)  # 1
    original = stored_certificate(desk, conn, certificate)
    before = facts_about_subject(conn, certificate)
    outcome = decide(  # 2
        conn, _decision(action), _policy(desk, certificate), at=desk.clock()
    )
    document = _response(desk, action, original, outcome)  # 3
    if outcome.repeated and outcome.response.message_id is not None:
        return Submission(
            document_number=document.response_number,
            receiver=receiving_peer(conn, document).identifier,
            message_id=outcome.response.message_id,
            findings=outcome.findings,
            repeated=True,
        )
    findings = outcome.findings + _judge(desk, document, original, before)
    return queue(  # 4
        desk, conn, document, receiving_peer(conn, document), findings=findings
    )


def received(conn: Connection, issuing_country: str, serial_number: str) -> CertificateRow:
    """Return the certificate received under this number.

    Raises:
        NotFoundError: none was.
    """
    found = certificates.find(conn, Side.RECEIVED, issuing_country, serial_number)
    if found is None:
        raise NotFoundError(
            f"no certificate {serial_number!r} of {issuing_country} was received here"
        )
    return found


def _decision(action: CustomsAction) -> CustomsDecision:
    return CustomsDecision(
        issuing_country=action.issuing_country,
        serial_number=action.serial_number,
        status=action.status,
        reference=action.reference,
        decided_at=action.decided_at,
        items=tuple(DrawnItem(number=item.number, quantity=item.quantity) for item in action.items),
        presented_on=None if action.declaration is None else action.declaration.declared_on,
        declaration_number=None if action.declaration is None else action.declaration.number,
        officer=action.officer.identifier,
        exceptional=action.exceptional,
        reason_codes=tuple(reason.code for reason in action.reasons),
    )


def _policy(desk: Desk, certificate: CertificateRow) -> UsePolicy:
    agreement = desk.agreements.get(certificate.agreement)
    if agreement is None:
        raise NotFoundError(f"the agreement {certificate.agreement!r} is not in force here")
    return UsePolicy(
        partial=agreement.use is Use.PARTIAL,
        tolerance_percent=agreement.limits.use_tolerance_percent,
    )


def _response(
    desk: Desk,
    action: CustomsAction,
    original: CertificateOfOrigin,
    outcome: LedgerOutcome,
) -> CustomsResponse:
    certificate = outcome.certificate
    return CustomsResponse(
        agreement=certificate.agreement,
        test=certificate.test,
        response_number=f"{desk.identity.country}-R{certificate.id}-{outcome.sequence_number:03}",
        language=action.language,
        issued_at=to_minute(desk.clock()),
        customs_authority=action.customs_authority,
        officer=action.officer,
        recipient_authority=original.issuing_authority,
        certificate=CertificateReference(
            serial_number=certificate.serial_number,
            issued_on=certificate.issued_on,
            issuing_country=certificate.issuing_country,
        ),
        sequence_number=outcome.sequence_number,
        status=outcome.status,
        decided_at=action.decided_at,
        reasons=action.reasons,
        items=outcome.utilised_items,
        declaration=action.declaration,
        security=action.security,
        remarks=action.remarks,
    )


def _judge(
    desk: Desk, document: CustomsResponse, original: CertificateOfOrigin, before: RegisterFacts
) -> tuple[Finding, ...]:
    """Return what rules say of the response, and of the certificate at the moment of use."""
    facts = Facts(
        point=Point.USE,
        now=desk.clock(),
        own_country=desk.identity.country,
        hs=desk.hs,
        register=before,
    )
    agreement = desk.agreement(document)
    judged = check_at_each(document, agreement, facts, (Point.USE, Point.SEND))
    if document.status in _GRANTED:
        judged += check(original, agreement, facts)
    found: dict[tuple[str, str], Finding] = {}
    for finding in judged:
        found.setdefault((finding.rule, finding.path), finding)
    findings = tuple(found.values())
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidDocumentError(
            f"the response to {document.certificate.serial_number} breaks rules",
            findings=findings,
        )
    return findings
