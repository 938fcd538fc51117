"""Gives a theatre on each database; what the gateways log there is not of interest."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.trust.demo_pki import DemoPki
from tests.crash.theatre import Theatre, drop, postgresql_theatre, sqlite_theatre
from tests.databases import postgresql_server, postgresql_template, sqlite_template

__all__ = ["postgresql_server", "postgresql_template", "sqlite_template"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keeps thousands of attempts out of the test's output."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, pki: DemoPki, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:
    """Gives the databases of a theatre, made once."""
    folder = tmp_path_factory.mktemp(f"theatre-{request.param}")
    if request.param == "sqlite":
        yield sqlite_theatre(pki, request.getfixturevalue("sqlite_template"), folder)
        return
    server: str = request.getfixturevalue("postgresql_server")
    template: str = request.getfixturevalue("postgresql_template")
    built = postgresql_theatre(pki, server, template, folder)
    yield built
    drop(built, server)


@pytest.fixture
def theatre(house: Theatre) -> Iterator[Theatre]:
    """Gives Zambia and Kenya on books as of the first day."""
    house.fresh()
    yield house
    house.scene.close()
