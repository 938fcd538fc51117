"""Printing: a registered certificate as a PDF form with its status, signature note and QR code.

The stored signed bytes go into the file; the form is set from the document that is read from
them.  A print never attests what was not verified: if the signature does not hold, the form says
so and carries no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin, DocumentType, Language, UtilisationStatus
from gateway.errors import GatewayError, InputError, NotFoundError
from gateway.exchange.context import SIGNING_ROLE, Desk
from gateway.exchange.known import stored_certificate
from gateway.paper.order import PrintOrder, SignatureNote, Standing
from gateway.paper.printing import print_certificate
from gateway.paper.summary import Attester, sign_summary, summary_of
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.lookup import Wanted, view
from gateway.store import CertificateRow, ImportState, IssueState, Side, certificates, peers
from gateway.trust import PeerTrust, RegisteredSigner, SignerRole, fingerprint_of, verify

_ISSUED: Final[Mapping[IssueState, Standing]] = {
    IssueState.CANCELLING: Standing.ENDING,
    IssueState.REPLACING: Standing.ENDING,
    IssueState.CANCELLED: Standing.CANCELLED,
    IssueState.REPLACED: Standing.REPLACED,
    IssueState.EXPIRED: Standing.EXPIRED,
}
_RECEIVED: Final[Mapping[ImportState, Standing]] = {
    ImportState.UNDER_VERIFICATION: Standing.UNDER_QUERY,
    ImportState.PENDING: Standing.UNDER_QUERY,
    ImportState.PARTIALLY_UTILISED: Standing.PARTLY_USED,
    ImportState.UTILISED: Standing.USED,
    ImportState.REJECTED: Standing.REFUSED,
    ImportState.WITHDRAWN: Standing.REFUSED,
    ImportState.CANCELLED: Standing.CANCELLED,
    ImportState.REPLACED: Standing.REPLACED,
    ImportState.EXPIRED: Standing.EXPIRED,
}
_REPORTED: Final[Mapping[UtilisationStatus, Standing]] = {
    UtilisationStatus.UNDER_QUERY: Standing.UNDER_QUERY,
    UtilisationStatus.PENDING: Standing.UNDER_QUERY,
    UtilisationStatus.PARTIAL: Standing.PARTLY_USED,
    UtilisationStatus.FULL: Standing.USED,
    UtilisationStatus.REJECTED: Standing.REFUSED,
    UtilisationStatus.WITHDRAWN: Standing.REFUSED,
    UtilisationStatus.EXPIRED_UNUSED: Standing.EXPIRED,
}


@dataclass(frozen=True, kw_only=True)
class PrintWish:
    """Says how a certificate is to be printed.

    Attributes:
        address: public page of the online check, None for a code without address.
    """

    language: Language
    copy_number: int = 1
    address: str | None = None


def printed(counter: Counter, caller: Caller, wanted: Wanted, wish: PrintWish) -> bytes:
    """Return a certificate that the caller may see as a PDF file; the view is noted.

    Raises:
        NotFoundError: there is none, it is not the caller's to see, or it was erased.
        TooLargeError: it has more items than a form is printed for.
    """
    return print_row(counter.desk, view(counter, caller, wanted), wish)


def print_row(desk: Desk, row: CertificateRow, wish: PrintWish) -> bytes:
    """Return a registered certificate as a PDF file.

    Raises:
        NotFoundError: its document was erased, or its agreement is not in force here.
        TooLargeError: it has more items than a form is printed for.
    """
    now = desk.clock()
    with desk.store.read() as conn:
        raw = certificates.content(conn, row)
        if not raw:
            raise NotFoundError("the document was erased when its retention ended")
        document = stored_certificate(desk, conn, row)
        trust = _trust(desk, conn, row)
    note = signature_note(raw, document, trust, now=now)
    standing = standing_of(row, document, now)
    order = PrintOrder(
        document=document,
        agreement=desk.agreement(document),
        xml=raw,
        sha256=row.payload_sha256,
        standing=standing,
        signature=note,
        language=wish.language,
        printed_at=now,
        printer=f"{desk.identity.name} ({desk.identity.identifier})",
        copy_number=wish.copy_number,
        code=_code(desk, row, document, standing, now, wish) if note.holds else None,
        address=wish.address,
    )
    return print_certificate(order)


def _trust(desk: Desk, conn: Connection, row: CertificateRow) -> PeerTrust:
    """Return whom we believe to have signed a certificate in our books.

    What we issued was signed or verified by ourselves before it was entered, perhaps with a key
    that was renewed since: so every signer of the country below our own CA counts.
    """
    if row.side is Side.RECEIVED and row.peer_id is not None:
        return desk.trust_cache.of(conn, peers.get(conn, row.peer_id))
    own = desk.own_trust
    former = (
        RegisteredSigner(
            fingerprint=fingerprint_of(anchor),
            country=own.country,
            role=SignerRole.ISSUING_AUTHORITY,
        )
        for anchor in own.anchors
    )
    return replace(own, signers=(*own.signers, *former))


def signature_note(
    raw: bytes, document: CertificateOfOrigin, trust: PeerTrust, *, now: datetime
) -> SignatureNote:
    """Return whether the signature of a stored document holds as of its date of issue."""
    at = min(document.issued_at, now)
    role = SIGNING_ROLE[DocumentType.CERTIFICATE_OF_ORIGIN]
    try:
        signer = verify(raw, trust, role=role, at=at).signer
    except GatewayError as exc:
        return SignatureNote(
            holds=False, subject=None, fingerprint=None, signed_at=at, code=exc.code
        )
    return SignatureNote(
        holds=True, subject=signer.subject, fingerprint=signer.fingerprint, signed_at=at
    )


def standing_of(row: CertificateRow, document: CertificateOfOrigin, now: datetime) -> Standing:
    """Return what a certificate is worth at this moment, by the books of this side."""
    if isinstance(row.state, IssueState):
        found = _ISSUED.get(row.state)
    else:
        found = _RECEIVED.get(row.state)
    if found is None and row.side is Side.ISSUED and row.reported_status is not None:
        found = _REPORTED.get(row.reported_status)
    if found is None or found.proves:
        if now.date() > row.valid_until:
            return Standing.EXPIRED
        if now.date() < document.valid_from:
            return Standing.NOT_YET
    return found or Standing.VALID


def _code(
    desk: Desk,
    row: CertificateRow,
    document: CertificateOfOrigin,
    standing: Standing,
    now: datetime,
    wish: PrintWish,
) -> str | None:
    """Return the text of the QR code; None for a certificate that no summary can describe."""
    own = desk.signers.get(DocumentType.CERTIFICATE_OF_ORIGIN)
    authority = row.side is Side.ISSUED and own is not None
    try:
        summary = summary_of(
            document,
            sha256=row.payload_sha256,
            standing=standing,
            stated_at=now,
            attester=Attester.AUTHORITY if authority else Attester.GATEWAY,
            attester_country=desk.identity.country,
        )
    except InputError:
        return None
    text = sign_summary(summary, own if authority and own else desk.gateway_credential)
    return text if wish.address is None else f"{wish.address.upper()}/{text}"
