"""What webhooks are made with: their secrets, and the rules about where they may lead.

Secrets are derived, not stored: from a key in the home and the webhook's id and version.  The
worker needs the secret itself to sign, so a digest would not do; and a database, its backups and
whoever reads them then hold nothing with which a notice could be forged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.errors import InputError
from gateway.services.home_key import load_home_key
from gateway.transport.guarded_post import Destination, Network, is_allowed

PREFIX: Final = "whsec_"
_PURPOSE: Final = b"eco webhook secret 1:"
_CHECK: Final = b"eco webhook check 1:"
_WRITTEN: Final = re.compile(r"[!#-;=?-\[\]_a-z~]{1,2000}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class HookSecret:
    """Is one version of the secret of a webhook."""

    raw: bytes

    def __repr__(self) -> str:
        return "HookSecret()"

    @property
    def shown(self) -> str:
        """The secret as its owner gets it, once."""
        return PREFIX + base64.b64encode(self.raw).decode("ascii")

    @property
    def check(self) -> str:
        """What tells in the database that the secret derived again is the same."""
        return hashlib.sha256(_CHECK + self.raw).hexdigest()


@dataclass(frozen=True, kw_only=True)
class HookSecrets:
    """Derives secrets from the key in ``file``, which is made when it is needed first."""

    file: Path

    def secret(self, hook_id: str, version: int) -> HookSecret:
        """Return one version of a webhook's secret.

        Raises:
            ConfigError: the key cannot be read or made.
        """
        said = _PURPOSE + f"{hook_id}:{version}".encode()
        return HookSecret(
            raw=hmac.new(load_home_key(self.file, "webhooks"), said, hashlib.sha256).digest()
        )


@dataclass(frozen=True, kw_only=True)
class HookDesk:
    """Holds the secrets of webhooks and where these may lead.

    Attributes:
        networks: networks allowed although they are not public.
        plain_hosts: hosts that may be told by plain http.
        ports: ports that may be reached.
        ca: PEM file of anchors; None for those of the web.
    """

    secrets: HookSecrets
    networks: tuple[Network, ...] = ()
    plain_hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({443, 8443})
    ca: Path | None = None
    seconds: float = 10.0

    def require_allowed(self, url: str) -> None:
        """Return if a webhook may lead to ``url``; a name is judged each time it is resolved.

        Raises:
            InputError: it may not, with the reason.
        """
        if not _WRITTEN.fullmatch(url):
            raise InputError("the address holds characters that none has, or over 2000 of them")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise InputError("this is no address") from exc
        if parts.username is not None or parts.password is not None or "#" in url or not host:
            raise InputError("the address names a host, and neither user nor fragment")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self.plain_hosts):
            raise InputError("the address begins with https://")
        if (port or {"https": 443, "http": 80}[parts.scheme]) not in self.ports:
            raise InputError(f"the port is one of {', '.join(map(str, sorted(self.ports)))}")
        self._require_public(host)

    def destination(self, url: str) -> Destination:
        """Return where to post to, as the rules are now.

        Raises:
            InputError: the rules have changed and forbid it.
        """
        self.require_allowed(url)
        return Destination(
            url=url,
            networks=self.networks,
            ports=self.ports,
            ca=self.ca,
            seconds=self.seconds,
        )

    def _require_public(self, host: str) -> None:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return  # a name
        if not is_allowed(host, self.networks):
            raise InputError("the address is not public, and no allowed network holds it")
