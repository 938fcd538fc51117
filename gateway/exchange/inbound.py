"""The inbound pipeline: envelope bytes from a peer become a stored arrival and a receipt.

Two kinds of "no" (docs/decisions/0002): whatever is wrong with the *message* (sender, address,
time window, duplicate id) raises a ``GatewayError`` that the listener turns into a fault, and
the sender may repair and repeat.  Whatever is wrong with the *document* of an authentic
message is answered with a signed refusal, which is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from lxml import etree
from sqlalchemy import Connection

from gateway.envelope import Header, peek, unwrap
from gateway.errors import (
    BusyError,
    ClientCertificateError,
    DocumentTypeNotAgreedError,
    FutureMessageError,
    GatewayError,
    MessageIdReusedError,
    PeerSuspendedError,
    SenderMismatchError,
    StaleMessageError,
    TestFlagError,
    UnknownPeerError,
    VersionNotSupportedError,
    WrongReceiverError,
)
from gateway.exchange.context import Desk
from gateway.exchange.receipts import sha256_of
from gateway.exchange.settle import Authentic, repeat, settle
from gateway.exchange.specimens import SpecimenBook
from gateway.store import Arrival, Peer, events, inbox, journal, peers
from gateway.trust import PeerTrust, SignerRole, verify
from gateway.xml.parsing import parse

log = structlog.get_logger(__name__)

MAJOR_VERSION = "1"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Is what an envelope says of itself before any proof: digest, tree and claimed header."""

    raw: bytes
    sha256: str
    root: etree._Element
    header: Header


@dataclass(frozen=True, kw_only=True)
class Known:
    """Is what the books say of a claimed sender.

    Attributes:
        earlier: what it sent before under the claimed message id.
    """

    peer: Peer
    trust: PeerTrust
    specimens: SpecimenBook
    earlier: Arrival | None


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Is who called us to deliver: the holder of a TLS client certificate.

    Attributes:
        tls_fingerprint: SHA-256 of the client certificate in DER, in hex.
    """

    tls_fingerprint: str

    def binds(self, conn: Connection, peer: Peer) -> bool:
        """Return whether this caller may speak for ``peer``."""
        return peers.holds_tls(conn, peer, self.tls_fingerprint)


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Is the peer that handed an envelope over without calling us.

    We fetched it from the peer, whose server certificate chained to the anchors registered for
    it, or it lay in a bundle whose manifest the peer signed.  No client certificate exists then:
    the envelope's own signature by the same registered peer suffices (docs/security.md).
    """

    peer: Peer

    def binds(self, _conn: Connection, peer: Peer) -> bool:
        """Return whether this carrier may speak for ``peer``: for itself only."""
        return self.peer.id == peer.id


def accept(desk: Desk, raw: bytes, *, tls_fingerprint: str | None) -> bytes:
    """Return the receipt envelope for ``raw``, which a peer delivered by calling us.

    See ``accept_from``.

    Args:
        tls_fingerprint: SHA-256 of the client certificate in DER, in hex.

    Raises:
        ClientCertificateError: the caller showed none.
        GatewayError: as ``accept_from``.
    """
    if tls_fingerprint is None:
        raise ClientCertificateError("envelopes are taken from callers with a client certificate")
    return accept_from(desk, raw, Caller(tls_fingerprint=tls_fingerprint))


def accept_from(desk: Desk, raw: bytes, source: Caller | Carrier) -> bytes:
    """Return the receipt envelope for ``raw``, stored together with what it acknowledges.

    1. Parse hardened and peek the claimed header, only to choose whom to believe.
    2. The claimed sender is a registered, active peer, and ``source`` is bound to it.
    3. The envelope signature is that peer's gateway's; from here only what it covers counts.
    4. The header fits: sender is signer, we are the receiver, same test flag, type agreed.
    5. The same message again gets the same receipt; other content under its id is an alarm.
    6. The message was created within the time window, and our own key may sign a receipt now.
    7. The document is judged and settled in one transaction (``gateway.exchange.settle``).

    Args:
        raw: the envelope bytes as received.

    Raises:
        GatewayError: for steps 1 to 6; nothing but a journal entry was stored.
    """
    now = desk.clock()
    digest = sha256_of(raw)
    with structlog.contextvars.bound_contextvars(**_UNKNOWN_YET):
        return _accepted(desk, raw, digest, source, now)


_UNKNOWN_YET: dict[str, None] = {"message_id": None, "conversation_id": None, "sender": None}
"""What every log line about an envelope names, from the moment its header is read."""


def _accepted(
    desk: Desk, raw: bytes, digest: str, source: Caller | Carrier, now: datetime
) -> bytes:
    try:
        claim = _claimed(raw, digest)  # 1
        known = _known(desk, claim.header, source)  # 2
        return _answered(desk, known, _authenticate(desk, claim, known, now), now)
    except BusyError:  # the books cannot take a note of it either
        raise
    except GatewayError as exc:
        log.warning("arrival turned away", code=exc.code)
        _note_turned_away(desk, digest, exc, now)
        raise


