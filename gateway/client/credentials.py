"""What a request shows: an API key, or a token of the identity provider, fetched when needed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, runtime_checkable
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.util import Timeout, make_headers

from gateway.client.reach import make_pool
from gateway.errors import BadAnswerError, ConfigError, NotAuthenticatedError, UnreachableError

_EARLY_SECONDS: Final = 30.0
_SHORTEST_SECONDS: Final = 60.0
_MOST_BYTES: Final = 1_000_000


@runtime_checkable
class Credential(Protocol):
    """Gives what follows ``Bearer`` in every request."""

    def token(self) -> str:
        """Return the key or token to show now."""
        ...

    def renew(self) -> bool:
        """Forget a token that was not taken; return whether another one may be tried."""
        ...


class ApiKey:
    """Is a key of the gateway; it never stands in a text about itself."""

    def __init__(self, key: str) -> None:
        if not key.isascii() or not key.isprintable() or not key.strip() or " " in key:
            raise ConfigError("an API key is printable text without spaces, as `eco_…`")
        self._key = key

    def token(self) -> str:
        """Return the key."""
        return self._key

    def renew(self) -> bool:
        """Return False: there is no other key."""
        return False


class ProvidedToken:
    """Asks a function of the caller's for the token of each request."""

    def __init__(self, provide: Callable[[], str]) -> None:
        self._provide = provide

    def token(self) -> str:
        """Return what the function gives."""
        return self._provide()

    def renew(self) -> bool:
        """Return False: the function alone knows when a token is stale."""
        return False


class ClientCredentials:
    """Fetches tokens by OAuth 2.0 client credentials (RFC 6749 4.4) and keeps each while it holds.

    Args:
        token_url: the provider's token address; https.
        scope: what is asked for, where the provider wants it said.
        ca_file: anchors that the provider's server must chain to; else the host's authorities.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str | None = None,
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if urlsplit(token_url).scheme != "https":
            raise ConfigError("the token address of the identity provider is https://…")
        self._url = token_url
        self._login = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self._scope = scope
        self._pool = make_pool(
            ca_file=ca_file, client_certificate=None, client_key=None, proxy=None
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[str, float] | None = None

    def token(self) -> str:
        """Return a token that holds for a while yet.

        Raises:
            NotAuthenticatedError: the provider refuses.
            TransportError: it gives no usable answer.
        """
        with self._lock:
            if self._kept is None or self._clock() >= self._kept[1]:
                self._kept = self._fetched()
            return self._kept[0]

    def renew(self) -> bool:
        """Forget the token; the provider may give one that the gateway takes."""
        with self._lock:
            self._kept = None
        return True

    def _fetched(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"}
        if self._scope is not None:
            form["scope"] = self._scope
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=urlencode(form),
                headers={
                    **make_headers(basic_auth=self._login),
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                timeout=Timeout(connect=10.0, read=30.0),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            body = response.read(_MOST_BYTES)
            response.release_conn()
        except urllib3.exceptions.HTTPError as exc:
            raise UnreachableError(
                f"the identity provider gives no token ({type(exc).__name__})"
            ) from exc
        if 400 <= response.status < 500:
            raise NotAuthenticatedError(f"the identity provider answers {response.status}")
        return self._token_in(body)

    def _token_in(self, body: bytes) -> tuple[str, float]:
        try:
            said = json.loads(body)
            token, lasts = str(said["access_token"]), float(said.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise BadAnswerError("the identity provider's answer holds no access_token") from exc
        return token, self._clock() + max(lasts - _EARLY_SECONDS, min(lasts, _SHORTEST_SECONDS) / 2)
