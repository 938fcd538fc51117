"""Settings of operating: where health and metrics are served, who is told of alerts, and how."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from gateway.config_section import Port, Section

Language = Literal["en", "fr", "ar"]
LevelName = Literal["INFO", "WARNING", "CRITICAL"]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,190}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WatchSection(Section):
    """Says where `eco watch` serves health and metrics, and what else is watched.

    Attributes:
        host: address to bind; plain HTTP, so anything but loopback belongs behind a firewall.
        port: port to bind.
        crls: revocation lists of our own issuing CAs, whose end is warned of like the peers'.
        folders: further folders whose disks must have room.
    """

    host: str = "127.0.0.1"
    port: Port = 9464
    crls: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()


class MailSection(Section):
    """Names the mail server that takes alerts.

    Attributes:
        host: name of the server.
        port: 587 for STARTTLS, 465 for TLS.
        security: starttls, tls, or none for a relay on this host.
        sender: address in the From line.
        username: account to log in with, if any.
        password_env: name of the environment variable that holds the account's password.
        ca: PEM file of the anchors the server must chain to; the system's unless given.
    """

    host: str = Field(min_length=1, max_length=253)
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: MailAddress
    username: str | None = None
    password_env: str | None = None
    ca: Path | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("`security` may be none for a relay on this host only")
        if (self.username is None) is not (self.password_env is None):
            raise ValueError("`username` and `password_env` go together")
        return self


class RecipientSection(Section):
    """Names somebody who is told of alerts by mail.

    Attributes:
        address: mail address.
        language: language of the letters.
        minimum: least urgent level that is told.
    """

    address: MailAddress
    language: Language = "en"
    minimum: LevelName = "WARNING"


class WebhookSection(Section):
    """Names a program that is told of alerts by a signed POST.

    Attributes:
        name: names the webhook in notices.
        url: https address; plain http only to loopback.
        secret_env: name of the environment variable that holds the shared secret.
        language: language of the sentences.
        minimum: least urgent level that is told.
        networks: networks that are allowed although they are not public, as `10.1.0.0/16`.
        ca: PEM file of the anchors the server must chain to; those of the web unless given.
    """

    name: Name
    url: str = Field(max_length=2000)
    secret_env: str
    language: Language = "en"
    minimum: LevelName = "INFO"
    networks: tuple[str, ...] = ()
    ca: Path | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        parts = urlsplit(self.url)
        plain = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or plain):
            raise ValueError("`url` must begin with https:// (plain http to loopback only)")
        for network in self.networks:
            ip_network(network)  # a ValueError of it names what is wrong
        return self


class AlertsSection(Section):
    """Says who is told when something needs a person.

    Attributes:
        digest_minutes: period in which alerts that are not critical are told together.
        keep_days: alerts that cleared, and notices about them, are deleted after so many days.
        rules: YAML file that replaces single rules of mappings/operations/alerts.yaml.
        mail: takes the letters.
        recipients: may stand there several times.
        webhooks: may stand there several times.
    """

    digest_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    keep_days: Annotated[int, Field(ge=30, le=36_500)] = 400
    rules: Path | None = None
    mail: MailSection | None = None
    recipients: tuple[RecipientSection, ...] = ()
    webhooks: tuple[WebhookSection, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.recipients and self.mail is None:
            raise ValueError("recipients need a mail server in [alerts.mail]")
        names = [webhook.name for webhook in self.webhooks]
        if len(names) != len(set(names)):
            raise ValueError("two webhooks have the same name")
        return self
