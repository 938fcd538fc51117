"""Fixtures that every room's tests share; keep them few."""

from __future__ import annotations

import pytest

from gateway.trust.demo_pki import DemoPki, make_demo_pki
from tests.factories import NOW

COUNTRIES = ("KE", "ZM")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one ``xdist_group`` on one worker.

    xdist 3.8 writes the group into an attribute that pytest reads no more since 9.2: without
    this each worker would silently build every pair of gateways, and exclusive tests would
    run side by side.
    """
    for item in items:
        grouped = getattr(item, "_nodeid", item.nodeid)
        if grouped != item.nodeid:
            known = item._id  # type: ignore[attr-defined]
            item._id = type(known).parse(grouped)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    """Return a demonstration PKI of two countries, made once per worker process."""
    return make_demo_pki(tmp_path_factory.mktemp("pki"), COUNTRIES, now=NOW)
