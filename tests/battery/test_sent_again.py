"""Captured envelopes that come again: doubled, reordered, much later, from whoever holds them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import (
    GatewayError,
    PeerFaultError,
    TlsError,
    UnreachableError,
)
from gateway.exchange.inbound import accept
from gateway.store import inbox
from gateway.transport import PeerEndpoint, PeerTransport
from tests.battery.outcomes import assert_recovers
from tests.battery.pair import WAYS, Pair, Sent
from tests.crash.checker import digest_of
from tests.wire.tls_files import TestAuthority

pytestmark = pytest.mark.slow

COUNTED = ("certificates", "certificate_items", "responses", "utilisation_entries", "events")
SEED = 20261122


def _books(pair: Pair, *tables: str) -> dict[str, str]:
    return {country: digest_of(url, *tables) for country, url in pair.urls.items()}


def _repeats(pair: Pair, sent: Sent) -> int:
    with pair.gateway(WAYS[sent.country]).store.read() as conn:
        (arrival,) = inbox.find_by_message(conn, sent.message_id)
    return arrival.repeats


def test_envelopes_that_come_again_in_any_order_and_at_once_get_the_same_receipts(pair: Pair):
    sent = pair.send_both_ways(4)
    pair.until_delivered(sent)
    before, repeats = _books(pair, *COUNTED), [_repeats(pair, each) for each in sent]
    shuffled = [*sent, *sent, *sent]
    random.Random(SEED).shuffle(shuffled)
    endpoints = {country: pair.endpoint(country) for country in WAYS}
    transport = PeerTransport()

    def post(one: Sent) -> bytes:
        return transport.send(endpoints[one.country], pair.stored(one)[0])

    try:
        with ThreadPoolExecutor(4) as crowd:
            answers = list(crowd.map(post, shuffled))
    finally:
        transport.close()
    assert answers == [pair.stored(one)[1] for one in shuffled]
    assert _books(pair, *COUNTED) == before
    assert [_repeats(pair, each) for each in sent] == [count + 3 for count in repeats]
    assert_recovers(pair, sent)


def test_an_envelope_that_comes_again_after_a_day_gets_the_same_receipt(pair: Pair):
    sent = pair.send_both_ways()
    pair.until_delivered(sent)
    before = _books(pair, *COUNTED)
    for one in sent:
        desk = pair.gateway(WAYS[one.country]).desk
        tomorrow = desk.clock() + timedelta(days=1)
        late = replace(desk, clock=lambda moment=tomorrow: moment)
        envelope, receipt = pair.stored(one)
        fingerprint = pair.stage.pki.countries[one.country].tls.fingerprint
        assert accept(late, envelope, tls_fingerprint=fingerprint) == receipt
    assert _books(pair, *COUNTED) == before
    assert_recovers(pair, sent)


# --- TLS client certificates -------------------------------------------------------------------


def _authority_of_zambia(pair: Pair) -> TestAuthority:
    return TestAuthority(pair.stage.directory, "zambia", pair.stage.pki.countries["ZM"].ca)


def _of_another_state(pair: Pair, endpoint: PeerEndpoint, _: TestAuthority) -> PeerEndpoint:
    tls = pair.stage.pki.countries["KE"].tls
    return replace(endpoint, client_cert=tls.cert_path, client_key=tls.key_path)


def _expired(pair: Pair, endpoint: PeerEndpoint, _: TestAuthority) -> PeerEndpoint:
    ended = _authority_of_zambia(pair).issue("expired", days=-1)
    return replace(endpoint, client_cert=ended.cert, client_key=ended.key)


def _unregistered(pair: Pair, endpoint: PeerEndpoint, _: TestAuthority) -> PeerEndpoint:
    other = _authority_of_zambia(pair).issue("unregistered")
    return replace(endpoint, client_cert=other.cert, client_key=other.key)


def _strange(_: Pair, endpoint: PeerEndpoint, strangers: TestAuthority) -> PeerEndpoint:
    other = strangers.issue("strange")
    return replace(endpoint, client_cert=other.cert, client_key=other.key)


def _none(_: Pair, endpoint: PeerEndpoint, _strangers: TestAuthority) -> PeerEndpoint:
    return replace(endpoint, client_cert=None, client_key=None)


REFUSED_BY_TLS = (TlsError, UnreachableError)
REFUSED_BY_THE_GATEWAY = (PeerFaultError,)


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        pytest.param(_of_another_state, REFUSED_BY_THE_GATEWAY, id="another-state"),
        pytest.param(_unregistered, REFUSED_BY_THE_GATEWAY, id="not-registered"),
        pytest.param(_expired, REFUSED_BY_TLS, id="expired"),
        pytest.param(_strange, REFUSED_BY_TLS, id="of-a-stranger"),
        pytest.param(_none, REFUSED_BY_TLS, id="none"),
    ],
)
def test_who_shows_a_wrong_tls_certificate_is_refused_and_nothing_is_stored(
    pair: Pair, strangers: TestAuthority, credential, expected
):
    sent = pair.submit()
    pair.until_delivered([sent])
    envelope, _ = pair.stored(sent)
    before = _books(pair, "arrivals", "bodies", *COUNTED)
    transport = PeerTransport()
    try:
        with pytest.raises(GatewayError) as caught:
            transport.send(credential(pair, pair.endpoint("ZM"), strangers), envelope)
    finally:
        transport.close()
    assert isinstance(caught.value, expected), caught.value
    if isinstance(caught.value, PeerFaultError):
        assert caught.value.peer_code in ("CLIENT_CERTIFICATE", "UNKNOWN_PEER")
    assert _books(pair, "arrivals", "bodies", *COUNTED) == before
    assert_recovers(pair, [sent])
