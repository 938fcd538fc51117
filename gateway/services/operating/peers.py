"""Peers at the console: what is agreed with each, trying the way, suspending, taking a new one.

What ``eco peer`` and ``eco doctor`` do by command, by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.documents import from_json
from gateway.errors import ConflictError, InputError, SignerUntrustedError
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, register_peer, registration
from gateway.exchange.versions import compared, own_versions
from gateway.operations.checks import Check
from gateway.operations.expiry import Dated, dated_of_peer
from gateway.operations.peer_checks import peer_checks
from gateway.operations.premises import Premises
from gateway.operations.reach import hasty
from gateway.services.operating.desk import OperatingDesk, known_peer
from gateway.services.operating.overview import PeerHealth, overview, peer_health
from gateway.store import (
    Maintenance,
    NewCredential,
    Peer,
    PeerCredential,
    PeerCrl,
    PeerState,
    Sighting,
    maintenance,
    peers,
    sightings,
)
from gateway.trust import Credential, fingerprint_of

UNCOMPARED: Final = "registered from a card whose fingerprint was not compared yet"
LONGEST_CARD: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class KnownPeer:
    """Is all that is known of one peer.

    Attributes:
        seen: what its gateway said of itself when it was asked last.
        versions: name, our version and the peer's of what both work by.
        announced: maintenance that it announced and that has not ended.
    """

    health: PeerHealth
    credentials: tuple[PeerCredential, ...]
    crls: tuple[PeerCrl, ...]
    dated: tuple[Dated, ...]
    seen: Sighting | None
    versions: tuple[tuple[str, str, str], ...]
    announced: tuple[Maintenance, ...]

    @property
    def peer(self) -> Peer:
        """Its row."""
        return self.health.peer


@dataclass(frozen=True, kw_only=True)
class Introduction:
    """Is a peer card before anybody has agreed to it.

    Attributes:
        papers: its certificates as they would be registered.
        known: the peer is registered already.
    """

    card: PeerCard
    papers: tuple[NewCredential, ...]
    known: bool


@dataclass(frozen=True, kw_only=True)
class OwnKey:
    """Is one of our signing keys as anybody may know it; never the key."""

    name: str
    subject: str
    algorithm: str
    fingerprint: str
    since: datetime
    until: datetime


def every_peer(desk: OperatingDesk) -> Sequence[PeerHealth]:
    """Return how the exchange with each peer goes."""
    return overview(desk).peers


def known(desk: OperatingDesk, identifier: str) -> KnownPeer:
    """Return all that is known of a peer.

    Raises:
        NotFoundError: none is registered under that name.
    """
    now = desk.now()
    with desk.desk.store.read() as conn:
        peer = known_peer(conn, identifier)
        seen = sightings.find(conn, peer.id)
        ours = own_versions(desk.desk)
        return KnownPeer(
            health=peer_health(conn, peer, now),
            credentials=peers.credentials(conn, peer.id),
            crls=peers.crls(conn, peer.id),
            dated=dated_of_peer(conn, peer, now),
            seen=seen,
            versions=() if seen is None else tuple(compared(ours, seen.versions)),
            announced=maintenance.of(maintenance.standing(conn, now), peer.id),
        )


def set_state(
    desk: OperatingDesk, identifier: str, state: PeerState, *, actor: str, reason: str
) -> None:
    """Suspend the exchange with a peer, or take it up again.

    Raises:
        NotFoundError: none is registered under that name.
    """
    step = peers.suspend if state is PeerState.SUSPENDED else peers.resume
    with desk.desk.store.begin() as conn:
        peer = known_peer(conn, identifier)
        step(conn, peer.id, at=desk.now(), actor=actor, reason=reason)


def tried(desk: OperatingDesk, identifier: str) -> tuple[Check, ...]:
    """Return what was found on the way to a peer: books, DNS, TCP, TLS, identity, versions.

    Each layer has a few seconds, whatever is allowed for delivery: a person waits for it.

    Raises:
        NotFoundError: none is registered under that name.
    """
    with desk.desk.store.read() as conn:
        peer = known_peer(conn, identifier)
    transport = desk.open_transport()
    try:
        return peer_checks(_hasty(desk), peer, transport)
    finally:
        transport.close()


def introduced(desk: OperatingDesk, content: bytes) -> Introduction:
    """Return what a peer card says, for a person to compare; nothing is stored.

    Raises:
        InvalidDocumentError: it is no card.
        InputError: it is too large, or a certificate on it cannot be read.
        ConflictError: it introduces ourselves, or a gateway of the other world (test, live).
    """
    if not content or len(content) > LONGEST_CARD:
        raise InputError("choose the file of a peer card")
    card = from_json(PeerCard, content)
    own = desk.desk.identity
    if card.identifier == own.identifier:
        raise ConflictError(f"{own.identifier} is this gateway itself")
    if card.test is not own.test:
        raise ConflictError("one is a test gateway and the other is live: they may not exchange")
    with desk.desk.store.read() as conn:
        present = peers.by_identifier(conn, card.identifier) is not None
    papers = tuple(registration(card, each) for each in card.credentials)
    return Introduction(card=card, papers=papers, known=present)


def register(
    desk: OperatingDesk, content: bytes, terms: PeerTerms, *, fingerprint: str, actor: str
) -> Peer:
    """Register the peer that a card introduces and return it.

    Without the fingerprint that its operator told by another way it stays suspended.

    Raises:
        SignerUntrustedError: the card has another fingerprint.
        ConflictError, InputError, InvalidDocumentError: as ``introduced``, or it is registered.
    """
    card = introduced(desk, content).card
    told = "".join(fingerprint.split()).replace(":", "").lower()
    if told and told != card.fingerprint:
        raise SignerUntrustedError("the card does not have the fingerprint given; do not use it")
    own, now = desk.desk.identity.identifier, desk.now()
    with desk.desk.store.begin() as conn:
        peer = register_peer(conn, card, terms, own=own, at=now, actor=actor)
        if not told:
            peer = peers.suspend(conn, peer.id, at=now, actor=actor, reason=UNCOMPARED)
    desk.publish()
    return peer


def own_keys(desk: OperatingDesk) -> tuple[OwnKey, ...]:
    """Return our signing keys by name, as their certificates tell."""
    return tuple(
        _own_key(name, credential) for name, credential in desk.premises.credentials.items()
    )


def versions(desk: OperatingDesk) -> tuple[tuple[str, str, str], ...]:
    """Return kind, name and version of each mapping, agreement profile and rule book in force."""
    found = []
    for each in own_versions(desk.desk):
        named, _, version = each.partition("=")
        kind, _, name = named.partition(":")
        found.append((kind, name, version))
    return tuple(found)


def _own_key(name: str, credential: Credential) -> OwnKey:
    cert = credential.signing_cert
    return OwnKey(
        name=name,
        subject=cert.subject.rfc4514_string(),
        algorithm=_algorithm(cert.public_key()),
        fingerprint=fingerprint_of(cert),
        since=cert.not_valid_before_utc,
        until=cert.not_valid_after_utc,
    )


def _algorithm(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"ECDSA {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else "–"


def _hasty(desk: OperatingDesk) -> Premises:
    premises = desk.premises
    return replace(premises, endpoint_of=lambda peer: hasty(premises.endpoint_of(peer)))
