"""Lanes: nobody waits for a peer that is dead, silent or slow, and nothing is sent twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import BusyError, ReceiptError, TimedOutError, UnreachableError
from gateway.exchange.lanes import Lanes
from gateway.jobs import run_until_stopped
from gateway.store import DeliveryState, Store, outbox, peers
from tests.delivery.stage import Running, Stage, make_stage, until
from tests.store.helpers import retrying

S = DeliveryState


@pytest.fixture
def stage(store: Store, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Gives a gateway without peers."""
    return make_stage(store, monkeypatch)


@pytest.fixture
def silence(stage: Stage) -> Iterator[threading.Event]:
    """Gives an event: a black hole swallows what it gets until the event is set."""
    heard = threading.Event()
    yield heard
    heard.set()
    for thread in threading.enumerate():
        if thread.name.startswith("lane-"):
            thread.join(20)


def black_hole(heard: threading.Event):
    def swallow(_envelope: bytes) -> None:
        heard.wait(20)
        raise TimedOutError("nothing came back")

    return swallow


def refuse(_envelope: bytes) -> None:
    raise UnreachableError("connection refused")


def test_more_black_holes_than_lanes_do_not_stop_the_others(stage: Stage, silence):
    healthy, holes = stage.peers(5), stage.peers(9, start=100)
    for peer in holes:
        stage.deeds[peer.id] = black_hole(silence)
        stage.queue(peer, 3)
    with Running(stage.lanes(width=3)):
        until(lambda: len(stage.log) == len(holes))
        sent = [one for peer in healthy for one in stage.queue(peer, 4)]
        until(lambda: stage.states(sent) == {S.DELIVERED})
        assert len(stage.log) == len(holes) + len(sent)  # every hole still swallows its first
        silence.set()
    assert max(stage.most.values()) == 1


def test_a_peer_that_answers_gets_several_messages_at_once_and_a_new_one_only_the_first(
    stage: Stage,
):
    (peer,) = stage.peers(1)
    first, together = threading.Event(), threading.Barrier(4)

    def answer_four_at_once(_envelope: bytes) -> None:
        if not first.is_set():
            time.sleep(0.1)  # a second one would be seen inside meanwhile
            assert stage.most[peer.id] == 1
            first.set()
            return
        together.wait(20)

    stage.deeds[peer.id] = answer_four_at_once
    sent = stage.queue(peer, 9)
    with Running(stage.lanes(width=8, window=4, patience_seconds=5.0)):
        until(lambda: stage.states(sent) == {S.DELIVERED})
    assert stage.most[peer.id] == 4


def test_peers_that_were_dead_before_a_restart_do_not_delay_the_first_delivery(
    stage: Stage, silence
):
    holes, healthy = stage.peers(20, start=100), stage.peers(5)
    for peer in holes:
        stage.queue(peer, 3)
        stage.deeds[peer.id] = black_hole(silence)
    with stage.store.begin() as conn:  # a worker that ran before has found out
        for claim in outbox.claim_due(
            conn, "before", datetime.now(UTC), lease_seconds=60, limit=99, per_peer=8
        ):
            outbox.record_attempt(
                conn, claim, retrying(ended_at=datetime.now(UTC), due_at=datetime.now(UTC))
            )
    sent = [one for peer in healthy for one in stage.queue(peer, 4)]
    begun = time.monotonic()
    with Running(stage.lanes(width=8, patience_seconds=60.0)):
        until(lambda: stage.states(sent) == {S.DELIVERED})
        assert len([1 for peer_id, _ in stage.log if stage.deeds.get(peer_id)]) == 2
        silence.set()
    assert time.monotonic() - begun < 20  # with all lanes at the dead, a minute


def test_a_peer_that_refuses_costs_one_probe_at_a_time(stage: Stage):
    (dead,), (healthy,) = stage.peers(1), stage.peers(1, start=1)
    stage.deeds[dead.id] = refuse
    waiting = stage.queue(dead, 40)
    sent = stage.queue(healthy, 10)
    begun = time.monotonic()
    with Running(stage.lanes()):
        until(lambda: stage.states(sent) == {S.DELIVERED})
        until(lambda: dead.id in stage.most)
        time.sleep(0.5)
    probes = [peer_id for peer_id, _ in stage.log].count(dead.id)
    assert 1 <= probes <= 1 + (time.monotonic() - begun) / 2  # the first pause has two seconds
    assert stage.states(waiting) == {S.QUEUED, S.RETRYING}
    with stage.store.read() as conn:
        lane = peers.lane(conn, dead.id)
    assert lane.failures == probes
    assert lane.parked_until is not None


def test_the_order_of_a_conversation_is_kept_over_all_workers(stage: Stage):
    for peer in (several := stage.peers(3)):
        for talk in ("a", "b"):
            stage.queue(peer, 6, conversation_id=f"{talk}{peer.id}")
        stage.deeds[peer.id] = lambda _envelope: time.sleep(0.002)
    with Running(*(stage.lanes(name) for name in ("worker-1", "worker-2", "worker-3"))):
        until(lambda: len(stage.log) == 36)
    assert len(set(stage.log)) == 36
    assert max(stage.most.values()) <= 2  # a conversation has one under way
    numbers = {
        peer.id: [int(raw[10:-11]) for who, raw in stage.log if who == peer.id] for peer in several
    }
    for sent in numbers.values():
        first, second = sorted(sent)[:6], sorted(sent)[6:]
        assert [one for one in sent if one in first] == first
        assert [one for one in sent if one in second] == second


