"""Settings of the national side: its entrance, and the formats that it speaks."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config_operations import LOOPBACK
from gateway.config_section import ASYMMETRIC, Port, PublicUrl, Section, is_provider_address


class FormatsSection(Section):
    """Says where the home's own national formats lie (docs/national-formats.md).

    Attributes:
        folder: folder of mapping files (`*.yaml`), beside those that ship; a file with the name
            of one that ships replaces it. A running gateway takes a changed file by itself when
            `eco mapping check` finds no error in it; until then the old version stays in force.
    """

    folder: Path = Path("formats")


class BatchesSection(Section):
    """Bounds batches: many documents handed over at once.

    Attributes:
        max_bytes: largest upload.
        max_lines: most lines of an upload in NDJSON or CSV.
        max_document_bytes: longest line, group of rows or file of an archive.
        max_files: most files in an archive.
        max_unpacked_bytes: of all files of an archive together.
        max_open: batches of one organisation that arrive, wait or are in work at a time.
        keep_days: how long results stay after the batch has ended.
    """

    max_bytes: Annotated[int, Field(ge=10_000, le=4_000_000_000)] = 1_000_000_000
    max_lines: Annotated[int, Field(ge=1, le=10_000_000)] = 500_000
    max_document_bytes: Annotated[int, Field(ge=10_000, le=12_000_000)] = 2_000_000
    max_files: Annotated[int, Field(ge=1, le=65_000)] = 10_000
    max_unpacked_bytes: Annotated[int, Field(ge=10_000, le=16_000_000_000)] = 1_000_000_000
    max_open: Annotated[int, Field(ge=1, le=1_000)] = 10
    keep_days: Annotated[int, Field(ge=1, le=1_830)] = 30


class TokenClientSection(Section):
    """Says which organisation a client of the identity provider is.

    Attributes:
        client: value of the claim that names the client.
        organisation: code of its organisation here.
    """

    client: Annotated[str, Field(min_length=1, max_length=150)]
    organisation: Annotated[str, Field(min_length=1, max_length=40)]


class TokenScopeSection(Section):
    """Says what a scope of the identity provider means here; our own names need no entry.

    Attributes:
        token: the scope as tokens name it.
        scope: the scope here, as `certificates:submit`.
    """

    token: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    scope: Annotated[str, Field(pattern=r"^[a-z]+:[a-z]+$")]


class OauthSection(Section):
    """Lets systems show access tokens of an identity provider (RFC 9068) in place of API keys.

    Attributes:
        issuer: https address by which the provider names itself in tokens.
        audience: how tokens name this interface.
        jwks_url: https address of the provider's keys; unless given it is read from the
            provider's description, and must then lie on the issuer's own server.
        jwks_file: file with the provider's keys, for a gateway that cannot reach it.
        ca: PEM file of the anchors that the provider's server must chain to; those of the web
            unless given.
        algorithms: signature algorithms that are believed.
        token_types: values of the token header `typ`; providers that do not follow RFC 9068
            write `JWT`.
        client_claim: claim that names the client.
        scope_claim: claim that names the scopes.
        clock_skew_seconds: how far the provider's clock may differ.
        longest_minutes: longest lifetime of a token that is believed.
        fresh_seconds: after this the keys are read again.
        clients: clients, each with its organisation here; no other is believed.
        scopes: scopes of the provider that are named otherwise than ours.
    """

    issuer: str
    audience: Annotated[str, Field(min_length=1, max_length=300)]
    jwks_url: str | None = None
    jwks_file: Path | None = None
    ca: Path | None = None
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("RS256", "PS256", "ES256")
    token_types: Annotated[tuple[str, ...], Field(min_length=1)] = ("at+jwt",)
    client_claim: str = "client_id"
    scope_claim: str = "scope"
    clock_skew_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    longest_minutes: Annotated[int, Field(ge=1, le=10_080)] = 1440
    fresh_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300
    clients: Annotated[tuple[TokenClientSection, ...], Field(min_length=1)]
    scopes: tuple[TokenScopeSection, ...] = ()

    @model_validator(mode="after")
    def _safe(self) -> Self:
        for url in (self.issuer, self.jwks_url):
            if url is not None and not is_provider_address(url):
                raise ValueError("`issuer` and `jwks_url` are https addresses without a query")
        if self.jwks_url is not None and self.jwks_file is not None:
            raise ValueError("name `jwks_url` or `jwks_file`, not both")
        if not set(self.algorithms) <= ASYMMETRIC:
            known = ", ".join(sorted(ASYMMETRIC))
            raise ValueError(f"`algorithms` are among {known}: none and HMAC prove nothing here")
        names = [each.client for each in self.clients]
        if len(set(names)) < len(names):
            raise ValueError("a client stands there twice")
        return self


class ApiSection(Section):
    """Says where `eco serve api` serves the national side, and how much it takes.

    Attributes:
        host: address to bind; `0.0.0.0` for every IPv4 interface.
        port: port to bind.
        behind_proxy: a TLS proxy of our own stands before it, so it is served without TLS;
            `host` must be a loopback address.
        key: PEM file of the private key; that of `[tls]` unless given.
        certificate: PEM file, the TLS certificate first, then its issuers; that of `[tls]`
            unless given.
        threads: requests in work at once.
        max_body_bytes: largest body taken.
        requests_per_minute: of one key in the long run; then it is asked to slow down.
        requests_at_once: of one key after a pause, before that counts.
        docs: show the interface descriptions (`/api/v1/docs`, `/api/v1/openapi.json`,
            `/soap/v1?wsdl`) to anybody.
        public_url: where national systems reach it, as `https://sw.example:8445`; stands in the
            WSDL. Without it the WSDL names the host that was asked.
        batches: what many documents handed over at once may amount to.
        oauth: the identity provider whose tokens are taken beside API keys, if any.
    """

    host: str = "127.0.0.1"
    port: Port = 8445
    behind_proxy: bool = False
    key: Path | None = None
    certificate: Path | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    max_body_bytes: Annotated[int, Field(ge=10_000, le=100_000_000)] = 12_000_000
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    requests_at_once: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    docs: bool = True
    public_url: PublicUrl | None = None
    batches: BatchesSection = BatchesSection()
    oauth: OauthSection | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.behind_proxy and self.host not in LOOPBACK:
            raise ValueError("`behind_proxy` serves without TLS: `host` must be 127.0.0.1 or ::1")
        if (self.key is None) is not (self.certificate is None):
            raise ValueError("name both `key` and `certificate`, or neither")
        return self


class WebhooksSection(Section):
    """Says where events may be told to, and with which key their notices are signed.

    Attributes:
        key: 32 random bytes from which the secrets of webhooks are derived; made when it is
            needed first. Every host of this gateway has the same file.
        networks: networks allowed although they are not public, as `10.1.0.0/16`.
        plain_hosts: hosts that may be told by plain http.
        ports: ports that may be reached.
        ca: PEM file of the anchors that receivers must chain to; those of the web unless given.
        timeout_seconds: for each step of one attempt; the whole has twice as long.
        give_up_after_hours: an event that failed for so long stops its webhook, with an alert.
    """

    key: Path = Path("keys/webhooks.key")
    networks: tuple[str, ...] = ()
    plain_hosts: tuple[str, ...] = ()
    ports: tuple[Port, ...] = (443, 8443)
    ca: Path | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 10
    give_up_after_hours: Annotated[int, Field(ge=1, le=720)] = 72

    @model_validator(mode="after")
    def _safe(self) -> Self:
        for network in self.networks:
            ip_network(network)  # a ValueError of it names what is wrong
        return self
