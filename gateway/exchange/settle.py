"""Settling an authentic message: judge its document, book it, answer it, all at once.

Arrival, register or ledger step, receipt, journal and events are written in one transaction,
so that no receipt exists without what it acknowledges, and nothing is booked unanswered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from gateway.agreements import Facts, Point, RegisterFacts, WireFacts, check
from gateway.documents import (
    BooksStatement,
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    Finding,
    Verdict,
    document_number_of,
    verdict_of,
)
from gateway.envelope import Header
from gateway.errors import InvalidDocumentError, MessageIdReusedError, NotFoundError
from gateway.exchange import reconcile
from gateway.exchange.context import Desk
from gateway.exchange.examine import Examined, examine
from gateway.exchange.known import facts_about, presumed_about
from gateway.exchange.receipts import ReceivedMessage, make_receipt
from gateway.exchange.reconcile_answer import (
    ReceivedStatement,
    findings_of,
    require_certificate,
)
from gateway.exchange.refusals import tell_refused, tell_reused_serial
from gateway.exchange.specimens import SpecimenBook, with_specimens
from gateway.exchange.trust_findings import finding_of
from gateway.register import register
from gateway.store import Arrival, NewArrival, Peer, inbox
from gateway.trust import PeerTrust

RULES_BROKEN = "RULES_BROKEN"
"""Wire code of a refusal whose reasons are business rules."""


@dataclass(frozen=True, kw_only=True)
class Authentic:
    """Is a message whose envelope was verified and fits; its document is not yet judged."""

    raw: bytes
    sha256: str
    header: Header
    payload: bytes
    peer: Peer
    trust: PeerTrust
    specimens: SpecimenBook
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Is what becomes of the document of an authentic message."""

    document: Document | None
    verdict: Verdict
    code: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """Is what a message will be answered if the register still says what it said.

    Rules are judged and receipts signed before the transaction, because meanwhile others wait.

    Attributes:
        known: what the register said, or was presumed to say.
    """

    known: RegisterFacts | None
    judged: Judged
    receipt: bytes


def settle(desk: Desk, message: Authentic) -> bytes:
    """Return the receipt for ``message`` after storing all that it acknowledges.

    1. Examine the payload: signature, schema, content.
    2. Judge the document by the rules, with what the register knows, or most likely knows;
       sign the receipt.
    3. Open the transaction; a twin that came first has its receipt repeated.
    4. Judge again if the register says anything else.
    5. Book the document where it was not refused, then arrival and receipt; sign another
       receipt if booking changed the answer.

    Raises:
        GatewayError: only where a later attempt with the same bytes may fare better.
    """
    examined = examine(  # 1
        desk, message.payload, message.header.document_type, message.trust, message.now
    )
    examined = _with_specimens(examined, message.specimens)  # 1
    foreseen = _foresee(desk, message, examined)  # 2
    return desk.store.together(lambda conn: _settled(desk, conn, message, examined, foreseen))


def _with_specimens(examined: Examined, book: SpecimenBook) -> Examined:
    """Return what was found in a payload, and how its pictures compare with the specimens."""
    document, facts = examined.document, examined.signature
    if not book.entries or facts is None or not isinstance(document, CertificateOfOrigin):
        return examined
    return replace(examined, signature=with_specimens(facts, document, book))


def _foresee(desk: Desk, message: Authentic, examined: Examined) -> Foreseen:
    known = _presumed(desk, examined)
    judged = _judge(desk, message, examined, known)
    return Foreseen(known=known, judged=judged, receipt=_receipt(desk, message, judged))


def _presumed(desk: Desk, examined: Examined) -> RegisterFacts | None:
    """Return what the register knows, without asking it where the answer hardly varies."""
    presumed = None if examined.document is None else presumed_about(examined.document)
    if examined.document is None or presumed is not None:
        return presumed
    with desk.store.read() as conn:
        return _known(conn, examined)


def _settled(
    desk: Desk, conn: Connection, message: Authentic, examined: Examined, foreseen: Foreseen
) -> bytes:
    twin = inbox.reserve(conn, message.peer.id, message.header.message_id)  # 3
    if twin is not None:
        return repeat(conn, twin, message.sha256, message.now)
    if isinstance(examined.document, CustomsResponse):
        document = examined.document
        require_certificate(conn, message.peer, message.header, document, now=message.now)
    judged, known = foreseen.judged, _known(conn, examined)
    if known != foreseen.known:
        judged = _judge(desk, message, examined, known)  # 4
    judged = _booked(desk, conn, message, judged)  # 5
    receipt = foreseen.receipt
    if judged != foreseen.judged:
        receipt = _receipt(desk, message, judged)
    inbox.record_arrival(conn, _arrival(message, examined, judged, receipt))
    if judged.verdict is Verdict.REFUSED:
        tell_refused(
            conn,
            message.header,
            peer_id=message.peer.id,
            code=judged.code,
            own_country=desk.identity.country,
            at=message.now,
        )
    return receipt


def _known(conn: Connection, examined: Examined) -> RegisterFacts | None:
    """Return what the register knows about what the document touches; None for nothing read."""
    if examined.document is None:
        return None
    return facts_about(conn, examined.document, outbound=False)


