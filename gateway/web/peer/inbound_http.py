"""Reading a peer's request: who holds the TLS connection."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from typing import Final
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Request

from gateway.errors import ClientCertificateError
from gateway.web.peer.desk import ProxyTrust

_LONGEST_CERT_HEADER: Final = 16_384


def tls_fingerprint(request: Request, proxy: ProxyTrust | None) -> str | None:
    """Return the SHA-256 (hex) of the client certificate, or None without TLS.

    Raises:
        ClientCertificateError: the proxy that is trusted did not pass a certificate on.
    """
    if proxy is not None:
        return _fingerprint_from_proxy(request, proxy)
    connection = request.environ.get("gunicorn.socket")
    if not isinstance(connection, ssl.SSLSocket):
        return None
    shown = connection.getpeercert(binary_form=True)
    return hashlib.sha256(shown).hexdigest() if shown else None


def _fingerprint_from_proxy(request: Request, proxy: ProxyTrust) -> str:
    said = request.headers.get(proxy.secret_header, "")
    if not hmac.compare_digest(said.encode(), proxy.secret.encode()):
        raise ClientCertificateError("the request did not come through the trusted proxy")
    passed_on = request.headers.get(proxy.cert_header, "")
    if not passed_on or len(passed_on) > _LONGEST_CERT_HEADER:
        raise ClientCertificateError("the proxy passed no client certificate on")
    try:
        tls_cert = x509.load_pem_x509_certificate(unquote_to_bytes(passed_on))
    except ValueError as exc:
        raise ClientCertificateError("the proxy passed on what is no certificate") from exc
    return hashlib.sha256(tls_cert.public_bytes(Encoding.DER)).hexdigest()
