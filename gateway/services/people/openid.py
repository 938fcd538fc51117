"""The identity provider of the console as it is configured, and as it describes itself.

Source: OpenID Connect Core 1.0 and Discovery 1.0; RFC 9207 (who answers); RFC 7636 (PKCE).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.errors import BadAnswerError, ConfigError
from gateway.services.signed_tokens import UNTYPED, SignatureRules
from gateway.transport.fetching import is_on

BACK: Final = "/sign-in/provider/back"
"""Where the provider leads people back to; the one redirect address of the console."""
DESCRIPTION: Final = "/.well-known/openid-configuration"
_LONGEST_SECRET: Final = 500
_OTHERS: Final = 0o077


@dataclass(frozen=True, kw_only=True)
class OpenIdTerms:
    """Says which provider is asked, as whom, and what of its word is believed.

    Attributes:
        issuer: its name in tokens; all of its addresses lie on that server.
        name: of the provider, for people.
        console: where browsers reach the console.
        algorithms: that may sign; asymmetric ones only.
        factor_acr, factor_amr: what the provider states when it asked for a second factor.
        skew: how far its clock may differ.
        local_accounts: passwords open sessions too.
    """

    issuer: str
    name: str
    client_id: str
    client_secret: str = field(repr=False)
    console: str
    ca: Path | None = None
    scopes: tuple[str, ...] = ("openid",)
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256"})
    factor_acr: tuple[str, ...] = ()
    factor_amr: tuple[str, ...] = ()
    skew: timedelta = timedelta(seconds=30)
    local_accounts: bool = True

    @property
    def redirect_uri(self) -> str:
        """Where the provider leads people back to, letter for letter."""
        return f"{self.console}{BACK}"

    @property
    def origin(self) -> str:
        """The server of the provider, for the policy of pages."""
        return f"https://{urlsplit(self.issuer).netloc}"

    @property
    def signature(self) -> SignatureRules:
        """What is asked of the signature of an ID token; an access token is none."""
        return SignatureRules(algorithms=self.algorithms, types=frozenset({"JWT", UNTYPED}))


@dataclass(frozen=True, kw_only=True)
class Description:
    """Is what the provider says of itself.

    Attributes:
        authorization, token, keys: its addresses, all of them on the issuer's own server.
        farewell: where one signs out there, if it offers that.
        names_itself: it states its name whenever it leads somebody back.
        takes_basic: the client shows its secret in a header; if not, in the form.
    """

    authorization: str
    token: str
    keys: str
    farewell: str | None
    names_itself: bool
    takes_basic: bool


def description_in(raw: bytes, issuer: str) -> Description:
    """Return what a provider's description says.

    Raises:
        BadAnswerError: it is none, is another issuer's, leads to another server, or the
            provider cannot do what is needed.
    """
    try:
        said: Any = json.loads(raw)
        named = said["issuer"]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise BadAnswerError("the identity provider's description cannot be read") from exc
    if named != issuer:
        raise BadAnswerError("the identity provider describes another issuer")
    ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not _offers(ways, "client_secret_basic") and not _offers(ways, "client_secret_post"):
        raise BadAnswerError("the identity provider takes no client secret")
    if not _offers(said.get("code_challenge_methods_supported", ["S256"]), "S256"):
        raise BadAnswerError("the identity provider does not offer PKCE with S256")
    farewell = said.get("end_session_endpoint")
    return Description(
        authorization=_address(said, "authorization_endpoint", issuer),
        token=_address(said, "token_endpoint", issuer),
        keys=_address(said, "jwks_uri", issuer),
        farewell=None if farewell is None else _address(said, "end_session_endpoint", issuer),
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        takes_basic=_offers(ways, "client_secret_basic"),
    )


def load_client_secret(file: Path) -> str:
    """Return the secret of this console at the provider.

    Raises:
        ConfigError: it cannot be read, others may read it, or it is none.
    """
    try:
        if file.stat().st_mode & _OTHERS:
            raise ConfigError(f"[console.oidc] others may read {file}; `chmod 600` it")
        with file.open("rb") as opened:
            raw = opened.read(_LONGEST_SECRET + 2)
    except OSError as exc:
        raise ConfigError(f"[console.oidc] {file} cannot be read: {exc.strerror}") from exc
    secret = raw.strip()
    if not 0 < len(secret) <= _LONGEST_SECRET or not all(0x21 <= each <= 0x7E for each in secret):
        raise ConfigError(f"[console.oidc] {file} holds no secret of 1 to 500 printable letters")
    return secret.decode("ascii")


def _address(said: dict[str, Any], name: str, issuer: str) -> str:
    address = said.get(name)
    if not isinstance(address, str) or not address.isascii() or not is_on(issuer, address):
        raise BadAnswerError(f"the identity provider's {name} lies on another server, or nowhere")
    return address


def _offers(listed: object, wanted: str) -> bool:
    return isinstance(listed, list) and wanted in listed
