"""Settings of the national side: its entrance, and the formats that it speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.config_operations import LOOPBACK
from gateway.config_section import Port, Section


class FormatsSection(Section):
    """Says where the home's own national formats lie (docs/national-formats.md).

    Attributes:
        folder: folder of mapping files (`*.yaml`), beside those that ship; a file with the name
            of one that ships replaces it. A running gateway takes a changed file by itself when
            `eco mapping check` finds no error in it; until then the old version stays in force.
    """

    folder: Path = Path("formats")


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
        docs: show the interface description (`/api/v1/docs`, `/api/v1/openapi.json`) to anybody.
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

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.behind_proxy and self.host not in LOOPBACK:
            raise ValueError("`behind_proxy` serves without TLS: `host` must be 127.0.0.1 or ::1")
        if (self.key is None) is not (self.certificate is None):
            raise ValueError("name both `key` and `certificate`, or neither")
        return self