def _answered(desk: Desk, known: Known, authentic: Authentic, now: datetime) -> bytes:
    earlier = known.earlier
    if earlier is not None and earlier.message_id == authentic.header.message_id:  # 5
        receipt = desk.store.together(lambda conn: repeat(conn, earlier, authentic.sha256, now))
        log.info("arrival repeated")
        return receipt
    _require_time_window(desk, authentic.header, now)  # 6
    desk.require_signing(desk.gateway_credential, now=now)  # a receipt lasts as it is
    receipt = settle(desk, authentic)  # 7
    log.info("arrival answered", document_type=authentic.header.document_type.value)
    return receipt


def _claimed(raw: bytes, digest: str) -> Claim:
    root = parse(raw)
    claim = Claim(raw=raw, sha256=digest, root=root, header=peek(root))
    structlog.contextvars.bind_contextvars(
        message_id=claim.header.message_id,
        conversation_id=claim.header.conversation_id,
        sender=claim.header.sender,
    )
    return claim


def _authenticate(desk: Desk, claim: Claim, known: Known, now: datetime) -> Authentic:
    peer, trust = known.peer, known.trust
    verified = verify(claim.raw, trust, role=SignerRole.GATEWAY, at=now, root=claim.root)  # 3
    desk.schemas.require_valid(verified.root)
    header, payload = unwrap(verified.root)
    _require_fitting(desk, peer, header)  # 4
    if verified.signer.country != header.sender_country:
        raise SenderMismatchError(
            f"signed for {verified.signer.country}, but sent as {header.sender_country}"
        )
    return Authentic(
        raw=claim.raw,
        sha256=claim.sha256,
        header=header,
        payload=payload,
        peer=peer,
        trust=trust,
        specimens=known.specimens,
        now=now,
    )


def _known(desk: Desk, header: Header, source: Caller | Carrier) -> Known:
    """Return what is known of a claimed sender, all of one moment."""
    with desk.store.read() as conn:
        found = peers.by_identifier(conn, header.sender)
        is_bound = found is not None and source.binds(conn, found)
        peer = _admitted(header, found, source, is_bound=is_bound)
        trust = desk.trust_cache.of(conn, peer)
        specimens = desk.specimens.of(conn, peer)
        earlier = inbox.find(conn, peer.id, header.message_id)
    return Known(peer=peer, trust=trust, specimens=specimens, earlier=earlier)


def _admitted(
    header: Header, peer: Peer | None, source: Caller | Carrier, *, is_bound: bool
) -> Peer:
    if peer is None:
        raise UnknownPeerError(f"no peer is registered as {header.sender!r}")
    if not is_bound and isinstance(source, Carrier):
        raise SenderMismatchError(f"{source.peer.identifier} hands over what {header.sender} sent")
    if not is_bound:
        raise ClientCertificateError(
            f"the TLS client certificate is not registered for {header.sender}"
        )
    if peer.is_suspended:
        raise PeerSuspendedError(f"the peer {peer.identifier} is suspended")
    return peer


def _require_fitting(desk: Desk, peer: Peer, header: Header) -> None:
    if (header.sender, header.sender_country) != (peer.identifier, peer.country):
        raise SenderMismatchError(f"the signed sender {header.sender} is not {peer.identifier}")
    own = desk.identity
    if (header.receiver, header.receiver_country) != (own.identifier, own.country):
        raise WrongReceiverError(f"addressed to {header.receiver}, but this is {own.identifier}")
    if header.test is not own.test:
        kind = "test" if header.test else "live"
        raise TestFlagError(f"a {kind} message cannot be taken by this gateway")
    if header.document_type not in peer.document_types:
        raise DocumentTypeNotAgreedError(
            f"{header.document_type} is not agreed with {peer.identifier}"
        )
    if header.document_version.split(".", 1)[0] != MAJOR_VERSION:
        raise VersionNotSupportedError(
            f"version {header.document_version} of {header.document_type} is not read here"
        )


def _require_time_window(desk: Desk, header: Header, now: datetime) -> None:
    if header.created_at > now + desk.limits.clock_skew:
        raise FutureMessageError(f"created at {header.created_at.isoformat()}, which is not yet")
    if header.created_at < now - desk.limits.max_age:
        raise StaleMessageError(f"created at {header.created_at.isoformat()}, which is too old")


def _note_turned_away(desk: Desk, digest: str, exc: GatewayError, now: datetime) -> None:
    """Journal the code and the digest, nothing else; a reused message id is an alarm."""
    with desk.store.begin() as conn:
        if isinstance(exc, MessageIdReusedError):
            events.append(
                conn,
                at=now,
                kind=events.Kind.MESSAGE_ID_REUSED,
                subject=digest,
                data={"detail": exc.detail},
            )
        journal.append(
            conn,
            at=now,
            action=journal.Action.ARRIVAL_TURNED_AWAY,
            subject=digest,
            detail={"code": exc.code},
        )
