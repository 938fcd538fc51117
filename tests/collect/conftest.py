"""Two gateways of which one cannot be called, on each database; and the wire's stand-ins."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests import databases
from tests.collect.one_way import OneWay, make_one_way
from tests.databases import postgresql_server, postgresql_template, sqlite_template
from tests.wire.conftest import endpoint, gateway, shared_gateway, start, transport, wire

__all__ = [
    "endpoint",
    "gateway",
    "postgresql_server",
    "postgresql_template",
    "shared_gateway",
    "sqlite_template",
    "start",
    "transport",
    "wire",
]


@pytest.fixture(scope="session")
def two_databases(postgresql_server: str, postgresql_template: str) -> tuple[str, str]:
    """Gives two migrated databases that every test here finds empty."""
    copied = databases._copied_database
    first, second = (copied(postgresql_server, postgresql_template, []) for _ in range(2))
    return first, second


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Gives a function that opens a fresh store, twice at most: one for each gateway."""
    if request.param == "sqlite":
        urls = iter([f"sqlite:///{tmp_path / name}" for name in ("first.db", "second.db")])
        for name in ("first.db", "second.db"):
            shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / name)
    else:
        pair = request.getfixturevalue("two_databases")
        for url in pair:
            databases._empty(url)
        urls = iter(pair)
    opened: list[Store] = []

    def make() -> Store:
        opened.append(Store.open(next(urls)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def one_way(pki: DemoPki, make_store: Callable[[], Store]) -> OneWay:
    """Gives Zambia, which can be called, and Kenya, which cannot and collects."""
    return make_one_way(pki, make_store)
