"""The line between two gateways fails in every way, is mended, and all comes right by itself."""

from __future__ import annotations

import pytest

from tests.battery.line import LAST, Trouble
from tests.battery.outcomes import assert_recovers, let_fail
from tests.battery.pair import Pair

pytestmark = pytest.mark.slow

BLOCKED = [
    pytest.param(Trouble(refuses=True), {"UNREACHABLE"}, id="refused"),
    pytest.param(Trouble(swallows=True), {"TIMED_OUT", "UNREACHABLE"}, id="black-hole"),
    pytest.param(Trouble(request_bytes=0), {"UNREACHABLE"}, id="request-cut-at-0"),
    pytest.param(Trouble(request_bytes=1), {"UNREACHABLE"}, id="request-cut-after-1"),
    pytest.param(Trouble(request_bytes=100), {"UNREACHABLE"}, id="request-cut-after-100"),
    pytest.param(Trouble(request_bytes=LAST), {"UNREACHABLE"}, id="request-cut-before-its-last"),
]
ANSWER_SPOILED = [
    pytest.param(Trouble(answer_bytes=0), {"UNREACHABLE"}, id="answer-cut-at-0"),
    pytest.param(Trouble(answer_bytes=1), {"UNREACHABLE"}, id="answer-cut-after-1"),
    pytest.param(Trouble(answer_bytes=100), {"UNREACHABLE"}, id="answer-cut-after-100"),
    pytest.param(
        Trouble(answer_bytes=LAST), {"UNREACHABLE", "BAD_ANSWER"}, id="answer-cut-before-its-last"
    ),
    pytest.param(Trouble(loses_answer=True), {"TIMED_OUT"}, id="answer-lost"),
    pytest.param(Trouble(answer_rate=50), {"TIMED_OUT"}, id="answer-drips"),
]
SLOW = [
    pytest.param(Trouble(rate=40_000), id="40-kB-per-second"),
    pytest.param(Trouble(delay=0.05), id="each-piece-0.05-s-late"),
]


@pytest.mark.parametrize(("trouble", "codes"), BLOCKED)
def test_what_a_bad_line_stops_is_not_stored_and_goes_when_it_is_mended(pair: Pair, trouble, codes):
    with pair.trouble(trouble):
        sent = let_fail(pair, codes, stored=False)
    assert_recovers(pair, sent)


@pytest.mark.parametrize(("trouble", "codes"), ANSWER_SPOILED)
def test_what_was_processed_without_its_answer_arriving_is_not_processed_again(
    pair: Pair, trouble, codes
):
    with pair.trouble(trouble):
        sent = let_fail(pair, codes, stored=True)
    assert_recovers(pair, sent)


@pytest.mark.parametrize("trouble", SLOW)
def test_a_slow_line_delivers(pair: Pair, trouble):
    with pair.trouble(trouble):
        sent = pair.send_both_ways()
        pair.until_delivered(sent)
    assert_recovers(pair, sent)


def test_a_line_that_comes_and_goes_delivers_each_of_many_once(pair: Pair):
    with pair.trouble(Trouble(flap=0.4)):
        sent = pair.send_both_ways(6)
        pair.until(lambda: any(len(pair.attempts(each)) > 1 for each in sent))
    assert_recovers(pair, sent)
