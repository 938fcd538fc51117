"""Gives every test here a corridor between two gateways, once on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gateway.store import Store
from gateway.trust.demo_pki import DemoPki
from tests.databases import (
    make_store,
    make_store_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store_url,
)
from tests.exchange.corridor import Corridor, make_corridor

__all__ = [
    "make_store",
    "make_store_url",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store_url",
]


@pytest.fixture
def corridor(pki: DemoPki, make_store: Callable[[], Store]) -> Iterator[Corridor]:
    """Gives Zambia and Kenya, introduced to each other."""
    made = make_corridor(pki, make_store)
    yield made
    made.close()
