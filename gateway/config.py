"""Typed settings of one gateway home: one TOML file plus ``ECO_*`` variables for secrets.

A *home* is a directory with ``gateway.toml``; relative paths in the file start there.
Unknown keys are refused with section and key.  Secrets never stand in the file: a key's
password is named by the environment variable that holds it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from gateway.config_api import ApiSection, FormatsSection, WebhooksSection
from gateway.config_console import ConsoleSection
from gateway.config_files import FilesSection
from gateway.config_operations import AlertsSection, WatchSection
from gateway.config_paper import PaperSection
from gateway.config_section import Port, PublicUrl, Section
from gateway.documents import DocumentType
from gateway.envelope import MAX_ENVELOPE_BYTES, USUAL_ENVELOPE_BYTES
from gateway.errors import ConfigError

CONFIG_FILE = "gateway.toml"

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PartyIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,34}$")]


class GatewaySection(Section):
    """Says who this gateway is.

    Attributes:
        identifier: its name among the peers, as ``ZM-SW``: capitals, digits, dots and dashes.
        name: full name of its operator, for people.
        country: the state it speaks for, ISO 3166-1 alpha-2.
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
    """Says where the gateway keeps its books.

    Attributes:
        url: ``sqlite:///file`` for one host, ``postgresql://user@host/name`` for several.
        lock_wait_seconds: longest wait for another transaction before an answer is `BUSY`.
    """

    url: str = "sqlite:///gateway.db"
    lock_wait_seconds: Annotated[float, Field(ge=1, le=60)] = 15.0


class KeySection(Section):
    """Names one signing credential: PEM key and chain, or one PKCS#12 file.

    Attributes:
        key: PEM file of the private key; readable by its owner only.
        certificate: PEM file, the signing certificate first, then its issuers.
        pkcs12: one file with key, signing certificate and issuers, in place of the other two.
        password_env: name of the environment variable that holds the password, if any.
        authority_code: code of the authority whose key it is, as ``ZM-ZRA``; stands on our
            card, so that peers take documents of that authority from this key only (V11).
    """

    key: Path | None = None
    certificate: Path | None = None
    pkcs12: Path | None = None
    password_env: str | None = None
    authority_code: str | None = None

    @property
    def pem(self) -> tuple[Path, Path] | None:
        """The PEM files of key and certificate, None for a PKCS#12 file."""
        if self.key is None or self.certificate is None:
            return None
        return self.key, self.certificate

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        pem, named = (self.key, self.certificate), self.pkcs12 is not None
        if named is any(pem) or any(pem) is not all(pem):
            raise ValueError("name either both `key` and `certificate`, or `pkcs12`")
        return self


class KeysSection(Section):
    """Names the credentials: the gateway's own and those of the authorities it signs for.

    Attributes:
        gateway: signs every envelope and receipt.
        authority: signs certificates of origin; without it they must arrive signed.
        customs: signs customs responses; without it none can be sent from here.
    """

    gateway: KeySection
    authority: KeySection | None = None
    customs: KeySection | None = None


class TlsSection(Section):
    """Names the TLS credential that serves peers and is shown to them.

    Attributes:
        key: PEM file of the private key, without a password.
        certificate: PEM file, the TLS certificate first, then its issuers up to the root.
    """

    key: Path
    certificate: Path


class ListenSection(Section):
    """Says where the peer listener (mutual TLS) binds and how peers reach it.

    Attributes:
        host: address to bind; ``0.0.0.0`` for every IPv4 interface.
        port: port to bind.
        public_url: where peers reach it, as ``https://eco.example:8443``; stands on the card.
        threads: requests in work at once.
    """

    host: str = "127.0.0.1"
    port: Port = 8443
    public_url: PublicUrl
    threads: Annotated[int, Field(ge=1, le=64)] = 8


class LimitsSection(Section):
    """Bounds what is taken from peers, and how large a message of ours may be.

    Attributes:
        max_message_bytes: largest envelope made and taken; what is beyond the default not
            every peer's software reads.
        max_age_days: oldest envelope taken; older ones must be submitted again.
        clock_skew_minutes: how far ahead a peer's clock may be.
        messages_per_minute: of one peer in the long run; then it is asked to slow down.
        messages_at_once: of one peer after a pause, before that counts.
    """

    max_message_bytes: Annotated[int, Field(ge=10_000, le=MAX_ENVELOPE_BYTES)] = (
        USUAL_ENVELOPE_BYTES
    )
    max_age_days: Annotated[int, Field(ge=1, le=365)] = 30
    clock_skew_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    messages_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 6000
    messages_at_once: Annotated[int, Field(ge=1, le=1_000_000)] = 1000


