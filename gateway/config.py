"""Typed settings of one gateway home: one TOML file plus ``ECO_*`` variables for secrets.

A *home* is a directory with ``gateway.toml``; relative paths in the file start there.
Unknown keys are refused with section and key.  Secrets never stand in the file: a key's
password is named by the environment variable that holds it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.errors import ConfigError

CONFIG_FILE = "gateway.toml"

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PartyIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,34}$")]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Section(BaseModel):
    """Is the strict, frozen base of every section of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GatewaySection(Section):
    """Says who this gateway is.

    Attributes:
        identifier: its name among the peers, as ``ZM-SW``.
        test: exchanges test messages only; a live gateway refuses them and the reverse.
        agreements: ids of the agreement profiles in force here.
        language: language of texts towards the national system.
    """

    identifier: PartyIdentifier
    name: str = Field(min_length=1, max_length=200)
    country: Country
    test: bool
    agreements: tuple[str, ...] = ("COMESA",)
    language: Literal["en", "fr", "ar"] = "en"


class StoreSection(Section):
    """Says where the gateway keeps its books (SQLite file or PostgreSQL URL)."""

    url: str = "sqlite:///gateway.db"


class KeySection(Section):
    """Names one signing credential: PEM key and chain, or one PKCS#12 file.

    Attributes:
        certificate: PEM file, the signing certificate first, then its issuers.
        password_env: name of the environment variable that holds the password, if any.
    """

    key: Path | None = None
    certificate: Path | None = None
    pkcs12: Path | None = None
    password_env: str | None = None

    @property
    def pem(self) -> tuple[Path, Path] | None:
        """The PEM files of key and certificate, None for a PKCS#12 file."""
        if self.key is None or self.certificate is None:
            return None
        return self.key, self.certificate

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse a section that names neither or both forms."""
        named = [path for path in (self.key, self.certificate, self.pkcs12) if path is not None]
        if (self.pem is None) is (self.pkcs12 is None) or len(named) > 2:
            raise ValueError("name either `key` and `certificate`, or `pkcs12`")


class KeysSection(Section):
    """Names the credentials: the gateway's own and those of the authorities it signs for."""

    gateway: KeySection
    authority: KeySection | None = None
    customs: KeySection | None = None


class TlsSection(Section):
    """Names the TLS credential that serves peers and is shown to them."""

    key: Path
    certificate: Path


class ListenSection(Section):
    """Says where the peer listener (mutual TLS) binds and how peers reach it."""

    host: str = "127.0.0.1"
    port: Port = 8443
    public_url: str
    threads: Annotated[int, Field(ge=1, le=64)] = 8


class LimitsSection(Section):
    """Bounds what is taken from peers.

    Attributes:
        max_message_bytes: largest envelope taken.
        max_age_days: oldest envelope taken; older ones must be submitted again.
        clock_skew_minutes: how far ahead a peer's clock may be.
    """

    max_message_bytes: Annotated[int, Field(ge=10_000, le=100_000_000)] = 12_000_000
    max_age_days: Annotated[int, Field(ge=1, le=365)] = 30
    clock_skew_minutes: Annotated[int, Field(ge=1, le=60)] = 5


class DeliverySection(Section):
    """Says how hard the workers try.

    Attributes:
        lease_seconds: after this a claim by a silent worker may be taken over.
        first_retry_seconds: pause after the first failure; doubles up to the next one.
        longest_retry_seconds: longest pause between attempts.
        give_up_after_hours: then a person must look (state FAILED; `eco resend` revives it).
    """

    poll_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    lease_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    batch: Annotated[int, Field(ge=1, le=500)] = 20
    first_retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    longest_retry_seconds: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    give_up_after_hours: Annotated[float, Field(gt=0, le=2400)] = 72.0
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    read_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0


class CodeListsSection(Section):
    """Names code lists that the operator adds.

    Attributes:
        hs: CSV files of Harmonized System editions (docs/rules.md, V34); without them the
            form and chapter of tariff codes are checked.
    """

    hs: tuple[Path, ...] = ()


class Settings(Section):
    """Holds every setting of one gateway home; built by ``load_settings``."""

    gateway: GatewaySection
    store: StoreSection = StoreSection()
    keys: KeysSection
    tls: TlsSection
    listen: ListenSection
    limits: LimitsSection = LimitsSection()
    delivery: DeliverySection = DeliverySection()
    code_lists: CodeListsSection = CodeListsSection()
    home: Path

    def resolve(self, path: Path) -> Path:
        """Return ``path`` as seen from the gateway home."""
        return self.home / path

    @property
    def store_url(self) -> str:
        """Return the database URL with a relative SQLite file placed in the home."""
        prefix = "sqlite:///"
        if self.store.url.startswith(prefix):
            return prefix + str(self.home / self.store.url.removeprefix(prefix))
        return self.store.url


def load_settings(home: Path) -> Settings:
    """Return the settings of the gateway home ``home``.

    ``ECO_STORE_URL`` overrides the database URL, because it may hold a password.

    Raises:
        ConfigError: the file is missing, is no TOML, or a key is unknown, missing or wrong.
    """
    file = home / CONFIG_FILE
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise ConfigError(f"{file} does not exist; make a home with `eco init`") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{file} is not readable TOML: {exc}") from exc
    if override := os.environ.get("ECO_STORE_URL"):
        values["store"] = {**values.get("store", {}), "url": override}
    try:
        return Settings(**{**values, "home": home.resolve()})
    except ValidationError as exc:
        raise ConfigError(f"{file}: {_complaints(exc)}") from exc


def secret_from(variable: str | None) -> bytes | None:
    """Return the secret that the environment variable holds, or None where none is named.

    Raises:
        ConfigError: the variable is named but not set.
    """
    if variable is None:
        return None
    value = os.environ.get(variable)
    if value is None:
        raise ConfigError(f"the environment variable {variable} is not set")
    return value.encode()


def _complaints(exc: ValidationError) -> str:
    return "; ".join(
        f"[{'.'.join(str(part) for part in error['loc'][:-1])}] {error['loc'][-1:]}: {error['msg']}"
        if error["loc"]
        else error["msg"]
        for error in exc.errors(include_url=False, include_context=False, include_input=False)
    )
