"""Fetching a small document from one configured server: https, its own anchors, bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from gateway.errors import BadAnswerError, ConfigError
from gateway.transport.http import HttpClient
from gateway.transport.port import Channel, PeerEndpoint

_CONNECT_SECONDS: Final = 3.0
_TOTAL_SECONDS: Final = 6.0


@dataclass(frozen=True, kw_only=True)
class DocumentServer:
    """Is a server from which documents are fetched, and no other is asked instead.

    Redirects are not followed, answers not decompressed, the environment's proxies not used.
    The address may be a private one: an operator has named it.

    Attributes:
        base: address below which the documents lie; its host and port are the only ones asked.
        ca: PEM file of the anchors the server must chain to; None takes those of the web.
        most: bytes of a document.
    """

    base: str
    ca: Path | None = None
    most: int = 262_144
    client: HttpClient = field(default_factory=HttpClient, compare=False, repr=False)

    def fetch(self, url: str) -> bytes:
        """Return the document at ``url``.

        Raises:
            TransportError: there is no usable answer within the limits.
            ConfigError: the address is on another server, or the anchors cannot be read.
        """
        if not is_on(self.base, url):
            raise ConfigError("a document was to be fetched from a server that is not configured")
        endpoint = PeerEndpoint(
            channel=Channel.REST,
            url=url,
            server_ca_pem=self._anchors(),
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_TOTAL_SECONDS,
            total_timeout=_TOTAL_SECONDS,
            max_answer_bytes=self.most,
        )
        answer = self.client.exchange(
            endpoint, "GET", url, headers={"Accept": "application/json", "Connection": "close"}
        )
        if answer.status != 200:
            raise BadAnswerError(f"the server answers {answer.status}")
        return answer.body

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
