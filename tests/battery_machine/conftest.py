"""Gives a pair of gateways at work on each engine, made once for all faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.battery_machine.databases import databases
from tests.battery_machine.pair import Pair, pair_at_work

ENGINES = [
    pytest.param(engine, marks=pytest.mark.xdist_group(f"machine-{engine}"))
    for engine in ("sqlite", "postgresql")
]


@pytest.fixture(scope="package", params=ENGINES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Gives both gateways with listeners and workers of their own, mutual TLS and real clocks."""
    folder = tmp_path_factory.mktemp(f"pair-{request.param}")
    with databases(request.param) as made, pair_at_work(made, folder / "stage") as at_work:
        yield at_work
