"""Zambia and Kenya, introduced to each other, each with the API of its national side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.documents import UtilisationStatus
from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.api.counter import Front, make_front
from tests.api.listening import listening, make_listening_pair
from tests.cli.homes import Pair
from tests.databases import (
    copied_stores,
    make_store,
    make_store_url,
    postgresql_database,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store,
    store_url,
)
from tests.exchange.corridor import Corridor, decide, make_corridor
from tests.factories import certificate

__all__ = [
    "make_store",
    "make_store_url",
    "postgresql_database",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store",
    "store_url",
]


@dataclass
class Border:
    """Is both sides of a border with their APIs."""

    corridor: Corridor
    zm: Front
    ke: Front

    def deliver(self) -> None:
        while self.corridor.zm.work() + self.corridor.ke.work():
            pass


def make_border(pki: DemoPki, make: Callable[[], Store]) -> Border:
    corridor = make_corridor(pki, make)
    return Border(
        corridor=corridor, zm=make_front(corridor.zm.desk), ke=make_front(corridor.ke.desk)
    )


@pytest.fixture
def files(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Gives a function that opens a fresh SQLite store."""
    with copied_stores(sqlite_template, tmp_path) as make:
        yield make


@pytest.fixture
def border(pki: DemoPki, files: Callable[[], Store]) -> Border:
    """Gives a border on SQLite."""
    return make_border(pki, files)


@pytest.fixture
def both(pki: DemoPki, make_store: Callable[[], Store]) -> Border:
    """Gives a border on each database in turn."""
    return make_border(pki, make_store)


@pytest.fixture(scope="module")
def traded(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Border]:
    """Gives a border over which a certificate went and was half used; only to be read."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("traded")) as make:
        made = make_border(pki, make)
        assert made.zm.submit(certificate()).status_code == 202
        made.deliver()
        decide(made.corridor.ke, UtilisationStatus.PARTIAL, "6000")
        made.deliver()
        yield made


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Gives two introduced homes whose national sides may be let listen."""
    return make_listening_pair(tmp_path_factory.mktemp("homes") / "pair")


@pytest.fixture(scope="session")
def listeners(pair: Pair) -> Iterator[list[str]]:
    """Gives the addresses of Zambia's and Kenya's national side, served by real processes."""
    with listening(pair.zm, pair.ke) as addresses:
        yield addresses
