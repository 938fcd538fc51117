"""Who hands over a signed file: the registered, active peer that it names, and whom to believe."""

from __future__ import annotations

from gateway.errors import PeerSuspendedError, UnknownPeerError
from gateway.exchange.context import Desk
from gateway.store import Peer, peers
from gateway.trust import PeerTrust


def known_sender(desk: Desk, claimed: str) -> tuple[Peer, PeerTrust]:
    """Return the peer that a file claims to be from, and whom to believe about it.

    Raises:
        UnknownPeerError, PeerSuspendedError: nothing of theirs is taken.
    """
    with desk.store.read() as conn:
        peer = peers.by_identifier(conn, claimed)
        if peer is None:
            raise UnknownPeerError(f"no peer is registered as {claimed[:70]!r}")
        if peer.is_suspended:
            raise PeerSuspendedError(f"the peer {peer.identifier} is suspended")
        return peer, desk.trust_cache.of(conn, peer)
