"""Settings of the console: where it is served, and how people get in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config_operations import LOOPBACK
from gateway.config_section import ASYMMETRIC, Port, PublicUrl, Section, is_provider_address
from gateway.documents import UtilisationStatus


class OidcSection(Section):
    """Lets people sign in at the console through an identity provider (OpenID Connect).

    Accounts and roles stay ours: an identity opens the account to which it was linked, and no
    claim enters anybody or gives a role.

    Attributes:
        issuer: https address by which the provider names itself; its description and all of
            its addresses lie on that server.
        name: what people call the provider; stands on the button.
        client_id: this console at the provider.
        client_secret: file with the secret of that client, mode 0600; kept in backups with
            the keys.
        public_url: where browsers reach the console, as `https://console.example:8446`; with
            `/sign-in/provider/back` behind it the one redirect address to register there.
        ca: PEM file of the anchors that the provider's server must chain to; those of the web
            unless given.
        scopes: asked for; `openid` is needed, and nothing more is read.
        algorithms: signature algorithms that are believed.
        factor_acr: values of the claim `acr` with which the provider has asked for a second
            factor; they are also asked for.
        factor_amr: values of the claim `amr` that say so, as `otp` or `hwk`. Unless one of
            either is stated, the console asks for its own second factor.
        clock_skew_seconds: how far the provider's clock may differ.
        local_accounts: people may also sign in with login and password; if not, only a
            one-time code of `eco user invite` opens a way.
    """

    issuer: Annotated[str, Field(max_length=300)]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    client_id: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    client_secret: Path = Path("keys/oidc.secret")
    public_url: PublicUrl
    ca: Path | None = None
    scopes: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,100}$")], ...] = ("openid",)
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("RS256", "PS256", "ES256")
    factor_acr: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,200}$")], ...] = ()
    factor_amr: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,200}$")], ...] = ()
    clock_skew_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    local_accounts: bool = True

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if not is_provider_address(self.issuer):
            raise ValueError("`issuer` is an https address without a query")
        if "openid" not in self.scopes:
            raise ValueError("`scopes` must hold `openid`")
        if not set(self.algorithms) <= ASYMMETRIC:
            known = ", ".join(sorted(ASYMMETRIC))
            raise ValueError(f"`algorithms` are among {known}: none and HMAC prove nothing here")
        return self


class ConsoleSection(Section):
    """Says where `eco serve console` serves officers, operators and the public.

    Attributes:
        host: address to bind; `0.0.0.0` for every IPv4 interface.
        port: port to bind.
        behind_proxy: a TLS proxy of our own stands before it, so it is served without TLS;
            `host` must be a loopback address.  The proxy sets `X-Forwarded-For`.
        key: PEM file of the private key; that of `[tls]` unless given.
        certificate: PEM file, the TLS certificate first, then its issuers; that of `[tls]`
            unless given.
        threads: requests in work at once.
        secret: file of the key from which passwords, sessions and second factors depend; made
            when it is needed first.  Keep it with the signing keys.
        idle_minutes: a session ends when it was not used for so long.
        session_hours: a session ends then whatever happens.
        second_factor: nobody gets in without one.
        public: show the pages on which anybody may check one certificate.
        public_per_minute: checks of one network in the long run.
        max_upload_bytes: largest form or file taken.
        four_eyes: decisions of customs that one officer proposes at the console and another of
            the same organisation confirms; `[]` where one officer works alone.
        oidc: the identity provider through which people may sign in, if any.
    """

    host: str = "127.0.0.1"
    port: Port = 8446
    behind_proxy: bool = False
    key: Path | None = None
    certificate: Path | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    secret: Path = Path("keys/console.secret")
    idle_minutes: Annotated[int, Field(ge=5, le=480)] = 30
    session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    second_factor: bool = True
    public: bool = True
    public_per_minute: Annotated[int, Field(ge=1, le=600)] = 10
    max_upload_bytes: Annotated[int, Field(ge=10_000, le=100_000_000)] = 12_000_000
    four_eyes: tuple[UtilisationStatus, ...] = (
        UtilisationStatus.REJECTED,
        UtilisationStatus.WITHDRAWN,
    )
    oidc: OidcSection | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.behind_proxy and self.host not in LOOPBACK:
            raise ValueError("`behind_proxy` serves without TLS: `host` must be 127.0.0.1 or ::1")
        if (self.key is None) is not (self.certificate is None):
            raise ValueError("name both `key` and `certificate`, or neither")
        return self
