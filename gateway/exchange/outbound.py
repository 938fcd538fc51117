"""The outbound pipeline: a document of the national system becomes a queued, signed message.

``prepare`` is pure; ``submit_document`` stores what it made together with the register step in one
transaction.  Delivery (``gateway.exchange.delivery``) later sends the stored bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.agreements import Facts, Point, RegisterFacts, WireFacts, check_at_each
from gateway.documents import (
    BooksStatement,
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Finding,
    Severity,
    document_number_of,
    document_type_of,
)
from gateway.envelope import Header, wrap
from gateway.errors import InvalidDocumentError, NoRouteError
from gateway.exchange.booking import Ahead, Prepared, Seen, book
from gateway.exchange.context import SIGNING_ROLE, Desk
from gateway.exchange.conversations import conversation_about
from gateway.exchange.examine import message_type
from gateway.exchange.known import facts_about, submitted_before
from gateway.exchange.receipts import DOCUMENT_VERSION, new_message_id
from gateway.store import Peer, peers
from gateway.trust import sign, sign_canonical, verify
from gateway.xml.national import FormatMark
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Is the answer to a submitted document.

    Attributes:
        message_id: None for a dry run.
        repeated: the same document was submitted before; nothing new was stored.
    """

    document_number: str
    receiver: str | None
    message_id: str | None
    findings: tuple[Finding, ...]
    repeated: bool = False


def submit_document(
    desk: Desk, document: Document, *, mapping: FormatMark | None = None
) -> Submission:
    """Return the submission of ``document``: checked, signed, registered and queued.

    1. The peer is the gateway of the state that needs the document.
    2. The same document submitted before is answered as then.
    3. Judge it with all that is known here; errors stop it with every finding.
    4. Render, check the schema, sign the document, wrap it, sign the envelope.
    5. Queue and register it in the same transaction, with the mapping it was read with.

    Args:
        mapping: the mapping file of the national format that it was read with, if any.

    Raises:
        InvalidDocumentError: with every finding; nothing was stored.
        NoRouteError: no peer is registered for the state concerned.
    """
    return _submit(desk, document, mapping=mapping)


def _submit(
    desk: Desk,
    document: Document,
    signed: bytes | None = None,
    *,
    mapping: FormatMark | None = None,
) -> Submission:
    """Judge and sign before the transaction, because meanwhile others wait; look again in it."""
    ahead = judge_ahead(desk, document, signed, mapping=mapping)
    if ahead.prepared is None:
        return _submission(document, ahead.seen.peer, ahead.seen.earlier or "", (), repeated=True)
    return desk.store.together(lambda conn: book_ahead(desk, conn, ahead))


def judge_ahead(
    desk: Desk,
    document: Document,
    signed: bytes | None = None,
    *,
    mapping: FormatMark | None = None,
) -> Ahead:
    """Return a document judged and signed before the transaction that is to book it.

    Args:
        mapping: the mapping file of the national format that it was read with, if any.

    Raises:
        InvalidDocumentError, NoRouteError: as ``submit_document``.
    """
    with desk.store.read() as conn:
        seen = _see(conn, document)  # 1, 2
        if seen.earlier is not None:
            return Ahead(
                document=document, signed=signed, mapping=mapping, seen=seen, prepared=None
            )
        findings = judge(desk, document, peer=seen.peer, known=seen.known)  # 3
    if seen.peer is None:
        raise _no_route(document)
    prepared = prepare(  # 4
        desk, document, seen.peer, findings=findings, now=desk.clock(), signed=signed
    )
    return Ahead(document=document, signed=signed, mapping=mapping, seen=seen, prepared=prepared)


def book_ahead(desk: Desk, conn: Connection, ahead: Ahead) -> Submission:
    """Return the submission of a document judged ahead; judged anew if the books have changed."""
    if ahead.prepared is None or _see(conn, ahead.document) != ahead.seen:
        return submit_within(desk, conn, ahead.document, ahead.signed, mapping=ahead.mapping)
    return _queued(desk, conn, ahead.prepared, ahead.mapping)  # 5


