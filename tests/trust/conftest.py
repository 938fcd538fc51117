"""Shared in the trust room: one country's PKI, its trust, and its refused signers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.trust import PeerTrust
from gateway.trust.demo_pki import CountryPki, DemoPki
from tests.factories import NOW
from tests.trust.refused_signers import RefusedCredentials, make_refused_credentials


@pytest.fixture(scope="session")
def kenya(pki: DemoPki) -> CountryPki:
    return pki.countries["KE"]


@pytest.fixture(scope="session")
def zambia(pki: DemoPki) -> CountryPki:
    return pki.countries["ZM"]


@pytest.fixture(scope="session")
def trust(kenya: CountryPki) -> PeerTrust:
    return kenya.trust()


@pytest.fixture(scope="session")
def refused(kenya: CountryPki) -> RefusedCredentials:
    return make_refused_credentials(kenya, now=NOW)


@pytest.fixture(scope="session")
def jdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the compiled Java peer."""
    classes = tmp_path_factory.mktemp("java")
    source = Path(__file__).parent / "interop" / "EcoSignatures.java"
    command = ["javac", "-d", str(classes), str(source)]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return classes
