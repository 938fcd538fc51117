"""What a transport is: the port, the address of a peer and the answers; no I/O here."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from gateway.documents.base import CountryCode
from gateway.documents.codes import Verdict
from gateway.envelope import MAX_ENVELOPE_BYTES
from gateway.errors import ConfigError

ENVELOPE_MEDIA_TYPE: Final = "application/xml"
MOST_DETAIL: Final = 500
"""Longest sentence of a peer about what went wrong, in characters."""

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")

Token = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,70}$")]
"""A name or id as it travels in the contract: printable ASCII without spaces."""
WireCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]


def _plain_base64(value: object) -> object:
    if not isinstance(value, str):
        return value
    return base64.b64decode(value, validate=True)


Base64 = Annotated[
    bytes,
    BeforeValidator(_plain_base64),
    PlainSerializer(lambda raw: base64.b64encode(raw).decode("ascii"), when_used="json"),
]
"""Bytes that are base64 in JSON: the usual alphabet, where pydantic's own is the URL-safe one."""


class Channel(StrEnum):
    """Names the ways to a peer."""

    SOAP = "SOAP"
    REST = "REST"


class SoapVersion(StrEnum):
    """Lists the versions of SOAP that are spoken."""

    SOAP_11 = "1.1"
    SOAP_12 = "1.2"


@dataclass(frozen=True, kw_only=True)
class PeerEndpoint:
    """Says where a peer listens and how to prove who is who there.

    Attributes:
        url: for SOAP the address of the service (``https://host/soap``); for REST the base to
            which ``/messages`` and ``/ping`` are appended (``https://host/rest/v1``).  Plain
            ``http`` is taken for loopback addresses only: a TLS sidecar, or a test.
        server_ca_pem: the only anchors that a server certificate of this peer may chain to
            (issuing CA, or the server certificate itself).
        pinned_server_certs: SHA-256 fingerprints (hex, of the DER); where any are given the
            server must show one of them *besides* chaining to an anchor.
        client_cert, client_key: PEM files shown to the peer; read anew when they change.
        connect_timeout, read_timeout: seconds for one connection and one silence.
        total_timeout: seconds for everything from connecting to the last byte.
        max_answer_bytes: more is refused unread.
    """

    channel: Channel
    url: str
    soap_version: SoapVersion = SoapVersion.SOAP_12
    server_ca_pem: bytes = field(default=b"", repr=False)
    pinned_server_certs: frozenset[str] = frozenset()
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_password: str | None = field(default=None, repr=False)
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    total_timeout: float = 60.0
    max_answer_bytes: int = 2 * MAX_ENVELOPE_BYTES

    def __post_init__(self) -> None:
        """Refuse an address or credentials that could never work, or would work unsafely."""
        parts = _split(self.url)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise ConfigError(f"{self.url}: plain http is allowed to loopback addresses only")
        if parts.scheme == "https" and not self.server_ca_pem.strip():
            raise ConfigError(f"{self.url}: no CA is registered that its server must chain to")
        if (self.client_cert is None) is not (self.client_key is None):
            raise ConfigError(f"{self.url}: client certificate and key go together")
        if not all(_FINGERPRINT.fullmatch(pin) for pin in self.pinned_server_certs):
            raise ConfigError(f"{self.url}: a pin is the SHA-256 of a certificate in hex")
        if min(self.connect_timeout, self.read_timeout, self.total_timeout) <= 0:
            raise ConfigError(f"{self.url}: timeouts are positive numbers of seconds")

    @property
    def is_tls(self) -> bool:
        """Whether the connection is protected by TLS."""
        return self.url.startswith("https:")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        raise ConfigError(f"{url!r} is no address: {exc}") from exc
    plain = bool(parts.hostname) and not (parts.username or parts.password or parts.fragment)
    if parts.scheme not in ("http", "https") or not plain or re.search(r"[^!-~]", url):
        raise ConfigError(f"{url!r} is no https address")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Answer(BaseModel):
    """Is the frozen base of answers; members that a newer peer adds are passed over."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )


class Planned(Answer):
    """Is a span in which a gateway may not answer, as it announces it.

    Attributes:
        note: why, by language (``en``, ``fr``, ``ar``).
    """

    begins_at: AwareDatetime
    ends_at: AwareDatetime
    note: dict[str, str] = Field(default_factory=dict)


class PingAnswer(Answer):
    """Says who answers at an address.

    Attributes:
        software_version: name and version of the software, as ``eco-gateway/1.0.0``.
        time: the gateway's clock, so that skew shows before it hurts.
        document_types: what the peer takes, by name.
        versions: schemas, agreements and rules that it works by, each ``kind:name=version``.
        maintenance: what it has announced and what has not ended; absent where there is none.
    """

    identifier: Token
    country: CountryCode
    software_version: Token
    time: AwareDatetime
    document_types: tuple[Token, ...] = ()
    versions: tuple[Token, ...] = ()
    maintenance: tuple[Planned, ...] | None = None


class StatusAnswer(Answer):
    """Says what became of a message at its receiver.

    Attributes:
        known: whether the receiver stored the message; all else is absent if not.
        receipt: the receipt envelope once more, byte for byte.
    """

    message_id: Token
    known: bool
    verdict: Verdict | None = None
    received_at: AwareDatetime | None = None
    receipt: Base64 | None = None


class WaitingEnvelope(Answer):
    """Is one message that waited for us at a peer.

    Attributes:
        message_id: under which its receipt is handed in.
        envelope: the signed bytes.
        lease_until: nobody else gets it before; afterwards it waits again.
    """

    message_id: Token
    envelope: Base64
    lease_until: AwareDatetime


class Collected(Answer):
    """Holds what a peer handed out in one call, by urgency; empty where nothing waits."""

    messages: tuple[WaitingEnvelope, ...] = ()


class Confirmed(Answer):
    """Says what a handed-in receipt is recorded as."""

    message_id: Token
    verdict: Verdict


class Decline(Answer):
    """Says why an envelope that was handed out cannot be taken: the fault it would have got.

    Attributes:
        retryable: whether the same bytes may pass later.
    """

    code: WireCode
    detail: Annotated[str, Field(max_length=MOST_DETAIL)] = ""
    retryable: bool


class Declined(Answer):
    """Says what follows when an envelope could not be taken.

    Attributes:
        waits_until: it is handed out again from then on; None where a person must act first.
    """

    message_id: Token
    waits_until: AwareDatetime | None = None


class Transport(Protocol):
    """Is the way to a peer; every method raises ``TransportError`` leaves only."""

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the answer to ``envelope``: bytes that claim to be a receipt envelope."""

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Return who answers at ``endpoint``."""

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Return what the peer knows of a message that we sent."""


class CollectTransport(Protocol):
    """Is the way to fetch from a peer; every method raises ``TransportError`` leaves only."""

    def collect(self, endpoint: PeerEndpoint, limit: int) -> Collected:
        """Return what waits for us at the peer, at most ``limit`` messages."""

    def confirm(self, endpoint: PeerEndpoint, message_id: str, receipt: bytes) -> Confirmed:
        """Hand in our receipt for a collected message and return what was recorded."""

    def decline(self, endpoint: PeerEndpoint, message_id: str, why: Decline) -> Declined:
        """Report that a collected message cannot be taken and return what follows."""
