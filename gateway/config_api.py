"""Settings of the national side: its entrance, and the formats that it speaks."""

from __future__ import annotations

from ipaddress import ip_network
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
        batches: what many documents handed over at once may amount to.
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
    batches: BatchesSection = BatchesSection()

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
