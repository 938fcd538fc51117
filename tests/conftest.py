"""Fixtures that every room's tests share; keep them few."""

from __future__ import annotations

import pytest

from gateway.trust.demo_pki import DemoPki, make_demo_pki
from tests.factories import NOW

COUNTRIES = ("KE", "ZM")


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    """Return a demonstration PKI of two countries, made once per worker process."""
    return make_demo_pki(tmp_path_factory.mktemp("pki"), COUNTRIES, now=NOW)
