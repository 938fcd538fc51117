"""Shared in the trust room: one country's PKI, its trust, and its refused signers."""

from __future__ import annotations

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
