"""Whatever answers at a peer's address: nothing counts as delivered but the peer's own receipt."""

from __future__ import annotations

import select
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.documents import Verdict
from gateway.operations.alerting import judge
from gateway.operations.observations import observe
from gateway.store import AlertLevel, alerts
from gateway.trust.keys import KeyKind, generate_key
from gateway.watching import office_of, premises_of
from tests.battery.liar import Asked, Lie, altered, unsigned
from tests.battery.outcomes import assert_recovers, has_failed, let_fail
from tests.battery.pair import WAYS, Pair
from tests.wire.odd_server import http
from tests.wire.test_odd_answers import BOMB, drip_head, endless
from tests.wire.tls_files import TestAuthority

pytestmark = pytest.mark.slow

XML = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"


def says(raw: bytes) -> Lie:
    return lambda asked: asked.say(raw)


def half_an_answer(most: int) -> Lie:
    """Say the real answer up to a byte, counted from its end if negative."""
    return lambda asked: asked.say(asked.genuine()[:most])


GARBAGE = [
    pytest.param(says(http("200 OK", b"<html>", "text/html")), {"HTML_ANSWER"}, id="html-200"),
    pytest.param(says(http("502 Bad", b"<html>", "text/html")), {"HTTP_502"}, id="html-502"),
    pytest.param(says(http("200 OK")), {"BAD_ANSWER"}, id="empty-200"),
    pytest.param(says(http("200 OK", b"{}", "application/json")), {"BAD_ANSWER"}, id="json"),
    pytest.param(says(http("202 Accepted", b"<r/>")), {"BAD_ANSWER"}, id="202"),
    pytest.param(says(XML + b"Content-Length: 99\r\n\r\n<r/>"), {"BAD_ANSWER"}, id="too-short"),
    pytest.param(says(XML + b"X: 1\r\n" * 500 + b"\r\n"), {"BAD_ANSWER"}, id="header-flood"),
    pytest.param(says(b"HTTP/0.9?"), {"BAD_ANSWER"}, id="http-0.9"),
    pytest.param(lambda asked: drip_head(asked.connection), {"TIMED_OUT"}, id="drips"),
]
HALVES = [
    pytest.param(half_an_answer(0), {"UNREACHABLE"}, id="0"),
    pytest.param(half_an_answer(1), {"BAD_ANSWER"}, id="1"),
    pytest.param(half_an_answer(100), {"BAD_ANSWER"}, id="100"),
    pytest.param(half_an_answer(-1), {"BAD_ANSWER"}, id="all-but-one"),
]
HUGE = [
    pytest.param(lambda asked: endless(asked.connection), id="endless"),
    pytest.param(says(http("200 OK", BOMB, Content_Encoding="gzip")), id="gzip-bomb"),
]


def _gateway_of_the_asking_state(asked: Asked, pair: Pair):
    (asking,) = (c for c in WAYS if c != asked.face.gateway.settings.gateway.country)
    return pair.stage.pki.countries[asking].gateway.credential


FORGED = {
    "unsigned": lambda asked, _: asked.say_receipt(unsigned),
    "replayed from an earlier message": lambda asked, _: asked.say_receipt(asked.face.replay),
    "for another message": lambda asked, _: asked.say_receipt(
        asked.receipt(message_id="urn:uuid:00000000-0000-4000-8000-000000000000")
    ),
    "with another digest": lambda asked, _: asked.say_receipt(asked.receipt(envelope=b"<other/>")),
    "signed by another state": lambda asked, pair: asked.say_receipt(
        asked.receipt(_gateway_of_the_asking_state(asked, pair))
    ),
    "signed by customs of the same state": lambda asked, pair: asked.say_receipt(
        asked.receipt(asked.face.gateway.desk.signers["CustomsResponse"])
    ),
    "altered": lambda asked, _: asked.say_receipt(altered),
}


@pytest.mark.parametrize(("lie", "codes"), GARBAGE)
def test_an_answer_that_is_no_receipt_delivers_nothing(pair: Pair, lie, codes):
    with pair.lying(lie):
        sent = let_fail(pair, codes, stored=False)
    assert_recovers(pair, sent)