def test_lanes_that_have_nothing_to_claim_do_not_hide_the_others(stage: Stage):
    """A lane whose conversation waits for a held message is due, but has nothing to give."""
    blocked, (healthy,) = stage.peers(9), stage.peers(1, start=50)
    for peer in blocked:
        first, _second = stage.queue(peer, 2, conversation_id=f"of {peer.id}")
        with stage.store.begin() as conn:
            outbox.hold(conn, first, at=peer.created_at, actor="user:test", reason="a test")
    sent = stage.queue(healthy)
    with Running(stage.lanes(width=1)):
        until(lambda: stage.states(sent) == {S.DELIVERED})


def test_draining_ends_although_a_peer_fails_at_once_again_and_again(stage: Stage):
    broken, slow = stage.peers(2)
    stage.deeds[broken.id] = prove_nothing
    stage.deeds[slow.id] = lambda _envelope: time.sleep(0.02)
    stage.queue(broken, 2)
    stage.queue(slow, 20)
    lanes = stage.lanes()
    eager = replace(lanes.worker.retry, first=timedelta(microseconds=1))
    lanes.worker = replace(lanes.worker, retry=eager)
    assert lanes.drain() == 22, "each message that was due at the start is tried once"


def prove_nothing(_envelope: bytes) -> None:
    raise ReceiptError("a receipt of nobody")


def test_draining_ends_when_nothing_is_due(stage: Stage):
    (peer, dead) = stage.peers(2)
    stage.deeds[dead.id] = refuse
    sent = stage.queue(peer, 5)
    waiting = stage.queue(dead)
    assert stage.lanes().drain() == 6
    assert stage.states(sent) == {S.DELIVERED}
    assert stage.states(waiting) == {S.RETRYING}


def test_a_database_that_is_away_for_a_moment_does_not_end_the_lanes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    sent = stage.queue(stage.peers(1)[0])
    real, failures = outbox.claim_due, [BusyError("locked"), RuntimeError("a driver's own")]

    def away(*args, **named):
        if failures:
            raise failures.pop()
        return real(*args, **named)

    monkeypatch.setattr(outbox, "claim_due", away)
    with Running(stage.lanes()):
        until(lambda: stage.states(sent) == {S.DELIVERED})


# --- leases ---------------------------------------------------------------------------------------


def test_the_lease_of_a_long_attempt_is_renewed(stage: Stage):
    (peer,) = stage.peers(1)
    stage.deeds[peer.id] = lambda _envelope: time.sleep(2.5)
    sent = stage.queue(peer)
    with Running(*(stage.lanes(name, lease_seconds=1) for name in ("worker-1", "worker-2"))):
        until(lambda: stage.states(sent) == {S.DELIVERED})
    assert len(stage.log) == 1
    with stage.store.read() as conn:
        assert [one.number for one in outbox.attempts_of(conn, sent[0])] == [1]


def test_an_attempt_that_never_ends_is_taken_over_at_last(
    stage: Stage, silence, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateway.exchange.lanes.MOST_RENEWALS", 1)
    (peer,) = stage.peers(1)
    first = threading.Event()

    def hang_once(_envelope: bytes) -> None:
        if not first.is_set():
            first.set()
            silence.wait(20)

    stage.deeds[peer.id] = hang_once
    sent = stage.queue(peer)
    with Running(stage.lanes(lease_seconds=1)):
        until(lambda: stage.states(sent) == {S.DELIVERED})
        silence.set()
    assert [envelope for _, envelope in stage.log] == [stage.log[0][1]] * 2  # the same bytes


# --- ending ---------------------------------------------------------------------------------------


def test_a_stop_lets_the_running_attempt_finish_and_claims_nothing_more(stage: Stage):
    (peer,) = stage.peers(1)
    stage.deeds[peer.id] = lambda _envelope: time.sleep(0.4)
    sent = stage.queue(peer, 3)
    running = Running(stage.lanes())
    with running:
        until(lambda: len(stage.log) == 1)
    assert running.left == [0]
    assert stage.states(sent) == {S.DELIVERED, S.QUEUED}
    assert len(stage.log) == 1


def test_a_stop_leaves_an_attempt_that_takes_too_long_to_its_lease(stage: Stage, silence):
    (peer,) = stage.peers(1)
    stage.deeds[peer.id] = black_hole(silence)
    sent = stage.queue(peer)
    running = Running(stage.lanes(), grace_seconds=0.3)
    with running:
        until(lambda: len(stage.log) == 1)
        begun = time.monotonic()
    assert running.left == [1]
    assert time.monotonic() - begun < 5
    assert stage.states(sent) == {S.SENDING}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_the_attempt_under_way(stage: Stage, number: int):
    (peer,) = stage.peers(1)
    sent = stage.queue(peer, 2)

    def interrupted(_envelope: bytes) -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.2)

    stage.deeds[peer.id] = interrupted
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        begun = time.monotonic()
        lanes: Lanes = stage.lanes()
        run_until_stopped([], lanes, grace_seconds=5)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert time.monotonic() - begun < 5
    assert stage.states(sent) == {S.DELIVERED, S.QUEUED}
