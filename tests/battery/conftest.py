"""Gives two gateways at work on each engine, made once for all faults of the wire."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from tests.battery.pair import WAYS, Pair, pair_at_work
from tests.crash.theatre import administer
from tests.databases import postgresql_server
from tests.wire.tls_files import TestAuthority

__all__ = ["postgresql_server"]

ENGINES = [
    pytest.param(engine, marks=pytest.mark.xdist_group(f"battery-{engine}"))
    for engine in ("sqlite", "postgresql")
]


@pytest.fixture(scope="session", params=ENGINES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Gives listeners and workers of both gateways, mutual TLS, and a line on each way."""
    directory = tmp_path_factory.mktemp(f"battery-{request.param}")
    if request.param == "sqlite":
        with pair_at_work(directory) as at_work:
            yield at_work
        return
    server: str = request.getfixturevalue("postgresql_server")
    names = {country: f"eco_{uuid.uuid4().hex}" for country in WAYS}
    for name in names.values():
        administer(server, f"CREATE DATABASE {name}")
    urls = {
        country: make_url(server).set(database=name).render_as_string(hide_password=False)
        for country, name in names.items()
    }
    with pair_at_work(directory, urls) as at_work:
        yield at_work
    for name in names.values():
        administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    """Gives a certification authority that nobody here trusts."""
    return TestAuthority(tmp_path_factory.mktemp("strangers"), "stranger")
