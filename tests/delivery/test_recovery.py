"""A peer that is back is noticed within a minute, however long it was away and whatever it said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.errors import (
    BadAnswerError,
    BusyError,
    GatewayError,
    HtmlAnswerError,
    PeerFaultError,
    ReceiptError,
    TimedOutError,
    UnreachableError,
)
from gateway.exchange.outbound import submit_document
from gateway.exchange.retry import RetryPolicy
from gateway.exchange.retry_table import RetryTable
from gateway.store import DeliveryState
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate

MINUTE = 60.0
OUTAGE = timedelta(minutes=15)
STEP = 25.0


def fault(code: str, retry_after: float | None = None) -> PeerFaultError:
    return PeerFaultError("x", peer_code=code, peer_retryable=True, retry_after=retry_after)


FAILURES = [
    UnreachableError("x"),
    TimedOutError("x"),
    HtmlAnswerError("x"),
    BadAnswerError("x"),
    ReceiptError("x"),
    BusyError("our own database"),
    fault("HTTP_503"),
    fault("HTTP_500"),
]


def _queue(corridor: Corridor, count: int) -> list[str]:
    found = []
    for number in range(1, count + 1):
        document = certificate(serial_number=f"ZM-20260309-{number:06}")
        found.append(submit_document(corridor.zm.desk, document).message_id or "")
    return found


def _fail_with(corridor: Corridor, error: GatewayError, bad: Callable[[bytes], bool]) -> None:
    genuine = corridor.zm.wire.deliver

    def deliver(raw: bytes) -> bytes:
        if bad(raw):
            raise error
        return genuine(raw)

    # The port itself, so that our own errors are not dressed up as the peer's.
    corridor.zm.wire.send = lambda _endpoint, raw: deliver(raw)  # type: ignore[method-assign]


def _work(corridor: Corridor, seconds: float, step: float = STEP) -> int:
    """Let the worker empty the queue again and again for so long; return its attempts."""
    attempts = 0
    for _ in range(int(seconds / step)):
        while found := corridor.zm.work():
            attempts += found
        corridor.clock.pass_time(seconds=step)
    return attempts


def _delivered(corridor: Corridor, messages: list[str]) -> int:
    states = [corridor.zm.dispatch(one).state for one in messages]
    return states.count(DeliveryState.DELIVERED)


@pytest.mark.parametrize(("error", "count"), [*((e, 1) for e in FAILURES), (FAILURES[1], 3)])
def test_after_a_long_outage_all_is_delivered_within_a_minute(corridor: Corridor, error, count):
    messages = _queue(corridor, count)
    down = True
    _fail_with(corridor, error, lambda _raw: down)
    attempts = _work(corridor, OUTAGE.total_seconds())
    assert _delivered(corridor, messages) == 0
    # A dead peer is asked about once a minute, however many messages wait for it.
    assert attempts < OUTAGE.total_seconds() / 50 + 10 * count
    down = False
    waited = 0.0
    while not _delivered(corridor, messages):
        corridor.zm.work()
        corridor.clock.pass_time(seconds=2)
        waited += 2
        assert waited < MINUTE
    while corridor.zm.work():
        pass
    assert _delivered(corridor, messages) == count


@pytest.mark.parametrize("error", [TimedOutError("x"), BadAnswerError("x")], ids=lambda e: e.code)
def test_a_message_that_always_fails_keeps_nobody_waiting_for_long(corridor: Corridor, error):
    poison, *good = _queue(corridor, 6)
    bytes_of_poison = f">{poison}<".encode()
    _fail_with(corridor, error, lambda raw: bytes_of_poison in raw)
    _work(corridor, MINUTE, step=3)
    assert _delivered(corridor, good) == len(good)
    _work(corridor, OUTAGE.total_seconds())
    document = certificate(serial_number="ZM-20260309-000099")
    late = submit_document(corridor.zm.desk, document).message_id or ""
    _work(corridor, MINUTE, step=3)
    assert _delivered(corridor, [late]) == 1
    assert corridor.zm.dispatch(poison).state is DeliveryState.RETRYING


def test_a_pause_that_the_peer_asks_for_or_the_table_names_is_not_cut_short():
    policy = RetryPolicy(
        first=timedelta(seconds=5), longest=timedelta(minutes=15), give_up_after=timedelta(hours=72)
    )
    probe = policy.probe_at(NOW, UnreachableError("x"))
    assert probe is not None
    assert RetryTable.load().lane.longest < (probe - NOW).total_seconds() < MINUTE - 2
    assert policy.probe_at(NOW, fault("HTTP_500", retry_after=600.0)) is None
    assert policy.probe_at(NOW, fault("NO_ROUTE")) is None
    assert policy.probe_at(NOW, fault("UNKNOWN_PEER")) is None
