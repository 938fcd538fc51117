"""Reaching a peer one layer at a time, to see which layer fails; nothing is sent over it."""

from __future__ import annotations

import hashlib
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from gateway.transport import PeerEndpoint
from gateway.transport.deadline import deadline
from gateway.transport.resolving import resolved
from gateway.transport.tls import client_context

_DNS_SECONDS = 5.0
_HANDSHAKE_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """Is what a completed TLS handshake showed of the server."""

    version: str
    cipher: str
    fingerprint: str
    ends_at: datetime


def hasty(endpoint: PeerEndpoint) -> PeerEndpoint:
    """Return an endpoint with a few seconds for each layer, whatever is allowed for delivery."""
    return replace(
        endpoint,
        connect_timeout=min(endpoint.connect_timeout, _CONNECT_SECONDS),
        read_timeout=min(endpoint.read_timeout, _ANSWER_SECONDS),
        total_timeout=min(endpoint.total_timeout, _ANSWER_SECONDS),
    )


def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses that a name resolves to, in the system's order.

    Raises:
        OSError: it resolves to none, or not within five seconds.
    """
    try:
        found = resolved(host, port, seconds=_DNS_SECONDS)
    except (TimeoutError, UnicodeError) as exc:
        raise OSError("the name servers do not answer") from exc
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to the first address that takes one.

    Raises:
        OSError: none does.
    """
    return socket.create_connection((host, port), timeout=seconds)


def handshake(endpoint: PeerEndpoint, host: str, port: int) -> Handshake:
    """Return what the server at ``endpoint`` shows to the TLS client that we are.

    In TLS 1.3 a server refuses our certificate only after the handshake: that shows later.

    Raises:
        OSError: no connection, or (``ssl.SSLError``) no handshake that we can believe.
    """
    context = client_context(endpoint)
    with (
        deadline(_HANDSHAKE_SECONDS),
        closing(connect(host, port, endpoint.connect_timeout)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True) or b""
        cipher = secured.cipher()
        return Handshake(
            version=secured.version() or "–",
            cipher=cipher[0] if cipher else "–",
            fingerprint=hashlib.sha256(shown).hexdigest(),
            ends_at=x509.load_der_x509_certificate(shown).not_valid_after_utc,
        )


def reason_of(exc: OSError) -> str:
    """Return why a layer failed, in a few words of the system's own."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message or "certificate verify failed"
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return str(exc.reason)
    return exc.strerror or str(exc) or type(exc).__name__
