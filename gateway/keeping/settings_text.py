"""Changing the database address in a settings file, and nothing else of it."""

from __future__ import annotations

import json
import re
import tomllib
from urllib.parse import urlsplit, urlunsplit

from gateway.errors import ConfigError

EMBEDDED = "sqlite:///"
_SECTION = re.compile(r"^\s*\[\s*store\s*\]\s*(#.*)?$")
_ANY_SECTION = re.compile(r"^\s*\[")
_URL = re.compile(r"^\s*url\s*=")


def store_url_of(text: str) -> str | None:
    """Return the database address that a settings file names, None where it names none."""
    url = _read(text).get("store", {}).get("url")
    return url if isinstance(url, str) else None


def stays_in_home(url: str | None) -> bool:
    """Return whether the address is a SQLite file inside the gateway home."""
    if url is None:
        return True
    name = url.removeprefix(EMBEDDED)
    return url.startswith(EMBEDDED) and not name.startswith("/") and ".." not in name.split("/")


def without_password(url: str) -> str:
    """Return a database address with the password taken out of it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.split(':', 1)[0]}@{host}"))


def with_store_url(text: str, url: str) -> str:
    """Return the settings file with this database address; comments and order stay.

    Raises:
        ConfigError: the file is written in a way that hides the address.
    """
    line = f"url = {json.dumps(url)}"
    lines = text.splitlines()
    head = next((n for n, each in enumerate(lines) if _SECTION.match(each)), None)
    if head is None:
        lines += ["", "[store]", line]
    else:
        end = next(
            (n for n in range(head + 1, len(lines)) if _ANY_SECTION.match(lines[n])), len(lines)
        )
        found = next((n for n in range(head + 1, end) if _URL.match(lines[n])), None)
        lines[head + 1 : head + 1] = [line] if found is None else []
        if found is not None:
            lines[found] = line
    changed = "\n".join(lines) + "\n"
    expected = _read(text)
    expected["store"] = {**expected.get("store", {}), "url": url}
    if _read(changed) != expected:
        raise ConfigError("the [store] section is written in a way that cannot be changed here")
    return changed


def _read(text: str) -> dict[str, dict[str, object]]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"the settings file is not readable TOML: {exc}") from exc