def _see(conn: Connection, document: Document) -> Seen:
    known = facts_about(conn, document, outbound=True)
    return Seen(
        peer=known_receiver(conn, document),
        earlier=submitted_before(conn, document, known),
        known=known,
    )


def submit_within(
    desk: Desk,
    conn: Connection,
    document: Document,
    signed: bytes | None = None,
    *,
    mapping: FormatMark | None = None,
) -> Submission:
    """Do what ``submit_document`` does inside the caller's transaction.

    Args:
        signed: the document as already signed by its authority; forwarded untouched.
        mapping: the mapping file of the national format that it was read with, if any.
    """
    peer = known_receiver(conn, document)  # 1
    known = facts_about(conn, document, outbound=True)
    earlier = submitted_before(conn, document, known)  # 2
    if earlier is not None:
        return _submission(document, peer, earlier, (), repeated=True)
    findings = judge(desk, document, peer=peer, known=known)  # 3
    if peer is None:
        raise _no_route(document)
    prepared = prepare(desk, document, peer, findings=findings, now=desk.clock(), signed=signed)
    return _queued(desk, conn, prepared, mapping)  # 4, 5


def queue(
    desk: Desk,
    conn: Connection,
    document: Document,
    peer: Peer,
    *,
    findings: tuple[Finding, ...],
    signed: bytes | None = None,
) -> Submission:
    """Return the submission of a judged document, queued and registered in this transaction."""
    prepared = prepare(desk, document, peer, findings=findings, now=desk.clock(), signed=signed)
    return _queued(desk, conn, prepared)


def _queued(
    desk: Desk, conn: Connection, prepared: Prepared, mapping: FormatMark | None = None
) -> Submission:
    message_id = book(desk, conn, prepared, mapping)
    return _submission(prepared.document, prepared.peer, message_id, prepared.findings)


def submit_signed(desk: Desk, raw: bytes) -> Submission:
    """Return the submission of a document that the authority has already signed.

    The bytes are verified against the signers registered at this gateway and forwarded
    untouched (design decision 1).

    Raises:
        TrustError: the signature is not that of an authority registered here.
        InvalidDocumentError, SchemaError: see ``submit_document``.
    """
    return _submit(desk, read_signed(desk, raw), signed=raw)


def dry_run(desk: Desk, document: Document) -> Submission:
    """Return what ``submit_document`` would answer, without storing anything.

    Findings of every severity are part of the answer; nothing is raised for them.

    Raises:
        SigningKeyEndedError: nothing can be sent, whatever the document says.
    """
    desk.require_signing(desk.gateway_credential, now=desk.clock())
    with desk.store.read() as conn:
        peer = known_receiver(conn, document)
        known = facts_about(conn, document, outbound=True)
        findings = _findings(desk, document, peer, known)
    return Submission(
        document_number=document_number_of(document),
        receiver=None if peer is None else peer.identifier,
        message_id=None,
        findings=findings,
    )


def prepare(
    desk: Desk,
    document: Document,
    peer: Peer,
    *,
    findings: tuple[Finding, ...],
    now: datetime,
    signed: bytes | None = None,
) -> Prepared:
    """Return the signed message that carries ``document`` to ``peer``; stores nothing.

    1. Render the document and check it against the schema.
    2. Sign it with the authority's key, unless it came signed.
    3. Wrap it under a new message id and sign the envelope with the gateway's key.

    Raises:
        SchemaError: a mapping table does not fit the schema (a mistake of ours).
        ConfigError, TooLargeError: no key of the authority is here; peers could not read it.
        SigningKeyEndedError: a key that has to sign may not do so now.
    """
    document_type = document_type_of(document)
    payload, signer = signed, desk.gateway_credential
    if payload is None:
        signer = desk.signer(document_type)
    desk.require_signing(signer, desk.gateway_credential, now=now)
    if payload is None:
        unsigned = desk.tables[document_type].render(document)  # 1
        root = parse(unsigned)
        desk.schemas.require_valid(root)
        payload = sign(unsigned, signer, root=root)  # 2
    header = _header(desk, document, document_type, peer, now)  # 3
    envelope = sign_canonical(wrap(header, payload), desk.gateway_credential)
    desk.limits.require_fits(envelope)
    return Prepared(
        document=document,
        header=header,
        peer=peer,
        payload=payload,
        envelope=envelope,
        findings=findings,
    )


