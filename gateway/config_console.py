"""Settings of the console: where it is served, and how people get in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config_operations import LOOPBACK
from gateway.config_section import Port, Section
from gateway.documents import UtilisationStatus


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

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.behind_proxy and self.host not in LOOPBACK:
            raise ValueError("`behind_proxy` serves without TLS: `host` must be 127.0.0.1 or ::1")
        if (self.key is None) is not (self.certificate is None):
            raise ValueError("name both `key` and `certificate`, or neither")
        return self
