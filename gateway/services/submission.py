"""Submitting certificates of origin and decisions of customs, and trying both without effect.

A trial is a submission that is rolled back, so it answers what the submission would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.agreements import Facts, Point, SignatureFacts, WireFacts, check
from gateway.documents import (
    CertificateOfOrigin,
    Document,
    DocumentType,
    Finding,
    Severity,
    document_type_of,
)
from gateway.errors import (
    InputError,
    InvalidDocumentError,
    NotPermittedError,
    SignatureMissingError,
)
from gateway.exchange.booking import Ahead
from gateway.exchange.context import Desk
from gateway.exchange.intake import Reading, read_certificates
from gateway.exchange.outbound import (
    Submission,
    book_ahead,
    dry_run,
    judge_ahead,
    known_receiver,
    submit_within,
)
from gateway.exchange.responding import CustomsAction, respond_within
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import Peer, canonical_key, journal, peers
from gateway.xml.namespaces import DS_NS
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Is what became of a document handed over.

    Attributes:
        peer: who gets it.
        peer_findings: what the peer would find beyond what we found, as far as we know.
        peer_refuses: the peer would refuse it, as far as we know.
    """

    issuing_country: str
    serial_number: str
    submission: Submission
    peer: Peer | None
    peer_findings: tuple[Finding, ...] = ()
    peer_refuses: bool = False


def read_one(counter: Counter, raw: bytes, form: str) -> Reading:
    """Return the one certificate in ``raw``.

    Args:
        form: ``json``, ``xml`` or the name of a national format.

    Raises:
        InvalidDocumentError: it cannot be read; with every finding.
        InputError: there is none, or there are several.
    """
    return the_one(read_all(counter, raw, form))


def the_one(readings: Sequence[Reading]) -> Reading:
    """Return the only certificate among what was read.

    Raises:
        InvalidDocumentError: it cannot be read; with every finding.
        InputError: there is none, or there are several.
    """
    return readable(only(readings))


def only(readings: Sequence[Reading]) -> Reading:
    """Return the only one of what was read, readable or not.

    Raises:
        InputError: there is none, or there are several.
    """
    if len(readings) != 1:
        raise InputError(f"one document is taken here; these are {len(readings)}")
    return readings[0]


def readable(reading: Reading) -> Reading:
    """Return what was read.

    Raises:
        InvalidDocumentError: it cannot be read as a certificate; with every finding.
    """
    if reading.document is None:
        raise InvalidDocumentError(
            f"{reading.reference or 'the document'} cannot be read as a certificate of origin",
            findings=reading.findings,
        )
    return reading


def read_all(counter: Counter, raw: bytes, form: str) -> tuple[Reading, ...]:
    """Return every certificate in ``raw``; a bad one harms no other.

    Raises:
        InputError: nothing in it can be told from anything else.
    """
    return read_certificates(counter.desk, raw, form, counter.national)


def submit(
    counter: Counter,
    conn: Connection,
    caller: Caller,
    reading: Reading,
    *,
    ahead: Ahead | None = None,
) -> Taken:
    """Return what became of the certificate that was read: registered, signed and queued.

    Args:
        ahead: the document as ``prepare_ahead`` judged and signed it; else that is done here.

    Raises:
        NotPermittedError: it is not the caller's to issue.
        InvalidDocumentError: with every finding; nothing was stored.
        NoRouteError: no peer is registered for the state concerned.
    """
    document = _permitted(counter, caller, reading)
    with _with_findings_of(reading):
        if ahead is None:
            submission = submit_within(
                counter.desk, conn, document, reading.signed, mapping=reading.mapping
            )
        else:
            submission = book_ahead(counter.desk, conn, ahead)
    journal.append(
        conn,
        at=counter.desk.clock(),
        actor=caller.actor,
        action=journal.Action.API_SUBMITTED,
        subject=document.serial_number,
        detail={
            "organisation": caller.organisation.code,
            "message_id": submission.message_id,
            "repeated": submission.repeated,
        },
    )
    return Taken(
        issuing_country=document.exporting_country,
        serial_number=document.serial_number,
        submission=replace(submission, findings=reading.findings + submission.findings),
        peer=known_receiver(conn, document),
    )


def prepare_ahead(counter: Counter, caller: Caller, reading: Reading) -> Ahead:
    """Return the certificate judged and signed, for a later ``submit``; nothing is stored.

    Raises:
        GatewayError: as ``submit``.
    """
    document = _permitted(counter, caller, reading)
    with _with_findings_of(reading):
        return judge_ahead(counter.desk, document, reading.signed, mapping=reading.mapping)


def _permitted(counter: Counter, caller: Caller, reading: Reading) -> CertificateOfOrigin:
    """Return the certificate that was read, which the caller may submit here."""
    caller.require(Scope.SUBMIT)
    document = reading.document
    if not isinstance(document, CertificateOfOrigin):
        raise InputError("a certificate of origin is expected here")
    _require_own(caller, document)
    if reading.signed is None and DocumentType.CERTIFICATE_OF_ORIGIN not in counter.desk.signers:
        raise SignatureMissingError("this gateway signs for no authority: submit signed XML")
    return document


@contextmanager
def _with_findings_of(reading: Reading) -> Iterator[None]:
    """Let a refusal name what reading found, too."""
    try:
        yield
    except InvalidDocumentError as exc:
        exc.findings = reading.findings + exc.findings
        raise


