"""The identity provider of a console, on a real TLS socket: honest unless a test bends it.

It keeps to the standard by itself: exact redirect address, PKCE, codes that are good once and for
the client that shows its secret.  Tests bend what it states, or put other answers in its place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from tests.api.identity_provider import IdentityProvider, SigningKey, b64, token

CLIENT, SECRET = "eco console+1", "s3cret:with/odd+letters"
Claims = dict[str, Any]
Page = tuple[int, bytes, dict[str, str]]


@dataclass
class OpenIdStandIn(IdentityProvider):
    """Signs everybody in as ``subject``.

    Attributes:
        redirect_uri: the one that is registered.
        bend: changes claims before they are signed.
        sign: makes the token of a key and claims.
        asks: show a page with a button before leading back.
        checks_pkce: refuse codes whose verifier does not fit.
        names_itself: lead back with ``iss``, and say so.
        described: members of the description that differ; None leaves one out.
        spoken: what is added to, or replaced in, the address back.
    """

    redirect_uri: str = ""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    subject: str = "subject-1"
    bend: Callable[[Claims], Claims] = field(default=lambda claims: claims)
    sign: Callable[[SigningKey, Claims], str] = field(
        default=lambda key, claims: token(key, claims, typ="JWT")
    )
    asks: bool = False
    checks_pkce: bool = True
    names_itself: bool = True
    described: dict[str, Any] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked_for: dict[str, str] = field(default_factory=dict)

    def page(self, path: str) -> Page:
        parts = urllib.parse.urlsplit(path)
        page = parts.path.removeprefix("/realms/customs")
        query = dict(urllib.parse.parse_qsl(parts.query))
        if page in self.answers:
            self.asked.append(path)
            return self.answers[page]
        if page == "/.well-known/openid-configuration":
            self.asked.append(path)
            return _json(self._description())
        if page == "/auth":
            self.asked.append(path)
            return self._authorize(query)
        if page == "/logout":
            self.asked.append(path)
            return 302, b"", {"Location": query["post_logout_redirect_uri"]}
        return super().page(path)

    def take(self, path: str, form: bytes, headers: Mapping[str, str]) -> Page:
        page = path.removeprefix("/realms/customs")
        asked = dict(urllib.parse.parse_qsl(form.decode()))
        self.asked.append(path)
        if page in self.answers:
            return self.answers[page]
        if page == "/agreed":
            return self._lead_back(asked)
        if page == "/token":
            return self._redeem(asked, headers)
        return 404, b"", {}

    def _description(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "code_challenge_methods_supported": ["plain", "S256"],
            "authorization_response_iss_parameter_supported": self.names_itself,
        } | self.described
        return {name: value for name, value in said.items() if value is not None}

    def _authorize(self, asked: dict[str, str]) -> Page:
        self.asked_for = asked
        sound = (
            asked.get("client_id") == CLIENT
            and asked.get("redirect_uri") == self.redirect_uri
            and asked.get("response_type") == "code"
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
        )
        if not sound:
            return 400, b"invalid request", {"Content-Type": "text/plain"}
        if self.asks:
            fields = "".join(
                f'<input type="hidden" name="{name}" value="{asked[name]}">'
                for name in ("state", "nonce", "code_challenge")
            )
            page = f'<form method="post" action="{self.issuer}/agreed">{fields}<button>It is me'
            return 200, page.encode(), {"Content-Type": "text/html"}
        return self._lead_back(asked)

    def _lead_back(self, asked: dict[str, str]) -> Page:
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "subject": self.subject}
        said = {"code": code, "state": asked["state"]}
        if self.names_itself:
            said["iss"] = self.issuer
        address = f"{self.redirect_uri}?{urllib.parse.urlencode(said | self.spoken)}"
        return 302, b"", {"Location": address}

    def _redeem(self, asked: dict[str, str], headers: Mapping[str, str]) -> Page:
        pair = f"{urllib.parse.quote_plus(CLIENT)}:{urllib.parse.quote_plus(SECRET)}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        in_form = (asked.get("client_id"), asked.get("client_secret")) == (CLIENT, SECRET)
        if headers.get("Authorization") != basic and not in_form:
            return _json({"error": "invalid_client"}, 401)
        known = self.codes.pop(asked.get("code", ""), None)
        challenge = b64(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if known is None or asked.get("redirect_uri") != self.redirect_uri:
            return _json({"error": "invalid_grant"}, 400)
        if self.checks_pkce and challenge != known["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(16)
        claims = self.bend(self._stated(known, access))
        claims = {name: value for name, value in claims.items() if value is not None}
        said = {"access_token": access, "token_type": "Bearer"}
        return _json(said | {"id_token": self.sign(self.key, claims)})

    def _stated(self, known: dict[str, str], access: str) -> Claims:
        at = int(self.clock().timestamp())
        half = hashlib.sha256(access.encode()).digest()[:16]
        return {
            "iss": self.issuer,
            "sub": known["subject"],
            "aud": CLIENT,
            "azp": CLIENT,
            "exp": at + 60,
            "iat": at,
            "nonce": known["nonce"],
            "at_hash": b64(half),
            "amr": ["pwd", "otp"],
        }

    def visited(self, address: str, ca: Path) -> str:
        """Return where the provider leads a browser that is signed in there."""
        parts = urllib.parse.urlsplit(address)
        assert f"https://{parts.netloc}" == self.issuer.removesuffix("/realms/customs")
        context = ssl.create_default_context(cafile=str(ca))
        line = HTTPSConnection(parts.netloc, context=context, timeout=10)
        try:
            line.request("GET", f"{parts.path}?{parts.query}")
            answer = line.getresponse()
            answer.read()
            assert answer.status == 302, answer.status
            return answer.headers["Location"]
        finally:
            line.close()


def _json(said: Mapping[str, Any], status: int = 200) -> Page:
    return status, json.dumps(said).encode(), {"Content-Type": "application/json"}
