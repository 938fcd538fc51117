"""Gives the tests of operating a corridor on SQLite, premises on it, and stores of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from gateway.operations.premises import Premises
from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.cli.conftest import first_pair, pair
from tests.databases import (
    postgresql_database,
    postgresql_server,
    sqlite_template,
    store,
    store_url,
)
from tests.exchange.corridor import Corridor, make_corridor
from tests.operations.scene import make_premises
from tests.wire.conftest import start, wire

__all__ = [
    "first_pair",
    "pair",
    "postgresql_database",
    "postgresql_server",
    "sqlite_template",
    "start",
    "store",
    "store_url",
    "wire",
]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def corridor(pki: DemoPki, sqlite_template: Path, tmp_path: Path) -> Iterator[Corridor]:
    """Gives Zambia and Kenya, introduced to each other, on SQLite."""
    made = make_corridor(pki, _stores(sqlite_template, tmp_path))
    yield made
    made.close()


@pytest.fixture
def premises(corridor: Corridor, tmp_path: Path) -> Premises:
    """Gives Zambia's premises."""
    return make_premises(corridor.zm, tmp_path)


def _stores(template: Path, folder: Path) -> Callable[[], Store]:
    names = iter(("zm.db", "ke.db"))

    def make() -> Store:
        path = folder / next(names)
        path.write_bytes(template.read_bytes())
        return Store.open(f"sqlite:///{path}")

    return make
