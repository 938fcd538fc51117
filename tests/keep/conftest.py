"""Gives every test here real books: of one gateway, or of two that exchange documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.databases import (
    copied_stores,
    empty_url,
    make_store,
    make_store_url,
    postgresql_database,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store,
    store_url,
)
from tests.exchange.corridor import Corridor, make_corridor
from tests.keep.books import send, use_up

__all__ = [
    "empty_url",
    "make_store",
    "make_store_url",
    "postgresql_database",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store",
    "store_url",
]


@pytest.fixture
def corridor(pki: DemoPki, make_store: Callable[[], Store]) -> Iterator[Corridor]:
    """Gives Zambia and Kenya, introduced to each other."""
    made = make_corridor(pki, make_store)
    yield made
    made.close()


@pytest.fixture(scope="module")
def used_books(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Corridor]:
    """Gives two gateways on SQLite with one certificate sent and used up; only for reading."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("used")) as make:
        made = make_corridor(pki, make)
        send(made)
        use_up(made)
        yield made


@pytest.fixture
def sqlite_corridor(pki: DemoPki, sqlite_template: Path, tmp_path: Path) -> Iterator[Corridor]:
    """Gives fresh gateways on SQLite alone, for what does not depend on the database."""
    with copied_stores(sqlite_template, tmp_path) as make:
        yield make_corridor(pki, make)
