"""Taking a peer's card at the console: a new peer, or a new card of one that is registered.

What ``eco peer add`` and ``eco peer update`` do by command, by the same functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.documents import from_json
from gateway.errors import ConflictError, InputError, SignerUntrustedError
from gateway.exchange.card_changes import (
    CardChanges,
    changes_of,
    end_registrations,
    genuine_list,
    take_up,
)
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, register_peer, registration
from gateway.services.operating.desk import OperatingDesk, known_peer
from gateway.store import CredentialUse, NewCredential, Peer, peers

UNCOMPARED: Final = "registered from a card whose fingerprint was not compared yet"
LONGEST_CARD: Final = 1_000_000
LONGEST_LIST: Final = 5_000_000
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Introduction:
    """Is a peer card before anybody has agreed to it.

    Attributes:
        papers: its certificates as they would be registered.
        known: the peer as it is registered; None for a new one.
        changes: what taking the card up would change at a known peer.
    """

    card: PeerCard
    papers: tuple[NewCredential, ...]
    known: Peer | None
    changes: CardChanges | None


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
        known = peers.by_identifier(conn, card.identifier)
        changes = None if known is None else _changes(conn, known, card, desk.now())
    papers = tuple(registration(card, each) for each in card.credentials)
    return Introduction(card=card, papers=papers, known=known, changes=changes)


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
    told = _compared(card, fingerprint)
    own, now = desk.desk.identity.identifier, desk.now()
    with desk.desk.store.begin() as conn:
        peer = register_peer(conn, card, terms, own=own, at=now, actor=actor)
        if not told:
            peer = peers.suspend(conn, peer.id, at=now, actor=actor, reason=UNCOMPARED)
    desk.publish()
    return peer


def take_up_card(desk: OperatingDesk, content: bytes, *, fingerprint: str, actor: str) -> Peer:
    """Take up a new card of a registered peer and return the peer as it is now.

    How we exchange with it stays as it is.  Certificates that the card no longer names stay
    registered, because messages signed with them may be on their way.

    Raises:
        SignerUntrustedError: the fingerprint that its operator told is missing or another.
        NotFoundError: no such peer is registered.
        ConflictError, InputError, InvalidDocumentError: as ``introduced``, or nothing is new.
    """
    card = introduced(desk, content).card
    if not _compared(card, fingerprint):
        raise SignerUntrustedError("type the fingerprint that the peer's operator told you")
    now = desk.now()
    with desk.desk.store.begin() as conn:
        peer = known_peer(conn, card.identifier)
        changes = _changes(conn, peer, card, now)
        if not changes.anything:
            raise ConflictError(f"the card says nothing new of {peer.identifier}")
        peer = take_up(conn, peer, changes, at=now, actor=actor)
    desk.publish()
    return peer


def end_certificate(
    desk: OperatingDesk, identifier: str, fingerprint: str, use: str, *, actor: str
) -> None:
    """Let one certificate of a peer count no more from now on; what it proved stays proved.

    Raises:
        InputError: no whole fingerprint is given.
        NotFoundError, ConflictError: it is not in force, or the only one of its kind.
    """
    known = {each.value: each for each in CredentialUse}
    if not _FINGERPRINT.fullmatch(fingerprint) or use not in known:
        raise InputError("name the certificate by its whole fingerprint and its use")
    now = desk.now()
    with desk.desk.store.begin() as conn:
        peer = known_peer(conn, identifier)
        end_registrations(conn, peer, fingerprint, until=now, at=now, actor=actor, use=known[use])
    desk.publish()


def store_list(desk: OperatingDesk, identifier: str, content: bytes, *, actor: str) -> bool:
    """Store a revocation list of a peer's CA; return whether it is newer than the one stored.

    The CA's own signature proves it, so nothing needs to be compared.

    Raises:
        InputError: it is no revocation list, or too large.
        SignerUntrustedError: no anchor registered for the peer signed it.
    """
    if not content or len(content) > LONGEST_LIST:
        raise InputError("choose the file of a revocation list (PEM)")
    now = desk.now()
    with desk.desk.store.begin() as conn:
        peer = known_peer(conn, identifier)
        fresh = genuine_list(conn, peer, content.decode("ascii", "replace"), at=now)
        return peers.store_crl(conn, fresh, actor=actor)


def terms_of(peer: Peer) -> PeerTerms:
    """Return how we exchange with a registered peer."""
    return PeerTerms(
        channel=peer.channel,
        soap_version=peer.soap_version,
        algorithms=peer.algorithms,
        revocation=peer.revocation,
        live_from=peer.live_from,
        collect=peer.collect,
    )


def _changes(conn: Connection, peer: Peer, card: PeerCard, now: datetime) -> CardChanges:
    return changes_of(conn, peer, card, terms_of(peer), at=now)


def _compared(card: PeerCard, fingerprint: str) -> bool:
    """Return whether a fingerprint was given; it must be that of the card."""
    told = "".join(fingerprint.split()).replace(":", "").lower()
    if told and told != card.fingerprint:
        raise SignerUntrustedError("the card does not have the fingerprint given; do not use it")
    return bool(told)
