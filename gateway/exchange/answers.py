"""What peers may ask beside delivering: the fate of a message, what waits for them, who we are."""

from __future__ import annotations

import functools

from gateway import __version__
from gateway.errors import ClientCertificateError, PeerSuspendedError
from gateway.exchange.collect import confirm, decline, hand_out
from gateway.exchange.context import Desk
from gateway.exchange.inbound import accept
from gateway.exchange.maintenance import announced_by_us
from gateway.exchange.retry import RetryPolicy
from gateway.exchange.versions import own_versions
from gateway.store import Peer, inbox, peers
from gateway.transport import Collected, Confirmed, Decline, Declined, PingAnswer, StatusAnswer


class PeerEntrance:
    """Answers peers for one desk; the listener's counterpart (``gateway.web.peer.PeerDesk``)."""

    def __init__(self, desk: Desk, retry: RetryPolicy | None = None) -> None:
        self._desk = desk
        self._retry = retry or RetryPolicy()

    def accept(self, raw: bytes, tls_fingerprint: str | None) -> bytes:
        """Return the signed receipt envelope for the envelope ``raw``."""
        return accept(self._desk, raw, tls_fingerprint=tls_fingerprint)

    def status(self, message_id: str, tls_fingerprint: str | None) -> StatusAnswer:
        """Return what is known of a message that the calling peer itself delivered."""
        peer = self._caller(tls_fingerprint)
        with self._desk.store.read() as conn:
            arrival = inbox.find(conn, peer.id, message_id)
        if arrival is None:
            return StatusAnswer(message_id=message_id, known=False)
        return StatusAnswer(
            message_id=message_id,
            known=True,
            verdict=arrival.verdict,
            received_at=arrival.received_at,
            receipt=arrival.receipt,
        )

    def collect(self, limit: int | None, tls_fingerprint: str | None) -> Collected:
        """Return messages that wait for the calling peer, under a lease."""
        return hand_out(self._desk, self._active_caller(tls_fingerprint), limit)

    def confirm(self, message_id: str, receipt: bytes, tls_fingerprint: str | None) -> Confirmed:
        """Record the calling peer's receipt for a message that waited for it."""
        return confirm(self._desk, self._active_caller(tls_fingerprint), message_id, receipt)

    def decline(self, message_id: str, why: Decline, tls_fingerprint: str | None) -> Declined:
        """Record why the calling peer cannot take a message that was handed out to it."""
        peer = self._active_caller(tls_fingerprint)
        return decline(self._desk, peer, message_id, why, self._retry)

    def ping(self, tls_fingerprint: str | None) -> PingAnswer:
        """Return who this gateway is and what it takes from the caller."""
        peer = self._caller(tls_fingerprint)
        return PingAnswer(
            identifier=self._desk.identity.identifier,
            country=self._desk.identity.country,
            software_version=f"eco-gateway/{__version__}",
            time=self._desk.clock(),
            document_types=tuple(kind.value for kind in peer.document_types),
            versions=self._versions,
            maintenance=announced_by_us(self._desk) or None,
        )

    @functools.cached_property
    def _versions(self) -> tuple[str, ...]:
        return own_versions(self._desk)

    def _active_caller(self, tls_fingerprint: str | None) -> Peer:
        peer = self._caller(tls_fingerprint)
        if peer.is_suspended:
            raise PeerSuspendedError(f"the peer {peer.identifier} is suspended")
        return peer

    def _caller(self, tls_fingerprint: str | None) -> Peer:
        with self._desk.store.read() as conn:
            peer = (
                None if tls_fingerprint is None else peers.by_tls_fingerprint(conn, tls_fingerprint)
            )
        if peer is None:
            raise ClientCertificateError("the TLS client certificate belongs to no peer")
        return peer
