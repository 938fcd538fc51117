"""One message, one peer or one library that misbehaves never stops the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.documents import DocumentType
from gateway.errors import ConfigError, ConflictError, GatewayError, UnreachableError
from gateway.exchange import delivery
from gateway.exchange.delivery import deliver_due
from gateway.exchange.outbound import submit_document
from gateway.register import register
from gateway.store import (
    DeliveryState,
    NewDispatch,
    PeerChannel,
    PeerProfile,
    events,
    outbox,
    peers,
)
from tests.crash.checker import damage
from tests.crash.faults import EVERY, RaisesFor, RaisesOneOf, named
from tests.crash.scene import LEASE_SECONDS, NOWHERE, worker_of
from tests.crash.theatre import Theatre
from tests.exchange.corridor import Clock, Side
from tests.factories import certificate

BROKEN = "TZ-SW"


@pytest.fixture
def zambia(theatre: Theatre) -> Side:
    """Gives a gateway with a sound peer, and one more whose messages can only go wrong."""
    side = theatre.scene.side("ZM")
    profile = PeerProfile(
        identifier=BROKEN,
        country="TZ",
        name="Broken",
        channel=PeerChannel.SOAP,
        url="https://tz.example/soap",
        document_types=(DocumentType.CERTIFICATE_OF_ORIGIN,),
    )
    with side.desk.store.begin() as conn:
        peers.add(conn, profile, at=side.desk.clock(), actor="user:test")
    side.worker = worker_of(side)
    return side


def _queue_bad(side: Side, number: int = 1, receiver: str = BROKEN) -> str:
    message_id = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
    with side.desk.store.begin() as conn:
        peer = peers.by_identifier(conn, receiver)
        assert peer is not None
        new = NewDispatch(
            message_id=message_id,
            peer_id=peer.id,
            document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
            document_number=f"BAD-{number}",
            conversation_id=message_id,
            refers_to=None,
            envelope=b"<bad>%d</bad>" % number,
            payload=b"<bad/>",
            created_at=side.desk.clock(),
            test=False,
        )
        outbox.enqueue(conn, new)
    return message_id


def _queue_good(side: Side, number: int = 1) -> str:
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    return submit_document(side.desk, document).message_id or ""


def _clock(side: Side) -> Clock:
    clock = side.desk.clock
    assert isinstance(clock, Clock)
    return clock


def _work_until_quiet(side: Side) -> None:
    for _ in range(2 * len(EVERY)):
        if not side.work():
            return
    raise AssertionError("the worker runs hot")


def _assert_waiting(side: Side, message_id: str, code: str, error: object = None) -> None:
    waiting = side.dispatch(message_id)
    assert (waiting.state, waiting.code) == (DeliveryState.RETRYING, code), repr(error)
    assert waiting.due_at > side.desk.clock(), repr(error)
    with side.desk.store.read() as conn:
        assert all(attempt.ended_at for attempt in outbox.attempts_of(conn, message_id))


def test_INTERNAL_whatever_a_library_raises_while_sending_ends_that_attempt_only(zambia: Side):
    bad = {_queue_bad(zambia, number): error for number, error in enumerate(EVERY, start=1)}
    good = _queue_good(zambia)
    numbered = {b"<bad>%d</bad>" % number: error for number, error in enumerate(EVERY, start=1)}
    zambia.wire.deliver = RaisesOneOf(zambia.wire.deliver, numbered)
    _work_until_quiet(zambia)
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    for message_id, error in bad.items():
        _assert_waiting(zambia, message_id, "INTERNAL", error)


def test_whatever_a_library_raises_over_a_receipt_ends_that_attempt_only(
    zambia: Side, monkeypatch: pytest.MonkeyPatch
):
    errors = EVERY[::3]
    bad = {_queue_good(zambia, number): error for number, error in enumerate(errors, start=1)}
    good = _queue_good(zambia, 999)
    check = delivery.check_receipt

    def strange(*args, message_id, **more):
        if message_id in bad:
            raise bad[message_id]
        return check(*args, message_id=message_id, **more)

    monkeypatch.setattr(delivery, "check_receipt", strange)
    _work_until_quiet(zambia)
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    for message_id, error in bad.items():
        _assert_waiting(zambia, message_id, "INTERNAL", error)
    monkeypatch.undo()
    _clock(zambia).pass_time(minutes=1)
    _work_until_quiet(zambia)
    assert {zambia.dispatch(each).state for each in bad} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("error", [ConfigError("no address"), KeyError("url")], ids=named)
def test_CONFIGURATION_a_peer_that_cannot_be_addressed_stops_no_other(
    zambia: Side, error: Exception
):
    bad, good = _queue_bad(zambia), _queue_good(zambia)
    address = RaisesFor(lambda _peer: NOWHERE, lambda peer: peer.identifier == BROKEN, error)
    zambia.worker = replace(zambia.worker, endpoint_of=address)
    _work_until_quiet(zambia)
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    _assert_waiting(zambia, bad, error.code if isinstance(error, GatewayError) else "INTERNAL")


def test_a_peer_whose_trust_material_cannot_be_read_stops_no_other(
    zambia: Side, monkeypatch: pytest.MonkeyPatch
):
    bad, good = _queue_bad(zambia), _queue_good(zambia)
    cache = zambia.desk.trust_cache
    broken = RaisesFor(
        cache.of, lambda _conn, peer: peer.identifier == BROKEN, ConfigError("not PEM")
    )
    monkeypatch.setattr(cache, "of", broken)
    _work_until_quiet(zambia)
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    _assert_waiting(zambia, bad, "CONFIGURATION")


def test_a_message_whose_stored_bytes_were_changed_fails_at_once_and_stops_no_other(
    zambia: Side, theatre: Theatre
):
    bad, good = _queue_bad(zambia), _queue_good(zambia)
    damage(theatre.urls["ZM"], zambia.dispatch(bad).envelope_sha256)
    _work_until_quiet(zambia)
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    failed = zambia.dispatch(bad)
    assert failed.state is DeliveryState.FAILED
    assert "changed in the database" in failed.detail
    with zambia.desk.store.read() as conn:
        told = {(event.kind, event.subject) for event in events.after(conn, 0)}
    assert (events.Kind.MESSAGE_FAILED, bad) in told


@pytest.mark.parametrize(
    "error", [ConflictError("no such step"), RuntimeError(), KeyError("state")], ids=named
)
def test_an_outcome_that_the_register_cannot_take_is_tried_again_later_not_at_once(
    zambia: Side, error: Exception, monkeypatch: pytest.MonkeyPatch
):
    first, second = _queue_good(zambia, 1), _queue_good(zambia, 2)
    step = RaisesFor(
        register.record_delivery, lambda _c, claim, _o: claim.message_id == first, error
    )

    def only_final(conn, claim, outcome):
        if outcome.state is not DeliveryState.RETRYING:
            step(conn, claim, outcome)

    monkeypatch.setattr(register, "record_delivery", only_final)
    _work_until_quiet(zambia)
    waiting = zambia.dispatch(first)
    assert (waiting.state, waiting.verdict) == (DeliveryState.RETRYING, None)
    assert waiting.due_at > zambia.desk.clock()
    assert zambia.dispatch(second).state is DeliveryState.DELIVERED
    monkeypatch.undo()
    _clock(zambia).pass_time(minutes=1)
    _work_until_quiet(zambia)
    assert zambia.dispatch(first).state is DeliveryState.DELIVERED


def _let_the_broken_peer_be_first(side: Side) -> None:
    """Serve the sound peer once: the one that was not yet served is then served before it."""
    _queue_good(side, 999)
    _work_until_quiet(side)
    _queue_bad(side)


def test_a_slow_peer_does_not_use_up_the_lease_of_those_behind_it(zambia: Side):
    _let_the_broken_peer_be_first(zambia)
    good = _queue_good(zambia)
    sound = zambia.wire.deliver
    late = worker_of(zambia, "second worker")

    def slow(raw: bytes) -> bytes:
        if raw.startswith(b"<bad"):
            _clock(zambia).pass_time(seconds=LEASE_SECONDS - 1)
            raise UnreachableError("a black hole")
        _clock(zambia).pass_time(seconds=5)
        assert deliver_due(late) == 0
        return sound(raw)

    zambia.wire.deliver = slow
    zambia.work()
    dispatch = zambia.dispatch(good)
    assert (dispatch.state, dispatch.fence) == (DeliveryState.DELIVERED, 1)


def test_a_message_taken_over_while_its_worker_waited_is_not_sent_by_both(zambia: Side):
    _let_the_broken_peer_be_first(zambia)
    good = _queue_good(zambia)
    sound = zambia.wire.deliver
    sent: list[bytes] = []
    others = [worker_of(zambia, "second worker")]

    def slow(raw: bytes) -> bytes:
        if raw.startswith(b"<bad"):
            _clock(zambia).pass_time(seconds=LEASE_SECONDS + 1)
            if others:
                deliver_due(others.pop())
            raise UnreachableError("a black hole")
        sent.append(raw)
        return sound(raw)

    zambia.wire.deliver = slow
    zambia.work()
    assert zambia.dispatch(good).state is DeliveryState.DELIVERED
    assert len(sent) == 1


def test_a_dead_peer_with_a_long_queue_costs_the_others_little_time(zambia: Side):
    """Each attempt at the dead peer takes 10 seconds; ten messages to the other must not wait."""
    for number in range(1, 61):
        _queue_bad(zambia, number)
    good = [_queue_good(zambia, number) for number in range(1, 11)]
    sound = zambia.wire.deliver
    clock = _clock(zambia)

    def dead(raw: bytes) -> bytes:
        clock.pass_time(seconds=10 if raw.startswith(b"<bad") else 0.2)
        if raw.startswith(b"<bad"):
            raise UnreachableError("a black hole")
        return sound(raw)

    zambia.wire.deliver = dead
    start = clock.now
    while not all(zambia.dispatch(each).state is DeliveryState.DELIVERED for each in good):
        if not zambia.work():
            clock.pass_time(seconds=1)
    assert (clock.now - start).total_seconds() < 40
