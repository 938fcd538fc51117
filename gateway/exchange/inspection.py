"""Inspecting signed XML for a person: what is signed, by whom, and whether we trust it.

Looks at an envelope or a document of ours; stores nothing and never raises for a bad
signature: the answer is the report.  Each piece is judged as of the moment that it states,
because evidence is looked at years later; whether its signer is still good is said beside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lxml import etree

from gateway.documents import DocumentType
from gateway.envelope import Header, peek, unwrap
from gateway.errors import GatewayError
from gateway.exchange.context import SIGNING_ROLE, Desk
from gateway.exchange.examine import claimed_issue_moment, message_type
from gateway.exchange.receipts import sha256_of
from gateway.store import Peer, peers
from gateway.trust import PeerTrust, RegisteredSigner, Signer, SignerRole, verify
from gateway.xml.namespaces import ENVELOPE_NS
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class SignatureReport:
    """Says of one signed piece what it is and whether its signature holds.

    Attributes:
        kind: ``Envelope`` or the document type.
        sha256: digest of the bytes looked at.
        as_of: the moment as of which it was judged: the one that it states as its own.
        signer: who signed, when the signature holds.
        code: wire code of what does not hold, None when it does.
        code_today: what would be said of it if it were made today; None while the signer is
            still good.
    """

    kind: str
    sha256: str
    trusted: bool
    as_of: datetime | None = None
    signer: Signer | None = None
    code: str | None = None
    detail: str | None = None
    code_today: str | None = None


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Is what was found in one file: an envelope and its document, or a document alone."""

    header: Header | None
    reports: tuple[SignatureReport, ...]

    @property
    def trusted(self) -> bool:
        """Whether every signature that should be there holds."""
        return all(report.trusted for report in self.reports)


def inspect(desk: Desk, raw: bytes) -> Inspection:
    """Return what ``raw`` is, what of it is signed by whom, and whether that is trusted.

    Raises:
        InputError: the bytes are no XML of ours at all.
    """
    root = parse(raw)
    if etree.QName(root).namespace == ENVELOPE_NS:
        return _inspect_envelope(desk, raw, peek(root))
    return Inspection(header=None, reports=(_document_report(desk, raw, _trusts(desk)),))


def _inspect_envelope(desk: Desk, raw: bytes, claimed: Header) -> Inspection:
    trust = _sender_trust(desk, claimed)
    if trust is None:
        report = SignatureReport(
            kind="Envelope",
            sha256=sha256_of(raw),
            trusted=False,
            code="UNKNOWN_PEER",
            detail=f"no peer is registered as {claimed.sender!r}",
        )
        return Inspection(header=claimed, reports=(report,))
    report, payload = _envelope_report(raw, trust, claimed.created_at, desk.clock())
    if payload is None or claimed.document_type is DocumentType.ACKNOWLEDGEMENT:
        return Inspection(header=claimed, reports=(report,))
    return Inspection(header=claimed, reports=(report, _document_report(desk, payload, [trust])))


def _envelope_report(
    raw: bytes, trust: PeerTrust, created_at: datetime, now: datetime
) -> tuple[SignatureReport, bytes | None]:
    at, role = min(created_at, now), SignerRole.GATEWAY
    try:
        verified = verify(raw, trust, role=role, at=at)
        payload = unwrap(verified.root)[1]
    except GatewayError as exc:
        return _failed("Envelope", raw, at, exc), None
    held = _held("Envelope", raw, at, verified.signer)
    return replace(held, code_today=_code_at(raw, trust, role, now)), payload


def _document_report(desk: Desk, raw: bytes, trusts: list[PeerTrust]) -> SignatureReport:
    root = parse(raw)
    document_type = message_type(root)
    if document_type is DocumentType.ACKNOWLEDGEMENT:
        return SignatureReport(
            kind=document_type,
            sha256=sha256_of(raw),
            trusted=False,
            code="SIGNATURE_MISSING",
            detail="an acknowledgement is signed by its envelope; inspect that",
        )
    now = desk.clock()
    at = min(claimed_issue_moment(root) or now, now)
    reports = [_judged_by(trust, document_type, raw, at, now) for trust in trusts]
    found = min(reports, key=_how_far)
    if found.code == _UNTRUSTED and len(reports) > 1:
        return replace(found, detail="the signer chains to no anchor of ours or of any peer")
    return found


_UNTRUSTED = "SIGNER_UNTRUSTED"


def _how_far(report: SignatureReport) -> int:
    """Return 0 for what holds, and most for a party that has nothing to do with the signer."""
    if report.trusted:
        return 0
    return 2 if report.code == _UNTRUSTED else 1


def _judged_by(
    trust: PeerTrust, document_type: DocumentType, raw: bytes, at: datetime, now: datetime
) -> SignatureReport:
    role = SIGNING_ROLE[document_type]
    try:
        verified = verify(raw, trust, role=role, at=at)
    except GatewayError as exc:
        return _failed(document_type, raw, at, exc)
    held = _held(document_type, raw, at, verified.signer)
    return replace(held, code_today=_code_at(raw, trust, role, now))


def _code_at(raw: bytes, trust: PeerTrust, role: SignerRole, at: datetime) -> str | None:
    """Return the wire code of what does not hold at ``at``, None when all does."""
    try:
        verify(raw, trust, role=role, at=at)
    except GatewayError as exc:
        return exc.code
    return None


def _trusts(desk: Desk) -> list[PeerTrust]:
    with desk.store.read() as conn:
        return [desk.own_trust, *(desk.trust_cache.of(conn, peer) for peer in peers.every(conn))]


def _sender_trust(desk: Desk, claimed: Header) -> PeerTrust | None:
    if claimed.sender == desk.identity.identifier:
        return _own_trust(desk)
    with desk.store.read() as conn:
        peer: Peer | None = peers.by_identifier(conn, claimed.sender)
        return None if peer is None else desk.trust_cache.of(conn, peer)


def _own_trust(desk: Desk) -> PeerTrust:
    """Return whom a reader of our own messages believes: our gateway's key beside the rest."""
    credential = desk.gateway_credential
    own = RegisteredSigner(
        fingerprint=credential.fingerprint, country=desk.identity.country, role=SignerRole.GATEWAY
    )
    return replace(
        desk.own_trust,
        anchors=(*desk.own_trust.anchors, *credential.chain[-1:]),
        signers=(*desk.own_trust.signers, own),
    )


def _held(kind: str, raw: bytes, at: datetime, signer: Signer) -> SignatureReport:
    return SignatureReport(kind=kind, sha256=sha256_of(raw), trusted=True, as_of=at, signer=signer)


def _failed(kind: str, raw: bytes, at: datetime, error: GatewayError) -> SignatureReport:
    return SignatureReport(
        kind=kind,
        sha256=sha256_of(raw),
        trusted=False,
        as_of=at,
        code=error.code,
        detail=error.detail,
    )
