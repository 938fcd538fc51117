"""Zambia and Kenya, introduced to each other, each with the API of its national side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.documents import UtilisationStatus
from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.api.counter import Front, make_front
from tests.databases import (
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
    opened: list[Store] = []

    def make() -> Store:
        path = tmp_path / f"{len(opened)}.db"
        shutil.copyfile(sqlite_template, path)
        opened.append(Store.open(f"sqlite:///{path}"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


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
    folder = tmp_path_factory.mktemp("traded")
    opened: list[Store] = []

    def make() -> Store:
        path = folder / f"{len(opened)}.db"
        shutil.copyfile(sqlite_template, path)
        opened.append(Store.open(f"sqlite:///{path}"))
        return opened[-1]

    made = make_border(pki, make)
    assert made.zm.submit(certificate()).status_code == 202
    made.deliver()
    decide(made.corridor.ke, UtilisationStatus.PARTIAL, "6000")
    made.deliver()
    yield made
    for each in opened:
        each.close()
