"""The base of every section of the settings file, for the modules that hold sections."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65_535)]


def _base_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError("this is no address") from exc
    if parts.scheme != "https" or not parts.hostname or port == 0:
        raise ValueError("must begin with https:// and name a host, as https://eco.example:8443")
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end after host and port, as https://eco.example:8443")
    return url.rstrip("/?#")


PublicUrl = Annotated[str, AfterValidator(_base_address)]


ASYMMETRIC = frozenset(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in ("256", "384", "512")
)
"""Signature algorithms of tokens that a setting may name."""


def is_provider_address(url: str) -> bool:
    """Return whether this is an https address without user, query or fragment."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    extra = parts.username or parts.password or parts.query or parts.fragment
    return parts.scheme == "https" and bool(parts.hostname) and not extra


class Section(BaseModel):
    """Is the strict, frozen base of every section of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
