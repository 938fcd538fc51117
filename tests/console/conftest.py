"""A console over a border on which a certificate went and was half used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.documents import UtilisationStatus
from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.busy import Busy, make_busy
from tests.console.house import House, make_house
from tests.console.screen import Screen, before
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
from tests.exchange.corridor import decide
from tests.factories import certificate
from tests.wire.conftest import start, wire

__all__ = [
    "make_store",
    "make_store_url",
    "postgresql_database",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "start",
    "store",
    "store_url",
    "wire",
]


@pytest.fixture
def files(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Gives a function that opens a fresh SQLite store."""
    with copied_stores(sqlite_template, tmp_path) as make:
        yield make


@pytest.fixture
def house(pki: DemoPki, files: Callable[[], Store]) -> House:
    """Gives the console of Zambia, with nothing in its books."""
    return make_house(make_border(pki, files).zm)


@pytest.fixture(scope="module")
def houses(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, House]]:
    """Gives the consoles of Zambia and Kenya after a certificate crossed and was half used."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("houses")) as make:
        border = make_border(pki, make)
        assert border.zm.submit(certificate()).status_code == 202
        border.deliver()
        decide(border.corridor.ke, UtilisationStatus.PARTIAL, "6000")
        border.deliver()
        yield make_house(border.zm), make_house(border.ke)


@pytest.fixture(scope="session")
def busy(
    pki: DemoPki, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Busy]:
    """Gives the consoles of Zambia and Kenya after a busy week; only to be read."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("busy")) as make:
        yield make_busy(pki, make)


@pytest.fixture(scope="package")
def screen(busy: Busy) -> Iterator[Screen]:
    """Gives a browser before the busy consoles; other rooms' tests start one of their own."""
    with before(busy) as made:
        yield made
