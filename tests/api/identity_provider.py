"""A small identity provider on a real socket: it describes itself, shows keys and issues tokens.

Its tokens are signed by hand, with cryptography alone, so that what verifies them is not what
made them, and so that a test may bend anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.wire.tls_files import Pair

AUDIENCE = "https://eco.example/api/v1"
SECRETS = {"asycuda": "s3cret"}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def b64_number(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@dataclass
class SigningKey:
    """Is a key of the provider under its id."""

    kid: str
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def algorithm(self) -> str:
        return "ES256" if isinstance(self.key, ec.EllipticCurvePrivateKey) else "RS256"

    @property
    def jwk(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        if isinstance(self.key, rsa.RSAPrivateKey):
            shape = {"kty": "RSA", "n": b64_number(numbers.n), "e": b64_number(numbers.e)}
        else:
            x, y = (b64(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
            shape = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {**shape, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @property
    def pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, signed: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key: SigningKey, claims: Mapping[str, Any], **header: Any) -> str:
    """Return a token; members of the header that are None are left out."""
    head = {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid} | header
    head = {name: value for name, value in head.items() if value is not None}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(dict(claims)).encode())}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def mac_token(secret: bytes, claims: Mapping[str, Any], kid: str) -> str:
    """Return a token whose MAC was made with a public key as secret."""
    head = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(dict(claims)).encode())}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


@dataclass
class IdentityProvider:
    """Serves over TLS at ``localhost``; ``answers`` overrides what an address says."""

    tls: Pair
    key: SigningKey = field(default_factory=lambda: SigningKey("k1"))
    shown: list[SigningKey] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pause: float = 0.0

    def __post_init__(self) -> None:
        self.shown = [self.key]
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._say(*provider.page(self.path))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                self._say(*provider.take(self.path, self.rfile.read(length), self.headers))

            def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                time.sleep(provider.pause)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls.cert, self.tls.key)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.server.handle_error = lambda *_: None  # callers that hang up are part of the tests
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.server.server_address[1]}/realms/customs"

    def page(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append(path)
        page = path.removeprefix("/realms/customs")
        if page in self.answers:
            return self.answers[page]
        if page == "/.well-known/openid-configuration":
            said: Any = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"}
        elif page == "/jwks":
            said = {"keys": [each.jwk for each in self.shown]}
        else:
            return 404, b"", {}
        return 200, json.dumps(said).encode(), {"Content-Type": "application/json"}

    def take(
        self, path: str, form: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        """Answer a form that was posted."""
        return self.issue(form)

    def issue(self, form: bytes) -> tuple[int, bytes, dict[str, str]]:
        """Answer a request for client credentials."""
        asked = dict(urllib.parse.parse_qsl(form.decode()))
        known = SECRETS.get(asked.get("client_id", ""))
        if asked.get("grant_type") != "client_credentials" or known != asked.get("client_secret"):
            return 401, b'{"error":"invalid_client"}', {"Content-Type": "application/json"}
        now = datetime.fromisoformat(asked["now"])  # the gateway of the test has its own clock
        claims = self.claims(now, client_id=asked["client_id"], scope=asked["scope"])
        said = {"access_token": token(self.key, claims), "token_type": "Bearer"}
        return 200, json.dumps(said).encode(), {"Content-Type": "application/json"}

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:
        """Return sound claims; changes that are None leave one out."""
        at = int(now.timestamp())
        sound = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "exp": at + 300,
            "iat": at,
            "nbf": at,
            "jti": "1",
            "sub": "asycuda",
            "client_id": "asycuda",
            "scope": "certificates:read certificates:submit",
        } | changes
        return {name: value for name, value in sound.items() if value is not None}

    def rotate(self, kid: str, *, keep: bool) -> None:
        """Sign with a new key; show the old one beside it, or no more."""
        self.key = SigningKey(kid)
        self.shown = [*(self.shown if keep else []), self.key]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