def try_submission(counter: Counter, caller: Caller, reading: Reading) -> Taken:
    """Return what ``submit`` would, and what the peer would say; nothing is stored or sent.

    Raises:
        GatewayError: as ``submit``.
    """
    with counter.trial() as conn:
        taken = submit(counter, conn, caller, reading)
        return _as_trial(counter.desk, taken, reading.document, signed=reading.signed)


def foresee_submission(counter: Counter, caller: Caller, reading: Reading) -> Taken:
    """Return the findings of ``submit`` and of the peer, those that refuse among them.

    Only reads, so that it may be asked while somebody types: nothing is signed, and whether the
    signed message fits schema and size is left to ``try_submission``.

    Raises:
        NotPermittedError: it is not the caller's to issue.
    """
    document = _permitted(counter, caller, reading)
    submission = dry_run(counter.desk, document)
    with counter.desk.store.read() as conn:
        peer = known_receiver(conn, document)
    taken = Taken(
        issuing_country=document.exporting_country,
        serial_number=document.serial_number,
        submission=replace(submission, findings=reading.findings + submission.findings),
        peer=peer,
    )
    return _as_trial(counter.desk, taken, document, signed=reading.signed)


def decide(counter: Counter, conn: Connection, caller: Caller, action: CustomsAction) -> Taken:
    """Return what became of a decision of customs: entered, answered and queued.

    Raises:
        NotPermittedError: the certificate did not come for the caller.
        NotFoundError: no such certificate was received.
        InvalidDocumentError: with every finding; nothing was written off.
        ConflictError: the reference was used for another decision.
    """
    caller.require(Scope.DECIDE)
    own = caller.organisation.country
    if caller.visible.country not in (None, counter.desk.identity.country):
        raise NotPermittedError(f"certificates that come here are not for customs of {own}")
    if DocumentType.CUSTOMS_RESPONSE not in counter.desk.signers:
        raise NotPermittedError("this gateway holds no key of customs, so none can respond here")
    submission = respond_within(counter.desk, conn, action)
    journal.append(
        conn,
        at=counter.desk.clock(),
        actor=caller.actor,
        action=journal.Action.API_DECIDED,
        subject=action.serial_number,
        detail={
            "organisation": caller.organisation.code,
            "message_id": submission.message_id,
            "repeated": submission.repeated,
        },
    )
    return Taken(
        issuing_country=action.issuing_country,
        serial_number=action.serial_number,
        submission=submission,
        peer=next(iter(peers.by_country(conn, action.issuing_country)), None),
    )


def try_decision(counter: Counter, caller: Caller, action: CustomsAction) -> Taken:
    """Return what ``decide`` would; nothing is written off or sent.

    Raises:
        GatewayError: as ``decide``.
    """
    with counter.trial() as conn:
        return _as_trial(counter.desk, decide(counter, conn, caller, action), None, signed=None)


def _require_own(caller: Caller, document: CertificateOfOrigin) -> None:
    visible = caller.visible
    if visible.country not in (None, document.exporting_country):
        raise NotPermittedError(f"certificates of {document.exporting_country} are not yours")
    code = document.issuing_authority.code
    if visible.authority not in (None, canonical_key(code)):
        raise NotPermittedError(f"certificates of the authority {code} are not yours")


def _as_trial(
    desk: Desk, taken: Taken, document: Document | None, *, signed: bytes | None
) -> Taken:
    submission = taken.submission
    if not submission.repeated:
        submission = replace(submission, message_id=None)  # it was rolled back
    trial = replace(taken, submission=submission)
    peer = taken.peer
    if peer is None:
        return trial
    found: tuple[Finding, ...] = ()
    if isinstance(document, CertificateOfOrigin):
        known = {(each.rule, each.path) for each in taken.submission.findings}
        judged = _at_receipt(desk, document, peer, signed=signed)
        found = tuple(each for each in judged if (each.rule, each.path) not in known)
    kind = DocumentType.CERTIFICATE_OF_ORIGIN if document else DocumentType.CUSTOMS_RESPONSE
    refuses = (
        any(each.severity is Severity.ERROR for each in found)
        or kind not in peer.document_types
        or peer.test is not desk.identity.test
    )
    return replace(trial, peer_findings=found, peer_refuses=refuses)


def _at_receipt(
    desk: Desk, document: CertificateOfOrigin, peer: Peer, *, signed: bytes | None
) -> tuple[Finding, ...]:
    """Return what the peer's rules will say, judged with what is known on this side."""
    own, now = desk.identity.country, desk.clock()
    wire = WireFacts(
        sender_country=own,
        receiver_country=peer.country,
        own_country=peer.country,
        signer_country=own,
        created_at=now,
        document_type_agreed=document_type_of(document) in peer.document_types,
    )
    signature = SignatureFacts(signer_country=own, exporter_signed=_has_two_signatures(signed))
    facts = Facts(
        point=Point.RECEIPT,
        now=now,
        own_country=peer.country,
        hs=desk.hs,
        wire=wire,
        signature=signature,
    )
    return check(document, desk.agreement(document), facts)


def _has_two_signatures(signed: bytes | None) -> bool:
    if signed is None:
        return False
    return sum(1 for _ in parse(signed).iter(f"{{{DS_NS}}}Signature")) > 1