def read_signed(desk: Desk, raw: bytes) -> Document:
    """Return the document in ``raw`` after verifying its signature by our own registrations.

    Raises:
        TrustError, SchemaError, InvalidDocumentError: it cannot be forwarded.
    """
    root = parse(raw)
    document_type = message_type(root)
    role = SIGNING_ROLE[document_type]
    verified = verify(raw, desk.own_trust, role=role, at=desk.clock(), root=root)
    desk.schemas.require_valid(verified.root)
    return desk.tables[document_type].read(verified.root)


def receiving_peer(conn: Connection, document: Document) -> Peer:
    """Return the peer that must get ``document``.

    Raises:
        NoRouteError: no peer is registered for the state concerned.
    """
    peer = known_receiver(conn, document)
    if peer is None:
        raise _no_route(document)
    return peer


def known_receiver(conn: Connection, document: Document) -> Peer | None:
    """Return the peer that must get ``document``, or None where none is registered."""
    return next(iter(peers.by_country(conn, _receiving_country(document))), None)


def judge(
    desk: Desk, document: Document, *, peer: Peer | None, known: RegisterFacts
) -> tuple[Finding, ...]:
    """Return the findings that let ``document`` pass.

    Args:
        known: what the register says of the certificates concerned.

    Raises:
        InvalidDocumentError: with every finding, when one of them is an error.
    """
    findings = _findings(desk, document, peer, known)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        number = document_number_of(document)
        raise InvalidDocumentError(
            f"{document_type_of(document)} {number} breaks {len(errors)} rule(s): "
            + ", ".join(dict.fromkeys(finding.rule for finding in errors)),
            findings=findings,
        )
    return findings


def _findings(
    desk: Desk, document: Document, peer: Peer | None, known: RegisterFacts
) -> tuple[Finding, ...]:
    points = _points(document)
    facts = Facts(
        point=points[0],
        now=desk.clock(),
        own_country=desk.identity.country,
        hs=desk.hs,
        wire=None if peer is None else _wire(desk, document, peer),
        register=known,
    )
    return check_at_each(document, desk.agreement(document), facts, points)


def _points(document: Document) -> tuple[Point, ...]:
    if isinstance(document, CustomsResponse):
        return (Point.USE, Point.SEND)
    return (Point.ISSUE, Point.SEND)


def _wire(desk: Desk, document: Document, peer: Peer) -> WireFacts:
    return WireFacts(
        sender_country=desk.identity.country,
        receiver_country=peer.country,
        own_country=desk.identity.country,
        document_type_agreed=document_type_of(document) in peer.document_types,
        destination_live=peer.live_from is None or peer.live_from <= desk.clock(),
    )


def _no_route(document: Document) -> NoRouteError:
    return NoRouteError(f"no peer is registered for {_receiving_country(document)}")


def _receiving_country(document: Document) -> str:
    if isinstance(document, CertificateOfOrigin):
        return document.destination_country
    if isinstance(document, CustomsResponse):
        return document.certificate.issuing_country
    return document.receiver_country


def _header(
    desk: Desk, document: Document, document_type: DocumentType, peer: Peer, now: datetime
) -> Header:
    return Header(
        message_id=new_message_id(),
        sender=desk.identity.identifier,
        sender_country=desk.identity.country,
        receiver=peer.identifier,
        receiver_country=peer.country,
        document_type=document_type,
        document_version=DOCUMENT_VERSION,
        created_at=now,
        conversation_id=conversation_about(document),
        refers_to=document.answers if isinstance(document, BooksStatement) else None,
        test=desk.identity.test,
    )


def _submission(
    document: Document,
    peer: Peer | None,
    message_id: str,
    findings: tuple[Finding, ...],
    *,
    repeated: bool = False,
) -> Submission:
    return Submission(
        document_number=document_number_of(document),
        receiver=None if peer is None else peer.identifier,
        message_id=message_id,
        findings=findings,
        repeated=repeated,
    )
