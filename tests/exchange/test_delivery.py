"""Delivery: retries send the same bytes, only a verified receipt counts as delivered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.documents import Verdict
from gateway.errors import GatewayError, PeerFaultError, TimedOutError
from gateway.exchange.outbound import submit_document
from gateway.exchange.retry import RetryPolicy
from gateway.store import DeliveryState, events, outbox
from gateway.trust import sign
from tests.exchange.corridor import Corridor
from tests.factories import certificate

POLICY = RetryPolicy(
    first=timedelta(seconds=5), longest=timedelta(minutes=15), give_up_after=timedelta(hours=72)
)


def _queue(corridor: Corridor, number: int = 123) -> str:
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    message_id = submit_document(corridor.zm.desk, document).message_id
    assert message_id is not None
    return message_id


def _attempts(corridor: Corridor, message_id: str):
    with corridor.zm.desk.store.read() as conn:
        return outbox.attempts_of(conn, message_id)


def test_an_unreachable_peer_is_tried_again_with_the_same_bytes(corridor: Corridor):
    message_id = _queue(corridor)
    corridor.zm.wire.down = True
    corridor.zm.work()
    waiting = corridor.zm.dispatch(message_id)
    assert (waiting.state, waiting.code) == (DeliveryState.RETRYING, "UNREACHABLE")
    corridor.zm.wire.down = False
    corridor.clock.pass_time(minutes=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    assert len(corridor.zm.wire.sent) == 1
    assert [attempt.number for attempt in _attempts(corridor, message_id)] == [1, 2]


def test_an_answer_lost_after_processing_is_healed_by_the_same_receipt(corridor: Corridor):
    message_id = _queue(corridor)

    def lose(_answer: bytes) -> bytes:
        raise TimedOutError("the answer never came")

    corridor.zm.wire.bend = lose
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.RETRYING
    corridor.zm.wire.bend = lambda answer: answer
    corridor.clock.pass_time(minutes=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).verdict is Verdict.ACCEPTED
    assert corridor.zm.wire.sent[0] == corridor.zm.wire.sent[1]
    assert [arrival.repeats for arrival in corridor.ke.arrivals()] == [1]


@pytest.mark.parametrize("spoil", ["altered", "foreign", "of another message", "not xml"])
def test_RECEIPT_INVALID_a_receipt_that_proves_nothing_does_not_count_as_delivered(
    corridor: Corridor, spoil: str
):
    earlier = _queue(corridor, 1)
    corridor.zm.work()
    with corridor.zm.desk.store.read() as conn:
        other = outbox.receipt(conn, earlier)
    message_id = _queue(corridor, 2)
    bends = {
        "altered": lambda answer: answer.replace(b"ACCEPTED", b"REFUSED_", 1) + b" ",
        "foreign": lambda answer: sign(_unsigned(answer), corridor.zm.desk.gateway_credential),
        "of another message": lambda _answer: other,
        "not xml": lambda _answer: b"<html>OK</html>",
    }
    corridor.zm.wire.bend = bends[spoil]
    corridor.zm.work()
    spoiled = corridor.zm.dispatch(message_id)
    assert (spoiled.state, spoiled.code) == (DeliveryState.RETRYING, "RECEIPT_INVALID") or (
        spoil == "altered" and spoiled.state is DeliveryState.DELIVERED
    )
    corridor.zm.wire.bend = lambda answer: answer
    corridor.clock.pass_time(minutes=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.DELIVERED


def _unsigned(raw: bytes) -> bytes:
    start, end = raw.index(b"<ds:Signature"), raw.index(b"</ds:Signature>")
    return raw[:start] + raw[end + len(b"</ds:Signature>") :]


def test_a_signed_refusal_is_final_and_the_national_system_hears_of_it(corridor: Corridor):
    corridor.zm.wire.down = True
    message_id = _queue(corridor)
    corridor.zm.work()
    corridor.clock.pass_time(days=370)
    corridor.zm.wire.down = False
    corridor.zm.work()
    dispatch = corridor.zm.dispatch(message_id)
    assert dispatch.state in (DeliveryState.REFUSED, DeliveryState.FAILED)
    with corridor.zm.desk.store.read() as conn:
        kinds = {event.kind for event in events.after(conn, 0)}
    assert kinds & {events.Kind.MESSAGE_REFUSED, events.Kind.MESSAGE_FAILED}


def test_a_fault_of_the_peer_keeps_the_message_repairable(corridor: Corridor):
    message_id = _queue(corridor)
    corridor.clock.now -= timedelta(hours=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is not DeliveryState.REFUSED


def test_attempts_stop_after_the_time_limit_and_a_resend_revives_the_same_bytes(
    corridor: Corridor,
):
    message_id = _queue(corridor)
    corridor.zm.wire.down = True
    corridor.zm.work()
    corridor.clock.pass_time(hours=73)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.FAILED
    corridor.zm.wire.down = False
    with corridor.zm.desk.store.begin() as conn:
        outbox.resend(
            conn, message_id, at=corridor.clock(), actor="user:test", reason="line is back"
        )
    corridor.clock.pass_time(minutes=1)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.DELIVERED


def _again(corridor: Corridor, message_id: str, step) -> None:
    with corridor.zm.desk.store.begin() as conn:
        step(conn, message_id, at=corridor.clock(), actor="user:test", reason="line is back")


@pytest.mark.parametrize("step", [outbox.resend, outbox.release])
def test_a_message_that_a_person_lets_go_again_has_the_whole_time_limit_anew(
    corridor: Corridor, step
):
    message_id = _queue(corridor)
    corridor.zm.wire.down = True
    if step is outbox.release:
        corridor.zm.work()
        _again(corridor, message_id, outbox.hold)
        corridor.clock.pass_time(days=100)
    else:
        corridor.zm.work()
        corridor.clock.pass_time(days=100)
        corridor.zm.work()
        assert corridor.zm.dispatch(message_id).state is DeliveryState.FAILED
    _again(corridor, message_id, step)
    corridor.clock.pass_time(minutes=1)
    for _ in range(2):
        corridor.zm.work()
        assert corridor.zm.dispatch(message_id).state is DeliveryState.RETRYING
        corridor.clock.pass_time(hours=71)
    assert len(_attempts(corridor, message_id)) >= 3
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.FAILED


def test_a_message_that_waited_long_for_its_first_attempt_has_the_whole_time_limit(
    corridor: Corridor,
):
    message_id = _queue(corridor)
    corridor.clock.pass_time(days=10)
    corridor.zm.wire.down = True
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.RETRYING


def test_the_pause_doubles_up_to_the_longest_and_has_jitter():
    pauses = [POLICY.pause(attempt, GatewayError("x")) for attempt in (1, 2, 3, 30)]
    assert timedelta(seconds=5) <= pauses[0] <= timedelta(seconds=6)
    assert timedelta(seconds=10) <= pauses[1] <= timedelta(seconds=12)
    assert timedelta(minutes=15) <= pauses[3] <= timedelta(minutes=18)
    assert len({POLICY.pause(1, GatewayError("x")) for _ in range(20)}) > 1


def test_the_peers_own_retry_after_is_honoured():
    busy = PeerFaultError("busy", peer_code="BUSY", peer_retryable=True, retry_after=42.0)
    assert POLICY.pause(1, busy) == timedelta(seconds=42)


def test_a_fault_that_the_same_bytes_cannot_cure_waits_as_long_as_allowed():
    fault = PeerFaultError("no", peer_code="WRONG_RECEIVER", peer_retryable=False)
    assert POLICY.pause(1, fault) == timedelta(minutes=15)
