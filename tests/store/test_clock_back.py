"""A clock that was ahead is set back: what it had put off is due by the present time."""

from __future__ import annotations

from datetime import datetime

from gateway.store import Claim, DeliveryState, Store, clock_back, outbox, tasks
from gateway.store.tables import lanes
from tests.store.helpers import NOW, add_peer, after, new_dispatch, retrying, take

HOUR = 3600
LEASE = 60


def _enqueue(store: Store) -> str:
    peer = add_peer(store)
    with store.begin() as conn:
        return outbox.enqueue(conn, new_dispatch(peer.id)).message_id


def _take(store: Store, *, now: datetime) -> tuple[Claim, ...]:
    with store.begin() as conn:
        return tuple(take(conn, now=now))


def _bring_back(store: Store, now: datetime) -> int:
    with store.begin() as conn:
        return clock_back.bring_back(conn, now, lease_seconds=LEASE)


def test_a_retry_and_a_parked_lane_of_the_future_are_due_now(store: Store) -> None:
    message_id = _enqueue(store)
    (claim,) = _take(store, now=after(HOUR))
    with store.begin() as conn:
        outcome = retrying(HOUR + 30, ended_at=after(HOUR), park_until=after(HOUR + 60))
        outbox.record_attempt(conn, claim, outcome)
    assert _take(store, now=after(10)) == ()
    assert _bring_back(store, after(10)) == 2
    assert _bring_back(store, after(10)) == 0
    with store.read() as conn:
        assert conn.execute(lanes.select()).one().parked_until is None
    (again,) = _take(store, now=after(10))
    assert again.message_id == message_id


def test_a_message_under_way_keeps_a_whole_lease(store: Store) -> None:
    message_id = _enqueue(store)
    _take(store, now=after(HOUR))
    assert _bring_back(store, NOW) == 1
    assert _take(store, now=after(LEASE - 1)) == ()
    (again,) = _take(store, now=after(LEASE))
    assert again.message_id == message_id
    with store.read() as conn:
        found = outbox.dispatch(conn, message_id)
    assert found is not None
    assert found.state is DeliveryState.SENDING


def test_a_retry_that_the_right_clock_put_off_stays_put_off(store: Store) -> None:
    _enqueue(store)
    (claim,) = _take(store, now=NOW)
    with store.begin() as conn:
        outbox.record_attempt(conn, claim, retrying(HOUR, ended_at=NOW))
    assert _bring_back(store, after(1)) == 0
    assert _take(store, now=after(HOUR - 1)) == ()


def test_a_turn_of_the_future_comes_now(store: Store) -> None:
    with store.begin() as conn:
        tasks.claim(conn, "expire", "worker", after(HOUR), period=clock_back.TOLERANCE)
        assert tasks.claim(conn, "expire", "worker", NOW, period=clock_back.TOLERANCE) is None
    assert _bring_back(store, NOW) == 1
    with store.begin() as conn:
        assert tasks.claim(conn, "expire", "worker", NOW, period=clock_back.TOLERANCE)
