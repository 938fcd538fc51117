"""Redaction: what of settings and logs may leave the house, by lists of what is allowed.

Nothing is searched and struck out; what is not known to be harmless is not taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.store.tallies import known_code

WITHHELD: Final = "(withheld)"

_PLAIN_KEYS: Final = frozenset(
    {
        "level",
        "timestamp",
        "event",
        "message_id",
        "conversation_id",
        "peer",
        "sender",
        "state",
        "attempt",
        "job",
        "error",
        "instance",
        "document_type",
        "verdict",
        "logger",
        "notices",
        "raised",
        "worse",
        "cleared",
        "entry",
    }
)
_SHORT: Final = re.compile(r"[\w .:/+\-]{1,120}")
_FRAME: Final = re.compile(r"[\w<>]{1,60}:\d{1,6}")
_URLS: Final = frozenset({"url", "public_url"})
_PERSONAL: Final = frozenset({"address", "username", "sender"})


def redacted_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without passwords in addresses, people's addresses and secret paths.

    Secrets do not stand in settings; names of the variables that hold them may be told.
    """
    return {name: _setting(name, value) for name, value in values.items()}


def _setting(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return redacted_settings(value)
    if isinstance(value, list | tuple):
        return [_setting(name, each) for each in value]
    if name in _PERSONAL and value is not None:
        return WITHHELD
    if name in _URLS and isinstance(value, str):
        return redacted_url(value)
    return value if isinstance(value, bool | int | float | None) else str(value)


def redacted_url(url: str) -> str:
    """Return scheme, host and port of an address; a path or an account may be a secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return WITHHELD
    if not host:
        return f"{parts.scheme}:(file)"
    shown = f"{parts.scheme}://{host}"
    return shown if port is None else f"{shown}:{port}"


def redacted_log(lines: Iterable[str]) -> Iterator[str]:
    """Yield log lines with their known fields only; what is no line of ours is counted away."""
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if isinstance(values, dict):
            yield json.dumps(_log_values(values), sort_keys=True)
        else:
            yield json.dumps({"event": WITHHELD, "characters": len(line)})


def _log_values(values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if name in _PLAIN_KEYS and (isinstance(value, bool | int | float) or _is_short(value))
    }
    if "logger" in kept:
        kept["event"] = WITHHELD  # words of a library, which may quote what it was given
    if "code" in values:
        kept["code"] = known_code(values["code"])
    if isinstance(values.get("at"), list):
        kept["at"] = [at for at in values["at"] if isinstance(at, str) and _FRAME.fullmatch(at)]
    return kept


def _is_short(value: object) -> bool:
    return isinstance(value, str) and _SHORT.fullmatch(value) is not None