@pytest.mark.parametrize(("lie", "codes"), HALVES)
def test_half_an_answer_after_processing_is_made_good_by_the_same_receipt(pair: Pair, lie, codes):
    with pair.lying(lie):
        sent = let_fail(pair, codes, stored=True)
    assert_recovers(pair, sent)


@pytest.mark.parametrize("lie", HUGE)
def test_an_answer_without_end_takes_bounded_memory(pair: Pair, lie):
    before = _memory_peak(pair)
    with pair.lying(lie):
        sent = let_fail(pair, {"BAD_ANSWER"}, stored=False)
    assert _memory_peak(pair) - before < 120_000_000
    assert_recovers(pair, sent)


def _memory_peak(pair: Pair) -> int:
    """Return the most bytes that Zambia's worker ever held, 0 where the system does not tell."""
    status = Path(f"/proc/{pair.crew.running['ZM', 'work'].pid}/status")
    if not status.exists():
        return 0
    found = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(found[0].split()[1]) * 1024


def test_no_redirect_is_followed(pair: Pair):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        address = f"https://localhost:{elsewhere.getsockname()[1]}/soap"
        with pair.lying(says(http("301 Moved", Location=address))):
            sent = let_fail(pair, {"BAD_ANSWER"}, stored=False)
        assert not select.select([elsewhere], [], [], 0)[0]
    assert_recovers(pair, sent)


@pytest.mark.parametrize(
    ("status", "asked", "least"), [("429", "1", 1.0), ("503", "86400", 1.9)], ids=["429", "503"]
)
def test_the_pause_that_a_peer_asks_for_is_kept_up_to_the_longest(pair: Pair, status, asked, least):
    with pair.lying(says(http(f"{status} Later", Retry_After=asked))):
        sent = let_fail(pair, {f"HTTP_{status}"}, stored=False)
        pair.until(lambda: all(len(pair.attempts(each)) > 1 for each in sent))
    for each in sent:
        first, second = pair.attempts(each)[:2]
        assert first.ended_at is not None
        pause = second.started_at - first.ended_at
        assert timedelta(seconds=least) <= pause < timedelta(seconds=15)
    assert_recovers(pair, sent)


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_RECEIPT_INVALID_a_forged_receipt_delivers_nothing_and_raises_an_alert(pair: Pair, forge):
    with pair.lying(lambda asked: forge(asked, pair)):
        sent = let_fail(pair, {"RECEIPT_INVALID"}, stored=True)
    assert {(a.rule, a.level) for a in _alerts(pair)} >= {("receipt-invalid", AlertLevel.CRITICAL)}
    assert_recovers(pair, sent)


def test_a_refusal_that_a_stranger_signed_is_not_final(pair: Pair, strangers: TestAuthority):
    stranger = strangers.signer(generate_key(KeyKind.RSA_2048))

    def refuse(asked: Asked) -> None:
        asked.say_receipt(asked.receipt(stranger, verdict=Verdict.REFUSED))

    with pair.lying(refuse):
        sent = let_fail(pair, {"RECEIPT_INVALID"}, stored=True)
    assert_recovers(pair, sent)


def test_an_address_with_a_strangers_certificate_is_told_nothing(
    pair: Pair, strangers: TestAuthority
):
    with pair.lying(says(http("200 OK")), strangers.issue("liar", "localhost")) as asked:
        sent = pair.send_both_ways()
        pair.until(lambda: all(has_failed(pair, each, {"TLS"}) for each in sent))
    assert asked == dict.fromkeys(WAYS, 0)
    assert_recovers(pair, sent)


def _alerts(pair: Pair):
    """Judge Zambia's books as its worker does each minute, and return the live alerts."""
    gateway = pair.gateway("ZM")
    premises = premises_of(gateway)
    now = gateway.desk.clock()
    with gateway.store.begin() as conn:
        readings = tuple(observe(premises, conn, now))
        judge(office_of(gateway.settings, premises.rules).desk, conn, readings, now)
        return alerts.live(conn)
