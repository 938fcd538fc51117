"""Peers at the console: what is agreed with each, trying the way, suspending, taking a new one.

What ``eco peer`` and ``eco doctor`` do by command, by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    Peer,
    PeerCredential,
    PeerCrl,
    PeerState,
    Sighting,
    maintenance,
    peers,
    sightings,
)


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

    def can_end(self, one: PeerCredential) -> bool:
        """Return whether another certificate of the same use would remain."""
        kept = [each for each in self.credentials if each.valid_until is None and each != one]
        return any((each.use, each.role) == (one.use, one.role) for each in kept)


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


def _hasty(desk: OperatingDesk) -> Premises:
    premises = desk.premises
    return replace(premises, endpoint_of=lambda peer: hasty(premises.endpoint_of(peer)))
