"""The register of outages: opened by failures of the way, closed by what reaches the peer, with durations."""

from __future__ import annotations

from gateway.errors import PeerFaultError
from gateway.store import JournalAction, Store, journal, outages, outbox, peers
from tests.exchange.corridor import Corridor
from tests.operations.scene import fail_often, queue
from tests.store.helpers import add_peer, after, delivered, new_dispatch, retrying


def attempt(store: Store, seconds: float, outcome) -> None:
    with store.begin() as conn:
        (claim,) = outbox.claim_due(conn, "w", after(seconds), lease_seconds=60, limit=1)
    with store.begin() as conn:
        outbox.record_attempt(conn, claim, outcome)


def look(store: Store, seconds: float) -> int:
    with store.begin() as conn:
        return outages.look(conn, now=after(seconds), failures=3)


def test_an_outage_runs_from_the_first_failed_attempt_to_the_next_receipt(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        outbox.enqueue(conn, new_dispatch(peer.id))
    for number in range(3):
        begun = 10 * number + 1
        attempt(store, begun, retrying(begun + 5, ended_at=after(begun + 1)))
        assert look(store, begun + 2) == (1 if number == 2 else 0)
    with store.read() as conn:
        (open_one,) = outages.still_open(conn)
    assert (open_one.opened_at, open_one.code, open_one.failures) == (after(1), "UNREACHABLE", 3)
    assert look(store, 25) == 0
    attempt(store, 60, delivered(ended_at=after(61)))
    with store.read() as conn:
        assert outages.still_open(conn) == ()
        (closed,) = outages.page(conn, peer_id=peer.id)
        written = {entry.action for entry in journal.page(conn)}
    assert closed.lasted(after(9999)).total_seconds() == 60
    assert {JournalAction.OUTAGE_OPENED, JournalAction.OUTAGE_CLOSED} <= written


def test_a_fault_that_the_peer_states_is_no_outage(corridor: Corridor):
    queue(corridor)

    def fault(_answer: bytes) -> bytes:
        raise PeerFaultError("busy", peer_code="BUSY", peer_retryable=True)

    corridor.zm.wire.bend = fault
    for _ in range(4):
        corridor.zm.work()
        corridor.clock.pass_time(hours=1)
    assert look(corridor.zm.desk.store, 0) == 0


def test_a_way_that_failed_twice_is_no_outage_yet(corridor: Corridor):
    queue(corridor)
    fail_often(corridor, 2)
    assert look(corridor.zm.desk.store, 0) == 0


def test_a_ping_that_is_answered_opens_the_lane_and_ends_the_outage_at_once(corridor: Corridor):
    queue(corridor)
    fail_often(corridor, 3)
    zm, now = corridor.zm.desk.store, corridor.clock()
    peer = corridor.zm.peer()
    with zm.begin() as conn:
        assert outages.look(conn, now=now, failures=3) == 1
        outages.reached(conn, peer.id, at=now)
    with zm.read() as conn:
        assert outages.still_open(conn) == ()
        (closed,) = outages.page(conn, peer_id=peer.id)
        lane = peers.lane(conn, peer.id)
    assert closed.closed_at == now
    assert (lane.failures, lane.parked_until, lane.last_success_at) == (0, None, now)
    with zm.begin() as conn:
        assert outages.look(conn, now=now, failures=3) == 0


def test_an_outage_after_a_ping_does_not_reach_back_beyond_it(corridor: Corridor):
    queue(corridor)
    fail_often(corridor, 3)
    store, peer = corridor.zm.desk.store, corridor.zm.peer()
    with store.begin() as conn:
        outages.look(conn, now=corridor.clock(), failures=3)
        outages.reached(conn, peer.id, at=corridor.clock())
    corridor.clock.pass_time(minutes=20)
    fail_often(corridor, 3)
    with store.begin() as conn:
        assert outages.look(conn, now=corridor.clock(), failures=3) == 1
        second, first = outages.page(conn, peer_id=peer.id)
    assert first.closed_at is not None
    assert second.opened_at > first.closed_at