def repeat(conn: Connection, earlier: Arrival, sha256: str, now: datetime) -> bytes:
    """Return the receipt of ``earlier`` for the same message that came again.

    Raises:
        MessageIdReusedError: other content came under the same message id.
    """
    if earlier.envelope_sha256 != sha256:
        raise MessageIdReusedError(
            f"{earlier.message_id} was received before with other content "
            f"({earlier.envelope_sha256[:16]}… then, {sha256[:16]}… now)"
        )
    inbox.note_repeat(conn, earlier, at=now)
    return earlier.receipt


def _judge(
    desk: Desk, message: Authentic, examined: Examined, known: RegisterFacts | None
) -> Judged:
    document = examined.document
    if document is None:
        return Judged(
            document=None, verdict=Verdict.REFUSED, code=examined.code, findings=examined.findings
        )
    if isinstance(document, BooksStatement):
        return _judge_books(message, document)
    try:
        agreement = desk.agreement(document)
    except NotFoundError as exc:
        return Judged(
            document=document, verdict=Verdict.REFUSED, code=exc.code, findings=(finding_of(exc),)
        )
    findings = check(document, agreement, _facts(desk, message, examined, known))
    verdict = verdict_of(findings)
    code = RULES_BROKEN if verdict is Verdict.REFUSED else None
    return Judged(document=document, verdict=verdict, code=code, findings=findings)


def _facts(
    desk: Desk, message: Authentic, examined: Examined, known: RegisterFacts | None
) -> Facts:
    header = message.header
    wire = WireFacts(
        sender_country=header.sender_country,
        receiver_country=header.receiver_country,
        own_country=desk.identity.country,
        signer_country=message.peer.country,
        created_at=header.created_at,
        document_type_agreed=True,
    )
    return Facts(
        point=Point.RECEIPT,
        now=message.now,
        own_country=desk.identity.country,
        hs=desk.hs,
        wire=wire,
        signature=examined.signature,
        register=known,
    )


def _receipt(desk: Desk, message: Authentic, judged: Judged) -> bytes:
    document = judged.document
    received = ReceivedMessage(
        header=message.header,
        sha256=message.sha256,
        received_at=message.now,
        document_number=None if document is None else document_number_of(document),
    )
    return make_receipt(
        desk, received, verdict=judged.verdict, code=judged.code, findings=judged.findings
    )


def _booked(desk: Desk, conn: Connection, message: Authentic, judged: Judged) -> Judged:
    """Book the document unless it was refused; the register may still refuse it."""
    if judged.verdict is Verdict.REFUSED or judged.document is None:
        own, at = message.header.message_id, message.now
        tell_reused_serial(conn, judged.document, judged.findings, message_id=own, at=at)
        return judged
    try:
        extra = _book(desk, conn, message, judged.document)
    except InvalidDocumentError as exc:
        findings = _merged(judged.findings, exc.findings)
        return replace(judged, verdict=Verdict.REFUSED, code=RULES_BROKEN, findings=findings)
    findings = _merged(judged.findings, extra)
    return replace(judged, verdict=verdict_of(findings), findings=findings)


def _book(
    desk: Desk, conn: Connection, message: Authentic, document: Document
) -> tuple[Finding, ...]:
    if isinstance(document, CertificateOfOrigin):
        carriage = register.Carriage(
            payload=message.payload,
            message_id=message.header.message_id,
            conversation_id=message.header.conversation_id,
            peer_id=message.peer.id,
            at=message.now,
        )
        register.record_received(conn, document, carriage)
        return ()
    if isinstance(document, CustomsResponse):
        received = register.ReceivedResponse(
            document=document,
            payload=message.payload,
            message_id=message.header.message_id,
            peer_id=message.peer.id,
            at=message.now,
        )
        return register.record_response_received(conn, received).findings
    if isinstance(document, BooksStatement):
        reconcile.receive(desk, conn, _received_statement(message, document))
    return ()


def _received_statement(message: Authentic, document: BooksStatement) -> ReceivedStatement:
    return ReceivedStatement(
        document=document,
        message_id=message.header.message_id,
        envelope=message.raw,
        peer=message.peer,
    )


def _judge_books(message: Authentic, document: BooksStatement) -> Judged:
    header = message.header
    findings = findings_of(
        document,
        sender=header.sender,
        receiver=header.receiver,
        refers_to=header.refers_to,
        now=message.now,
    )
    verdict = verdict_of(findings)
    code = RULES_BROKEN if findings else None
    return Judged(document=document, verdict=verdict, code=code, findings=findings)


def _merged(first: tuple[Finding, ...], more: tuple[Finding, ...]) -> tuple[Finding, ...]:
    known = {(finding.rule, finding.path) for finding in first}
    return first + tuple(f for f in more if (f.rule, f.path) not in known)


def _arrival(message: Authentic, examined: Examined, judged: Judged, receipt: bytes) -> NewArrival:
    header = message.header
    return NewArrival(
        peer_id=message.peer.id,
        message_id=header.message_id,
        document_type=header.document_type,
        document_number=(None if judged.document is None else document_number_of(judged.document)),
        conversation_id=header.conversation_id,
        refers_to=header.refers_to,
        test=header.test,
        signer_fingerprint=None if examined.signer is None else examined.signer.fingerprint,
        envelope=message.raw,
        payload=message.payload,
        receipt=receipt,
        verdict=judged.verdict,
        code=judged.code,
        received_at=message.now,
        created_at=header.created_at,
    )
