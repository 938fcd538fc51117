"""Asking one configured server for a small document: https, its own anchors, bounded."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from gateway.errors import BadAnswerError, ConfigError
from gateway.transport.http import HttpAnswer, HttpClient
from gateway.transport.port import Channel, PeerEndpoint

_CONNECT_SECONDS: Final = 3.0
_TOTAL_SECONDS: Final = 6.0


@dataclass(frozen=True, kw_only=True)
class BasicAccount:
    """Is a client by its name and secret, shown in a header as RFC 6749 2.3.1 says."""

    name: str
    secret: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of the header ``Authorization``."""
        pair = f"{quote_plus(self.name)}:{quote_plus(self.secret)}".encode("ascii")
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


@dataclass(frozen=True, kw_only=True)
class DocumentServer:
    """Is a server that is asked for documents, and no other is asked instead.

    Redirects are not followed, answers not decompressed, the environment's proxies not used.
    The address may be a private one: an operator has named it.

    Attributes:
        base: address below which the documents lie; its host and port are the only ones asked.
        ca: PEM file of the anchors the server must chain to; None takes those of the web.
        most: bytes of a document.
        seconds: until it must be there.
    """

    base: str
    ca: Path | None = None
    most: int = 262_144
    seconds: float = _TOTAL_SECONDS
    client: HttpClient = field(default_factory=HttpClient, compare=False, repr=False)

    def fetch(self, url: str) -> bytes:
        """Return the document at ``url``.

        Raises:
            TransportError: there is no usable answer within the limits.
            ConfigError: the address is on another server, or the anchors cannot be read.
        """
        answer = self._exchange("GET", url, {})
        if answer.status != 200:
            raise BadAnswerError(f"the server answers {answer.status}")
        return answer.body

    def send_form(
        self, url: str, form: Mapping[str, str], account: BasicAccount | None = None
    ) -> HttpAnswer:
        """Return what the server answers to a form, whatever its status.

        Raises:
            TransportError: there is no usable answer within the limits.
            ConfigError: the address is on another server, or the anchors cannot be read.
        """
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if account is not None:
            headers["Authorization"] = account.header
        return self._exchange("POST", url, headers, urlencode(form).encode("ascii"))

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpAnswer:
        if not is_on(self.base, url):
            raise ConfigError("a document was to be fetched from a server that is not configured")
        endpoint = PeerEndpoint(
            channel=Channel.REST,
            url=url,
            server_ca_pem=self._anchors(),
            connect_timeout=min(_CONNECT_SECONDS, self.seconds),
            read_timeout=self.seconds,
            total_timeout=self.seconds,
            max_answer_bytes=self.most,
        )
        always = {"Accept": "application/json", "Connection": "close"}
        return self.client.exchange(endpoint, method, url, headers={**always, **headers}, body=body)

    def _anchors(self) -> bytes:
        try:
            return Path(self.ca or DEFAULT_CA_BUNDLE_PATH).read_bytes()
        except OSError as exc:
            raise ConfigError(f"{exc.filename} cannot be read: {exc.strerror}") from exc


def is_on(base: str, url: str) -> bool:
    """Return whether ``url`` is an https address on the server of ``base``."""
    try:
        one, other = urlsplit(base), urlsplit(url)
        same = (one.hostname, one.port or 443) == (other.hostname, other.port or 443)
    except ValueError:
        return False
    plain = not (other.username or other.password or other.fragment)
    return same and plain and one.scheme == other.scheme == "https"
