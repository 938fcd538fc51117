"""Signatures as people read them: who signed, by which chain and algorithm, believed or not.

What is believed is decided by ``gateway.exchange.inspection`` as for ``eco verify``; chain and
algorithm are read from the document beside that verdict and decide nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from sqlalchemy import Connection

from gateway.errors import GatewayError, NotFoundError
from gateway.exchange.inspection import Inspection, SignatureReport, inspect
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.lookup import Wanted, message, view
from gateway.store import Arrival, CertificateRow, bodies, certificates, inbox, outbox
from gateway.xml.namespaces import DS_NS
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class ChainLink:
    """Is one certificate that a signature brings with it."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, kw_only=True)
class Banner:
    """Is what a person has to know of the signature on a document.

    Attributes:
        algorithm: its URI, as the signature states it; None where there is no signature.
        chain: the signer's certificate first.
    """

    report: SignatureReport
    algorithm: str | None
    chain: tuple[ChainLink, ...]


@dataclass(frozen=True, kw_only=True)
class InspectedPiece:
    """Is one stored file with what was found in it.

    Attributes:
        message_id: of the message that it is or answers; None for the document itself.
        failure: why it could not be looked at.
    """

    piece: str
    message_id: str | None
    inspection: Inspection | None
    failure: str | None = None


def banner(counter: Counter, row: CertificateRow) -> Banner | None:
    """Return what is to be said of a certificate's signature; None once it was erased."""
    with counter.desk.store.read() as conn:
        content = certificates.content(conn, row)
    if not content:
        return None
    found = inspect(counter.desk, content)
    return Banner(report=found.reports[0], algorithm=_algorithm(content), chain=_chain(content))


def verification_report(
    counter: Counter, caller: Caller, wanted: Wanted
) -> tuple[CertificateRow, tuple[InspectedPiece, ...]]:
    """Return a certificate, and its document and every envelope and receipt about it inspected.

    Raises:
        NotFoundError: there is none, or it is not the caller's to see.
    """
    row = view(counter, caller, wanted)
    with counter.desk.store.read() as conn:
        found: list[tuple[str, str | None, bytes]] = [
            ("DOCUMENT", None, certificates.content(conn, row))
        ]
        for sent in outbox.in_conversation(conn, row.conversation_id):
            envelope = _stored(conn, sent.envelope_sha256)
            found.append(("ENVELOPE", sent.message_id, envelope))
            found.append(("RECEIPT", sent.message_id, outbox.receipt(conn, sent.message_id) or b""))
        for arrival in inbox.in_conversation(conn, row.conversation_id):
            envelope = _stored(conn, arrival.envelope_sha256)
            found.append(("ENVELOPE", arrival.message_id, envelope))
            found.append(("RECEIPT", arrival.message_id, arrival.receipt))
    pieces = (_inspected(counter, *each) for each in found if each[2])
    return row, tuple(pieces)


def envelope_of(counter: Counter, caller: Caller, message_id: str, *, purpose: str) -> bytes:
    """Return the envelope of a message about a certificate that the caller may see.

    Raises:
        NotFoundError: there is none, it is not the caller's to see, or it was erased.
    """
    found = message(counter, caller, message_id, purpose=purpose).message
    with counter.desk.store.read() as conn:
        return _kept(bodies.get(conn, found.envelope_sha256))


def receipt_of(counter: Counter, caller: Caller, message_id: str, *, purpose: str) -> bytes:
    """Return the receipt of a message about a certificate that the caller may see.

    Raises:
        NotFoundError: there is none yet, it is not the caller's to see, or it was erased.
    """
    found = message(counter, caller, message_id, purpose=purpose).message
    if isinstance(found, Arrival):
        return _kept(found.receipt)
    with counter.desk.store.read() as conn:
        return _kept(outbox.receipt(conn, message_id))


def _kept(content: bytes | None) -> bytes:
    if not content:
        raise NotFoundError("there is no such file, or it was erased when its retention ended")
    return content


def _stored(conn: Connection, sha256: str) -> bytes:
    try:
        return bodies.get(conn, sha256)
    except NotFoundError:  # erased when its retention ended
        return b""


def _inspected(counter: Counter, piece: str, message_id: str | None, raw: bytes) -> InspectedPiece:
    try:
        found = inspect(counter.desk, raw)
    except GatewayError as exc:
        return InspectedPiece(piece=piece, message_id=message_id, inspection=None, failure=exc.code)
    return InspectedPiece(piece=piece, message_id=message_id, inspection=found)


def _algorithm(raw: bytes) -> str | None:
    methods = [each.get("Algorithm") for each in parse(raw).iter(f"{{{DS_NS}}}SignatureMethod")]
    return str(methods[-1]) if methods else None


def _chain(raw: bytes) -> tuple[ChainLink, ...]:
    """Return the certificates of the last signature, which is the authority's."""
    signatures = list(parse(raw).iter(f"{{{DS_NS}}}Signature"))
    if not signatures:
        return ()
    found = []
    for written in signatures[-1].iter(f"{{{DS_NS}}}X509Certificate"):
        try:
            known = x509.load_der_x509_certificate(base64.b64decode(written.text or ""))
        except (ValueError, binascii.Error):
            continue  # the verdict beside says that it does not hold
        found.append(
            ChainLink(
                subject=known.subject.rfc4514_string(),
                issuer=known.issuer.rfc4514_string(),
                not_before=known.not_valid_before_utc,
                not_after=known.not_valid_after_utc,
            )
        )
    return tuple(found)
