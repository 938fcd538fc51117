"""A key of the home's own, from which secrets are derived: made when it is needed first."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from gateway.errors import ConfigError

KEY_BYTES: Final = 32


def load_home_key(file: Path, section: str) -> bytes:
    """Return the key in ``file``, which is made when it is needed first, mode 0600.

    Args:
        section: of the settings that names the file, for whoever reads the error.

    Raises:
        ConfigError: it cannot be read or made.
    """
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as exc:
        raise ConfigError(f"[{section}] {file} cannot be read: {exc.strerror}") from exc
    if len(key) != KEY_BYTES:
        raise ConfigError(f"[{section}] {file} is no key of {KEY_BYTES} bytes")
    return key


def _make(file: Path) -> None:
    """Make the key where none is, never half of it; whoever comes first makes it for all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(secrets.token_bytes(KEY_BYTES))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(new, file)
    except FileExistsError:
        return
    finally:
        new.unlink()
