"""The outbox: queued once, claimed once, recorded once, in order, along the table."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections import Counter
from typing import Any

import pytest

from gateway.documents import Verdict
from gateway.errors import ConflictError, NotFoundError
from gateway.store import (
    AttemptOutcome,
    DeliveryEvent,
    DeliveryState,
    Store,
    bodies,
    journal,
    outbox,
    peers,
)
from gateway.store.delivery import TRANSITIONS, advance
from tests.store.helpers import (
    NOW,
    add_peer,
    after,
    delivered,
    new_dispatch,
    retrying,
    take,
)

S, E = DeliveryState, DeliveryEvent


def enqueue(store: Store, *new: Any) -> list[str]:
    with store.begin() as conn:
        return [outbox.enqueue(conn, one).message_id for one in new]


def reached(store: Store) -> Any:
    """Return a new peer that has answered once."""
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        outbox.record_attempt(conn, *take(conn), delivered())
    return peer


def state_of(store: Store, message_id: str) -> DeliveryState:
    with store.read() as conn:
        found = outbox.dispatch(conn, message_id)
    assert found is not None
    return found.state


def test_a_queued_message_keeps_its_bytes_and_is_journalled(store: Store) -> None:
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    enqueue(store, new)
    with store.read() as conn:
        stored = outbox.dispatch(conn, new.message_id)
        assert stored is not None
        assert bodies.get(conn, stored.envelope_sha256) == new.envelope
        assert bodies.get(conn, stored.payload_sha256) == new.payload
        (entry,) = journal.page(conn, subject=new.message_id)
    assert stored.state is S.QUEUED
    assert entry.action == journal.Action.DISPATCH_QUEUED


def test_the_same_message_queued_again_is_one_message(store: Store) -> None:
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    enqueue(store, new, new)
    with store.read() as conn:
        assert len(outbox.page(conn)) == 1
        assert len(journal.page(conn, subject=new.message_id)) == 1


def test_a_message_id_for_other_bytes_is_a_conflict(store: Store) -> None:
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    enqueue(store, new)
    with pytest.raises(ConflictError):
        enqueue(store, new_dispatch(peer.id, message_id=new.message_id))


def test_a_claim_carries_the_stored_bytes_and_a_rising_fence(store: Store) -> None:
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    enqueue(store, new)
    with store.begin() as conn:
        (first,) = take(conn)
    with store.begin() as conn:
        outbox.record_attempt(conn, first, retrying())
    with store.begin() as conn:
        assert take(conn, now=after(29)) == ()
        (second,) = take(conn, now=after(30))
    assert first.envelope == second.envelope == new.envelope
    assert (first.fence, second.fence) == (1, 2)
    assert (first.attempt, second.attempt) == (1, 2)


def test_a_claimed_message_is_not_claimed_again_before_its_lease_ends(store: Store) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (first,) = take(conn)
        assert take(conn, "worker-2", after(59)) == ()
    with store.begin() as conn:
        (second,) = take(conn, "worker-2", after(60))
    assert second.fence == first.fence + 1
    with store.read() as conn:
        lost, running = outbox.attempts_of(conn, first.message_id)
    assert (lost.code, lost.ended_at) == ("LEASE_LOST", after(60))
    assert (running.worker, running.ended_at) == ("worker-2", None)


def test_a_renewed_lease_keeps_others_away(store: Store) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (first,) = take(conn)
        outbox.renew(conn, first, after(120))
    with store.begin() as conn:
        assert take(conn, "worker-2", after(60)) == ()
        (second,) = take(conn, "worker-2", after(120))
    with pytest.raises(ConflictError), store.begin() as conn:
        outbox.renew(conn, first, after(300))
    with store.begin() as conn:
        outbox.record_attempt(conn, second, delivered())


def test_a_stale_claim_changes_nothing(store: Store) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (stale,) = take(conn)
    with store.begin() as conn:
        (fresh,) = take(conn, "worker-2", after(61))
    with pytest.raises(ConflictError), store.begin() as conn:
        outbox.record_attempt(conn, stale, delivered(receipt=b"stale"))
    assert state_of(store, stale.message_id) is S.SENDING
    with store.begin() as conn:
        outbox.record_attempt(conn, fresh, delivered(receipt=b"fresh"))
    with pytest.raises(ConflictError), store.begin() as conn:
        outbox.record_attempt(conn, fresh, retrying())
    with store.read() as conn:
        assert outbox.receipt(conn, stale.message_id) == b"fresh"


def test_a_late_outcome_counts_while_nobody_took_over(store: Store) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (claim,) = take(conn)
    with store.begin() as conn:
        stored = outbox.record_attempt(conn, claim, delivered(ended_at=after(600)))
    assert stored.state is S.DELIVERED


def test_several_messages_are_under_way_to_a_peer_that_answers_and_one_to_any_other(
    store: Store,
) -> None:
    kenya, sudan = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    both = (kenya, sudan)
    enqueue(store, *(new_dispatch(peer.id) for peer in both for _ in range(12)))
    with store.begin() as conn:  # neither has answered yet
        first = take(conn, per_peer=3, unproved=1, limit=99)
        assert Counter(claim.peer_id for claim in first) == {kenya.id: 1, sudan.id: 1}
        assert take(conn, "worker-2", per_peer=3, unproved=1) == ()
    with store.begin() as conn:
        for claim in first:
            answered = claim.peer_id == kenya.id
            outbox.record_attempt(conn, claim, delivered() if answered else retrying())
    with store.begin() as conn:
        more = take(conn, "worker-2", per_peer=3, unproved=1, limit=99, now=after(1))
    assert Counter(claim.peer_id for claim in more) == {kenya.id: 3, sudan.id: 1}
    assert [claim.peer_id for claim in more if claim.is_probe] == [sudan.id]
    with store.begin() as conn:  # three at once of the whole outbox, over all workers
        assert take(conn, "worker-3", per_peer=3, unproved=1, limit=99, now=after(1)) == ()


def test_failures_that_were_under_way_together_count_once(store: Store) -> None:
    peer = reached(store)
    enqueue(store, *(new_dispatch(peer.id) for _ in range(6)))
    with store.begin() as conn:
        together = take(conn, per_peer=5, unproved=1, limit=99, now=after(1))
        for claim in together:
            outbox.record_attempt(conn, claim, retrying(ended_at=after(2), due_at=after(3)))
        assert (len(together), peers.lane(conn, peer.id).failures) == (5, 1)
        (again,) = take(conn, per_peer=5, unproved=1, limit=99, now=after(3))
        outbox.record_attempt(conn, again, retrying(ended_at=after(4), due_at=after(9)))
        assert peers.lane(conn, peer.id).failures == 2


def test_peers_that_failed_last_time_get_no_more_than_their_share(store: Store) -> None:
    dead = [add_peer(store, f"KE-{number}") for number in range(6)]
    enqueue(store, *(new_dispatch(peer.id) for peer in dead))
    with store.begin() as conn:
        for claim in take(conn, limit=99):
            outbox.record_attempt(conn, claim, retrying(due_at=after(1)))
    alive = [add_peer(store, f"SD-{number}") for number in range(6)]
    enqueue(store, *(new_dispatch(peer.id) for peer in alive))
    with store.begin() as conn:
        claims = take(conn, limit=8, suspects=2, now=after(2))
    assert [claim.is_probe for claim in claims] == [True] * 2 + [False] * 6
    assert {claim.peer_id for claim in claims if not claim.is_probe} == {p.id for p in alive}


def test_no_more_than_the_limit_is_claimed_and_peers_take_turns(store: Store) -> None:
    ids = [add_peer(store, name).id for name in ("KE-GW", "SD-GW", "EG-GW")]
    enqueue(store, *(new_dispatch(peer_id) for peer_id in ids for _ in range(3)))
    turns = []
    for second in range(6):
        with store.begin() as conn:
            (claim,) = take(conn, now=after(second), limit=1)
            outbox.record_attempt(conn, claim, delivered())
        turns.append(claim.peer_id)
    assert set(turns[:3]) == set(turns[3:]) == set(ids)


def test_a_conversation_keeps_its_order(store: Store) -> None:
    peer = add_peer(store)
    first, second, other = (
        new_dispatch(peer.id, conversation_id=name) for name in ("c-1", "c-1", "c-2")
    )
    enqueue(store, first, second, other)
    with store.begin() as conn:
        claims = {claim.message_id: claim for claim in take(conn, per_peer=5)}
        assert set(claims) == {first.message_id, other.message_id}
        outbox.record_attempt(conn, claims[first.message_id], retrying(3600))
        outbox.record_attempt(conn, claims[other.message_id], delivered())
    with store.begin() as conn:
        assert take(conn, now=after(30), per_peer=5) == ()
    with store.begin() as conn:
        (again,) = take(conn, now=after(3600), per_peer=1)
        assert again.message_id == first.message_id
        outbox.record_attempt(conn, again, delivered())
    with store.begin() as conn:
        (following,) = take(conn, now=after(3601), per_peer=5)
    assert following.message_id == second.message_id


@pytest.mark.parametrize("end", [S.REFUSED, S.FAILED])
def test_a_refused_or_failed_message_blocks_nobody(store: Store, end: DeliveryState) -> None:
    peer = add_peer(store)
    first, second = (new_dispatch(peer.id, conversation_id="c") for _ in range(2))
    enqueue(store, first, second)
    with store.begin() as conn:
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, AttemptOutcome(state=end, ended_at=after(1)))
    with store.begin() as conn:
        (following,) = take(conn, now=after(2))
    assert following.message_id == second.message_id


def test_a_held_message_holds_its_conversation_until_released(store: Store) -> None:
    peer = add_peer(store)
    first, second = (new_dispatch(peer.id, conversation_id="c") for _ in range(2))
    enqueue(store, first, second)
    who = {"at": NOW, "actor": "user:operator", "reason": "under enquiry"}
    with store.begin() as conn:
        outbox.hold(conn, first.message_id, **who)
        assert take(conn, now=after(5)) == ()
    with store.begin() as conn:
        outbox.release(conn, first.message_id, **who)
        (claim,) = take(conn, now=after(5))
    assert claim.message_id == first.message_id


def test_suspended_parked_and_future_peers_are_left_alone(store: Store) -> None:
    suspended, parked = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    future = add_peer(store, "EG-GW", live_from=after(1000))
    enqueue(store, *(new_dispatch(peer.id) for peer in (suspended, parked, future)))
    with store.begin() as conn:
        peers.suspend(conn, suspended.id, at=NOW, actor="user:x", reason="outage announced")
        claims = {claim.peer_id: claim for claim in take(conn)}
        assert set(claims) == {parked.id}
        outcome = retrying(1, park_until=after(500))
        outbox.record_attempt(conn, claims[parked.id], outcome)
    with store.begin() as conn:
        assert take(conn, now=after(400)) == ()
        (late,) = take(conn, now=after(500))
        assert late.peer_id == parked.id
        outbox.record_attempt(conn, late, delivered())
        assert [claim.peer_id for claim in take(conn, now=after(1000))] == [future.id]
    with store.begin() as conn:
        peers.resume(conn, suspended.id, at=after(1000), actor="user:x", reason="back")
        assert [claim.peer_id for claim in take(conn, now=after(1001))] == [suspended.id]


def test_a_success_opens_the_lane_again(store: Store) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id), new_dispatch(peer.id))
    with store.begin() as conn:
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, retrying(1, park_until=after(10)))
    with store.read() as conn:
        lane = peers.lane(conn, peer.id)
    assert (lane.failures, lane.parked_until) == (1, after(10))
    with store.begin() as conn:
        (claim,) = take(conn, now=after(10))
        outbox.record_attempt(conn, claim, delivered(ended_at=after(11)))
    with store.read() as conn:
        lane = peers.lane(conn, peer.id)
    assert (lane.failures, lane.parked_until, lane.last_success_at) == (0, None, after(11))


def test_the_outcome_is_kept_with_the_receipt(store: Store) -> None:
    peer = add_peer(store)
    (message_id,) = enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (claim,) = take(conn)
        refusal = AttemptOutcome(
            state=S.REFUSED,
            ended_at=after(2),
            code="INVALID_DOCUMENT",
            detail="V36 items[0]",
            http_status=200,
            receipt=b"<receipt/>",
            verdict=Verdict.REFUSED,
        )
        stored = outbox.record_attempt(conn, claim, refusal)
    assert (stored.verdict, stored.code, stored.due_at) == (
        Verdict.REFUSED,
        "INVALID_DOCUMENT",
        None,
    )
    with store.read() as conn:
        assert outbox.receipt(conn, message_id) == b"<receipt/>"
        (attempt,) = outbox.attempts_of(conn, message_id)
    assert (attempt.ended_at, attempt.code, attempt.http_status) == (
        after(2),
        "INVALID_DOCUMENT",
        200,
    )


@pytest.mark.parametrize(
    "outcome",
    [
        AttemptOutcome(state=S.RETRYING, ended_at=NOW),
        AttemptOutcome(state=S.DELIVERED, ended_at=NOW, due_at=NOW),
        AttemptOutcome(state=S.HELD, ended_at=NOW),
    ],
)
def test_an_outcome_that_is_none_is_our_own_mistake(store: Store, outcome: AttemptOutcome) -> None:
    peer = add_peer(store)
    enqueue(store, new_dispatch(peer.id))
    with pytest.raises(ValueError, match="no attempt"), store.begin() as conn:
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, outcome)


def test_a_resent_message_has_the_same_bytes_and_counts_anew(store: Store) -> None:
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    enqueue(store, new)
    with store.begin() as conn:
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, AttemptOutcome(state=S.FAILED, ended_at=after(1)))
        outbox.resend(conn, new.message_id, at=after(5), actor="user:op", reason="peer is back")
        (again,) = take(conn, now=after(5))
    assert (again.envelope, again.attempt, again.fence) == (new.envelope, 1, 2)


def test_a_delivered_message_is_never_sent_again(store: Store) -> None:
    peer = add_peer(store)
    (message_id,) = enqueue(store, new_dispatch(peer.id))
    with store.begin() as conn:
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, delivered())
    for operate in (outbox.resend, outbox.hold, outbox.release):
        with pytest.raises(ConflictError), store.begin() as conn:
            operate(conn, message_id, at=NOW, actor="user:op", reason="x")
    with pytest.raises(NotFoundError), store.begin() as conn:
        outbox.hold(conn, "urn:uuid:none", at=NOW, actor="user:op", reason="x")


@pytest.mark.parametrize(("state", "event"), [*itertools.product(DeliveryState, DeliveryEvent)])
def test_the_table_of_delivery_states_is_the_law(
    state: DeliveryState, event: DeliveryEvent
) -> None:
    following = TRANSITIONS.get((state, event))
    if following is None:
        with pytest.raises(ConflictError):
            advance(state, event)
    else:
        assert advance(state, event) is following
        assert state is not S.DELIVERED or event is DeliveryEvent.RECONCILE


def test_every_state_can_reach_an_end() -> None:
    reaching = {state for state in S if state.is_final}
    for _ in S:
        reaching |= {
            state for (state, _), following in TRANSITIONS.items() if following in reaching
        }
    assert reaching == set(S)


def test_lists_page_by_key_and_filter(store: Store) -> None:
    kenya, sudan = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    messages = enqueue(store, *(new_dispatch(p.id) for p in (kenya, sudan) for _ in range(3)))
    new = new_dispatch(kenya.id, document_number="ZM–2026–7", conversation_id="c-7")
    enqueue(store, new)
    with store.read() as conn:
        newest = outbox.page(conn, limit=4)
        rest = outbox.page(conn, limit=4, before=newest[-1].id)
        assert [row.message_id for row in (*newest, *rest)] == [*messages, new.message_id][::-1]
        assert len(outbox.page(conn, peer_id=sudan.id)) == 3
        assert outbox.page(conn, state=S.DELIVERED) == ()
        (found,) = outbox.page(conn, document_number="zm-2026-7")
        assert found.message_id == new.message_id
        assert [row.message_id for row in outbox.in_conversation(conn, "c-7")] == [new.message_id]
        assert outbox.backlog(conn) == {(kenya.id, S.QUEUED): 4, (sudan.id, S.QUEUED): 3}
        assert outbox.oldest_open(conn, kenya.id) == NOW
        assert outbox.oldest_open(conn, 999) is None
        assert outbox.receipt(conn, messages[0]) is None
        assert outbox.dispatch(conn, "urn:uuid:none") is None


def test_threads_claim_every_message_once_and_one_per_peer_at_a_time(store: Store) -> None:
    ids = [add_peer(store, f"{name}-GW").id for name in ("KE", "SD", "EG", "MU")]
    total = 40
    messages = enqueue(
        store,
        *(new_dispatch(ids[n % 4], conversation_id=f"c-{n % 8}") for n in range(total)),
    )
    sent: list[tuple[str, str]] = []
    under_way: Counter[int] = Counter()
    guard = threading.Lock()
    overlaps: list[int] = []

    def work(name: str) -> None:
        idle = 0
        while idle < 60 and len(sent) < total:
            with store.begin() as conn:
                claims = take(conn, name, limit=2)
            idle = 0 if claims else idle + 1
            for claim in claims:
                with guard:
                    under_way[claim.peer_id] += 1
                    if under_way[claim.peer_id] > 1:
                        overlaps.append(claim.peer_id)
                    sent.append((claim.conversation_id, claim.message_id))
                time.sleep(0.003)
                with guard:
                    under_way[claim.peer_id] -= 1
                with store.begin() as conn:
                    outbox.record_attempt(conn, claim, delivered())

    threads = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []
    assert sorted(message for _, message in sent) == sorted(messages)
    for conversation in {conversation for conversation, _ in sent}:
        own = [message for of, message in sent if of == conversation]
        assert own == sorted(own, key=messages.index)


def claim_all(url: str, name: str, results: Any) -> None:
    own = Store.open(url)
    claimed: list[str] = []
    idle = 0
    while idle < 20:
        with own.begin() as conn:
            claims = take(conn, name, limit=3, per_peer=3)
        for claim in claims:
            with own.begin() as conn:
                outbox.record_attempt(conn, claim, delivered())
            claimed.append(claim.message_id)
        idle = 0 if claims else idle + 1
    own.close()
    results.put(claimed)


def test_two_processes_claim_every_message_once(store: Store, store_url: str) -> None:
    ids = [add_peer(store, f"{name}-GW").id for name in ("KE", "SD")]
    messages = enqueue(store, *(new_dispatch(ids[n % 2]) for n in range(40)))
    store.close()
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=claim_all, args=(store_url, f"process-{n}", results))
        for n in range(2)
    ]
    for worker in workers:
        worker.start()
    claimed = [message for _ in workers for message in results.get(timeout=60)]
    for worker in workers:
        worker.join()
    assert sorted(claimed) == sorted(messages)
    with store.read() as conn:
        assert journal.verify_chain(conn).holds
        assert outbox.backlog(conn) == {}
