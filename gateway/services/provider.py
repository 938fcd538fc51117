"""Where the keys of an identity provider come from: an address, a file, or its own description."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.errors import BadAnswerError, ConfigError
from gateway.transport.fetching import DocumentServer, is_on

_DESCRIPTION: Final = "/.well-known/openid-configuration"
_MOST_BYTES: Final = 262_144


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Is an identity provider as the operator describes it.

    Attributes:
        issuer: its name in tokens, and the address of its description.
        jwks_url: of its keys; read from its description unless given.
        jwks_file: its keys in a file, where it cannot be reached; then it is never asked.
        ca: PEM file of the anchors its server must chain to; those of the web unless given.
    """

    issuer: str
    jwks_url: str | None = None
    jwks_file: Path | None = None
    ca: Path | None = None

    def loader(self) -> Callable[[], bytes]:
        """Return what reads the provider's JWKS document.

        Raises (the loader):
            TransportError, ConfigError: it cannot be read.
        """
        if self.jwks_file is not None:
            return self._from_file
        server = DocumentServer(base=self.jwks_url or self.issuer, ca=self.ca, most=_MOST_BYTES)
        return lambda: server.fetch(self.jwks_url or self._described(server))

    def _from_file(self) -> bytes:
        file = self.jwks_file or Path()
        try:
            with file.open("rb") as stream:
                return stream.read(_MOST_BYTES)
        except OSError as exc:
            raise ConfigError(f"[api.oauth] {file} cannot be read: {exc.strerror}") from exc

    def _described(self, server: DocumentServer) -> str:
        """Return the address of the keys that the provider's description names.

        Raises:
            BadAnswerError: it describes another issuer, or names another server.
        """
        try:
            said: Any = json.loads(server.fetch(self.issuer.rstrip("/") + _DESCRIPTION))
            issuer, address = said["issuer"], said["jwks_uri"]
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise BadAnswerError("the identity provider's description cannot be read") from exc
        if issuer != self.issuer:
            raise BadAnswerError("the identity provider describes another issuer")
        if not isinstance(address, str) or not is_on(self.issuer, address):
            raise BadAnswerError("the provider's keys lie on another server; name jwks_url")
        return address
