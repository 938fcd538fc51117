"""What the peers' entrance needs from the rest of the gateway, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.envelope import MAX_ENVELOPE_BYTES, USUAL_ENVELOPE_BYTES
from gateway.errors import ConfigError
from gateway.transport.port import Collected, Confirmed, Decline, Declined, PingAnswer, StatusAnswer
from gateway.web.pressure import Pressure

SHORTEST_PROXY_SECRET = 32


class PeerDesk(Protocol):
    """Is what answers peers; every method raises ``GatewayError`` and nothing else on purpose.

    ``tls_fingerprint`` is the SHA-256 (hex) of the client certificate in DER; None only where
    the listener runs without TLS.
    """

    def accept(self, raw: bytes, tls_fingerprint: str | None) -> bytes:
        """Return the signed receipt envelope for the envelope ``raw``."""

    def status(self, message_id: str, tls_fingerprint: str | None) -> StatusAnswer:
        """Return what is known of a message that the caller itself delivered."""

    def collect(self, limit: int | None, tls_fingerprint: str | None) -> Collected:
        """Return messages that wait for the caller, at most ``limit`` (None: as many as suits)."""

    def confirm(self, message_id: str, receipt: bytes, tls_fingerprint: str | None) -> Confirmed:
        """Record the caller's receipt for a message that waited for it."""

    def decline(self, message_id: str, why: Decline, tls_fingerprint: str | None) -> Declined:
        """Record why the caller cannot take a message that waited for it."""

    def ping(self, tls_fingerprint: str | None) -> PingAnswer:
        """Return who this gateway is."""


@dataclass(frozen=True, kw_only=True)
class ProxyTrust:
    """Says that a TLS proxy of our own stands in front and passes client certificates on.

    The proxy must set both headers on every request, overwriting what the client sent
    (nginx: ``proxy_set_header X-Client-Cert $ssl_client_escaped_cert``).

    Attributes:
        secret: shared with the proxy; a request without it is refused.
        cert_header: carries the client certificate as URL-encoded PEM.
        secret_header: carries the secret.
    """

    secret: str = field(repr=False)
    cert_header: str = "X-Client-Cert"
    secret_header: str = "X-Proxy-Secret"  # noqa: S105 - the name of a header

    def __post_init__(self) -> None:
        """Refuse a secret that could be guessed."""
        if len(self.secret) < SHORTEST_PROXY_SECRET:
            raise ConfigError(f"the proxy secret needs {SHORTEST_PROXY_SECRET} characters")


@dataclass(frozen=True, kw_only=True)
class PeerAppSettings:
    """Holds what the peers' entrance may be told.

    Attributes:
        max_envelope_bytes: larger envelopes are refused before they are read; what no
            channel can carry (``MAX_ENVELOPE_BYTES``) is refused whatever stands here.
        public_url: base address under which peers reach us; stands in the WSDL.  Without it
            the WSDL names the host that the request named.
        proxy: trust in a TLS proxy; None reads the client certificate from our own socket and
            ignores every header that claims one.
        retry_after_seconds: what a busy gateway asks callers to wait.
        pressure: how much is taken at a time, of one peer and in total.
    """

    max_envelope_bytes: int = USUAL_ENVELOPE_BYTES
    public_url: str | None = None
    proxy: ProxyTrust | None = None
    retry_after_seconds: int = 30
    pressure: Pressure = field(default_factory=Pressure)

    @property
    def envelope_limit(self) -> int:
        """The limit in force, in bytes."""
        return min(self.max_envelope_bytes, MAX_ENVELOPE_BYTES)
