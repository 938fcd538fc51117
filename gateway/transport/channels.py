"""The one transport of the gateway: picks the channel that a peer's profile names."""

from __future__ import annotations

from gateway.transport.http import HttpClient
from gateway.transport.port import (
    Channel,
    Collected,
    Confirmed,
    Decline,
    Declined,
    PeerEndpoint,
    PingAnswer,
    StatusAnswer,
)
from gateway.transport.rest import RestTransport
from gateway.transport.soap import SoapTransport


class PeerTransport:
    """Speaks every channel, over one set of kept connections; safe between threads.

    Build it after a fork, one per process.
    """

    def __init__(self) -> None:
        self._client = HttpClient()
        self._channels: dict[Channel, RestTransport | SoapTransport] = {
            Channel.SOAP: SoapTransport(self._client),
            Channel.REST: RestTransport(self._client),
        }

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the peer's answer to ``envelope``: bytes that claim to be a receipt."""
        return self._channels[endpoint.channel].send(endpoint, envelope)

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Return who answers at ``endpoint``."""
        return self._channels[endpoint.channel].ping(endpoint)

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Return what the peer knows of a message that we sent."""
        return self._channels[endpoint.channel].status(endpoint, message_id)

    def collect(self, endpoint: PeerEndpoint, limit: int) -> Collected:
        """Return what waits for us at the peer, at most ``limit`` messages."""
        return self._channels[endpoint.channel].collect(endpoint, limit)

    def confirm(self, endpoint: PeerEndpoint, message_id: str, receipt: bytes) -> Confirmed:
        """Hand in our receipt for a collected message and return what was recorded."""
        return self._channels[endpoint.channel].confirm(endpoint, message_id, receipt)

    def decline(self, endpoint: PeerEndpoint, message_id: str, why: Decline) -> Declined:
        """Report that a collected message cannot be taken and return what follows."""
        return self._channels[endpoint.channel].decline(endpoint, message_id, why)

    def close(self) -> None:
        """Close every kept connection."""
        self._client.close()
