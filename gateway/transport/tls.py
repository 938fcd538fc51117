"""TLS towards peers: contexts with every option written out, and the requests adapter for them.

Web certificate authorities are never loaded: a peer's server must chain to the anchors that
were registered for this peer.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any, Final

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from gateway.transport.deadline import DeadlineTlsSocket, with_deadline
from gateway.transport.port import PeerEndpoint

CIPHERS_TLS12: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!MD5:!DSS"
"""Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""

CONNECTIONS_KEPT: Final = 16

FileStamp = tuple[tuple[int, int, int], ...]


def stamp_of(*paths: Path | None) -> FileStamp:
    """Return what changes when one of the files is replaced (inode, size, time)."""
    found = [path.stat() for path in paths if path is not None]
    return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found)


def harden(context: ssl.SSLContext) -> None:
    """Set what holds on both sides: TLS 1.2 or later, strong ciphers, no renegotiation."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_ciphers(CIPHERS_TLS12)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a leaf may be the anchor
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = DeadlineTlsSocket


def load_credential(context: ssl.SSLContext, cert: Path, key: Path, password: str | None) -> None:
    """Load a PEM chain and its key; an encrypted key never asks the terminal.

    Raises:
        OSError: a file is missing, or (``ssl.SSLError``) the pair does not fit.
    """
    context.load_cert_chain(cert, key, password=lambda: password or "")


def client_context(endpoint: PeerEndpoint) -> ssl.SSLContext:
    """Return the context that believes this peer's anchors alone and shows our credential.

    Raises:
        OSError: a credential file is missing or unusable, or the anchors are no PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    harden(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_verify_locations(cadata=endpoint.server_ca_pem.decode("ascii", "ignore"))
    if endpoint.client_cert is not None and endpoint.client_key is not None:
        load_credential(
            context, endpoint.client_cert, endpoint.client_key, endpoint.client_key_password
        )
    return context


class _PlainConnection(HTTPConnection):
    """Keeps deadlines on plain connections (loopback only)."""

    def _new_conn(self) -> socket.socket:
        return with_deadline(super()._new_conn())


def _pinned_connection(pins: frozenset[str]) -> type[HTTPSConnection]:
    class PinnedConnection(HTTPSConnection):
        """Shows nothing to a server whose certificate is not pinned, where any are."""

        def connect(self) -> None:
            super().connect()
            shown = self.sock.getpeercert(binary_form=True) or b""  # type: ignore[union-attr]
            if pins and hashlib.sha256(shown).hexdigest() not in pins:
                self.close()
                raise ssl.SSLCertVerificationError("the server certificate is not a pinned one")

    return PinnedConnection


class PeerAdapter(HTTPAdapter):
    """Carries requests to one peer over connections that are kept open and never trusted more.

    The context decides about TLS; requests' own ``verify`` and ``cert`` (and with them the
    environment and certifi) are not consulted.
    """

    def __init__(self, endpoint: PeerEndpoint) -> None:
        self._context = client_context(endpoint) if endpoint.is_tls else None
        self._pins = endpoint.pinned_server_certs
        super().__init__(
            pool_connections=1,
            pool_maxsize=CONNECTIONS_KEPT,
            max_retries=Retry(0, read=False, redirect=False, respect_retry_after_header=False),
            pool_block=False,
        )

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pool on our TLS context and our connection classes."""
        if self._context is not None:
            kwargs |= {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}
        super().init_poolmanager(*args, **kwargs)
        pinned = _pinned_connection(self._pins)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": _PlainConnection}),
            "https": type("PinnedPool", (HTTPSConnectionPool,), {"ConnectionCls": pinned}),
        }

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return where to connect; the TLS part stays with our context."""
        where, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return where, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool alone: requests would add the web's certificate authorities here."""