class DeliverySection(Section):
    """Says how hard the workers try.

    Attributes:
        poll_seconds: pause between two looks into the queue.
        lease_seconds: after this a claim by a silent worker may be taken over.
        batch: messages claimed at a time.
        first_retry_seconds: pause after the first failure; doubles up to the next one.
        longest_retry_seconds: longest pause between attempts.
        give_up_after_hours: so long after the first attempt a person must look (state FAILED;
            `eco resend` revives it, and the time counts anew).
        connect_timeout_seconds: longest wait for a connection.
        read_timeout_seconds: longest silence while waiting for the answer.
        lanes: messages that one worker sends at the same time; slow ones are not counted.
        window: of them to one peer, while it answers; messages about one certificate keep
            their order in any case.
        retry_table: file whose retry classes replace those of the same name in
            `mappings/delivery/retry-classes.yaml`.
        priority_table: file whose priority classes replace those of
            `mappings/delivery/priorities.yaml`.
        resend_most: messages that one `eco resend` of many queues at most.
        resend_per_second: of them become due to one peer in a second.
    """

    poll_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    lease_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    batch: Annotated[int, Field(ge=1, le=500)] = 20
    first_retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    longest_retry_seconds: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    give_up_after_hours: Annotated[float, Field(gt=0, le=2400)] = 72.0
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    read_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    lanes: Annotated[int, Field(ge=1, le=64)] = 8
    window: Annotated[int, Field(ge=1, le=64)] = 8
    retry_table: Path | None = None
    priority_table: Path | None = None
    resend_most: Annotated[int, Field(ge=1, le=100_000)] = 500
    resend_per_second: Annotated[float, Field(gt=0, le=100)] = 5.0

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.longest_retry_seconds < self.first_retry_seconds:
            raise ValueError("`longest_retry_seconds` is less than `first_retry_seconds`")
        return self


class CodeListsSection(Section):
    """Names code lists that the operator adds.

    Attributes:
        hs: CSV files of Harmonized System editions (docs/rules.md, V34); without them the
            form and chapter of tariff codes are checked.
    """

    hs: tuple[Path, ...] = ()


class ProxySection(Section):
    """Lets a TLS proxy of our own (nginx) stand before the peer listener, which is plain then.

    Attributes:
        secret_env: name of the environment variable with the secret that the proxy adds to
            every request; 32 characters or more.  `[listen] host` must be a loopback address.
    """

    secret_env: str = Field(min_length=1)


class RetentionSection(Section):
    """Says how long content is kept where national law asks for more than the regulation.

    Attributes:
        least_years: years that hold for every class of `mappings/retention.yaml` with fewer.
    """

    least_years: Annotated[int, Field(ge=5, le=100)] = 5


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
    formats: FormatsSection = FormatsSection()
    proxy: ProxySection | None = None
    retention: RetentionSection = RetentionSection()
    watch: WatchSection = WatchSection()
    alerts: AlertsSection = AlertsSection()
    api: ApiSection = ApiSection()
    webhooks: WebhooksSection = WebhooksSection()
    console: ConsoleSection = ConsoleSection()
    files: FilesSection = FilesSection()
    paper: PaperSection = PaperSection()
    home: Path

    def resolve(self, path: Path) -> Path:
        """Return ``path`` as seen from the gateway home."""
        return self.home / path

    def resolve_own(self, path: Path | None) -> Path | None:
        """Return where the home's own file lies, None where it has none."""
        return None if path is None else self.resolve(path)

    @property
    def authority_codes(self) -> dict[DocumentType, str]:
        """The codes of the authorities we sign for, by the type of document they sign."""
        sections = {
            DocumentType.CERTIFICATE_OF_ORIGIN: self.keys.authority,
            DocumentType.CUSTOMS_RESPONSE: self.keys.customs,
        }
        return {
            kind: section.authority_code
            for kind, section in sections.items()
            if section is not None and section.authority_code is not None
        }

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
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ConfigError(
            f"{file} is not there; make a home with `eco init`, or name yours with --home"
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file} is not written in UTF-8") from exc
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read: {exc.strerror}") from exc
    return settings_from(text, home, source=str(file))


def settings_from(text: str, home: Path, *, source: str) -> Settings:
    """Return the settings written in ``text`` for the gateway home ``home``.

    Args:
        source: how complaints name the text.

    Raises:
        ConfigError: it is no TOML, or a key is unknown, missing or wrong.
    """
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{source} is no TOML: {exc}") from exc
    if override := os.environ.get("ECO_STORE_URL"):
        values["store"] = {**_table(values.get("store")), "url": override}
    try:
        return Settings.model_validate({**values, "home": home.resolve()})
    except ValidationError as exc:
        raise ConfigError(f"{source}: {_complaints(exc)}") from exc


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


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_WORDS = {"missing": "must be given", "extra_forbidden": "there is no such key"}


def _complaints(exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(_complaint(error) for error in errors)


def _complaint(error: ErrorDetails) -> str:
    text = _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))
    match [str(part) for part in error["loc"]]:
        case []:
            return text
        case [section]:
            return f"[{section}] {text}"
        case [*sections, key] if key in _SECTIONS:
            return f"[{'.'.join(sections)}.{key}] {text}"
        case [*sections, key]:
            return f"[{'.'.join(sections)}] {key}: {text}"
    return text


_SECTIONS = frozenset(KeysSection.model_fields)
