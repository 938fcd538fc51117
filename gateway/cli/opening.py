"""Opening what a command works on: the whole gateway, or its books alone, and who acts."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.main import Invocation
from gateway.config import Settings, load_settings
from gateway.errors import ConfigError, InputError
from gateway.store import Store

if TYPE_CHECKING:
    from gateway.app import Gateway

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_SQLITE = "sqlite:///"


@dataclass(frozen=True, kw_only=True)
class Books:
    """Is the database of a gateway home: enough for commands that need no keys."""

    settings: Settings
    store: Store


@contextmanager
def the_gateway(call: Invocation) -> Iterator[Gateway]:
    """Give the gateway of the home, ready to work, and close it afterwards.

    Raises:
        ConfigError: settings, keys, profiles, tables or database cannot be used.
    """
    from gateway.app import open_gateway

    require_database(load_settings(call.home))
    gateway = open_gateway(call.home)
    try:
        yield gateway
    finally:
        gateway.close()


@contextmanager
def the_books(call: Invocation) -> Iterator[Books]:
    """Give the books of the home without loading keys, profiles or schemas.

    Raises:
        ConfigError: settings or database cannot be used.
    """
    settings = load_settings(call.home)
    require_database(settings)
    store = Store.open(settings.store_url, lock_wait_seconds=settings.store.lock_wait_seconds)
    try:
        yield Books(settings=settings, store=store)
    finally:
        store.close()


def require_database(settings: Settings) -> None:
    """Return if the database is there, as far as that can be seen without opening it.

    Raises:
        ConfigError: the file of an embedded database is missing.
    """
    path = database_file(settings)
    if path is not None and not path.is_file():
        raise ConfigError(f"the database {path} is not there; `eco migrate` makes a new one")


def database_file(settings: Settings) -> Path | None:
    """Return the file of an embedded database, None for a database server."""
    url = settings.store_url
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def bring_up_to_date(settings: Settings) -> None:
    """Make the database where there is none, and bring its tables to this version.

    Raises:
        ConfigError: the folder of an embedded database is missing.
        BusyError: the database does not answer.
    """
    path = database_file(settings)
    if path is not None:
        if not path.parent.is_dir():
            raise ConfigError(f"[store] url: the folder {path.parent} does not exist")
        if not path.exists():
            path.touch(mode=0o600)
    store = Store.open(settings.store_url, lock_wait_seconds=settings.store.lock_wait_seconds)
    try:
        store.migrate()
    finally:
        store.close()


def content(file: Path) -> bytes:
    """Return the bytes of ``file``, or of standard input for ``-``.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as exc:
        raise InputError(f"{file} cannot be read: {exc.strerror}") from exc


def label(file: Path) -> str:
    """Return how a file is named in answers."""
    return "standard input" if str(file) == "-" else str(file)


def actor() -> str:
    """Return who is at the keyboard, as the journal names him."""
    try:
        return f"user:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"user:{os.getuid()}"


def present() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
