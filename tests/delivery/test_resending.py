"""Dead letters: chosen, counted, and queued again: as many as were seen, and not all at once."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from gateway.documents import DocumentType
from gateway.errors import ConflictError
from gateway.exchange import resending as module
from gateway.exchange.resending import Confirmed, Resent, resend_many
from gateway.store import (
    AttemptOutcome,
    DeliveryState,
    Peer,
    Store,
    bodies,
    dead_letters,
    journal,
    outbox,
)
from gateway.store.dead_letters import Choice, Resending
from gateway.store.tables import bodies as body_table
from tests.crash.forks import fork
from tests.store.helpers import NOW, add_peer, after, new_dispatch, take

S = DeliveryState
LATER = NOW + timedelta(days=4)
EVERYTHING = Choice()


def fail(store: Store, peer: Peer, count: int, code: str = "UNREACHABLE", **changes: object):
    """Let ``count`` messages to a peer fail and return their ids."""
    given_up = AttemptOutcome(state=S.FAILED, ended_at=after(1), code=code)
    with store.begin() as conn:
        made = [outbox.enqueue(conn, new_dispatch(peer.id, **changes)) for _ in range(count)]
        for claim in take(conn, now=after(60), limit=count, per_peer=count):
            outbox.record_attempt(conn, claim, given_up)
    return [one.message_id for one in made]


def resend(store: Store, choice: Choice = EVERYTHING, *, at: datetime = LATER, **how) -> Resent:
    gap = timedelta(seconds=1 / how.pop("rate", 5))
    confirmed = Confirmed(count=how.pop("count"), most=how.pop("most", 1000))
    order = Resending(choice=choice, gap=gap, actor="user:test", reason="the line is up")
    return resend_many(store, order, confirmed, clock=lambda: at, **how)


def total(store: Store, choice: Choice = EVERYTHING) -> int:
    with store.read() as conn:
        return sum(dead_letters.count(conn, choice).values())


def due_times(store: Store, peer: Peer) -> list[datetime]:
    with store.read() as conn:
        rows = outbox.page(conn, peer_id=peer.id, state=S.QUEUED, limit=500)
    return sorted(row.due_at for row in rows if row.due_at)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART", 3)


def test_a_choice_means_what_it_says(store: Store):
    kenya, malawi = add_peer(store), add_peer(store, "MW-GW")
    fail(store, kenya, 2)
    fail(store, kenya, 1, code="TLS", created_at=after(-3600))
    fail(store, malawi, 3, document_type=DocumentType.CUSTOMS_RESPONSE)
    with store.begin() as conn:
        kept = outbox.enqueue(conn, new_dispatch(malawi.id))
        outbox.hold(conn, kept.message_id, at=NOW, actor="user:test", reason="a test")
        outbox.enqueue(conn, new_dispatch(malawi.id))
    with store.read() as conn:
        assert dead_letters.count(conn, EVERYTHING) == {kenya.id: 3, malawi.id: 3}
    assert total(store, Choice(peer_id=kenya.id)) == 3
    assert total(store, Choice(code="TLS")) == 1
    assert total(store, Choice(document_type=DocumentType.CUSTOMS_RESPONSE)) == 3
    assert total(store, Choice(states=(S.HELD,))) == 1
    assert total(store, Choice(until=NOW)) == 1
    assert total(store, Choice(since=NOW)) == 5
    assert total(store, Choice(peer_id=malawi.id, code="TLS")) == 0


def test_the_whole_list_comes_page_by_page_without_gap_or_double(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    peer = add_peer(store)
    made = [*fail(store, peer, 4), *fail(store, peer, 3, created_at=after(-10))]
    small = dead_letters.page
    monkeypatch.setattr(
        dead_letters, "page", lambda conn, choice, **how: small(conn, choice, limit=2, **how)
    )
    with store.read() as conn:
        found = [row.message_id for row in dead_letters.every(conn, EVERYTHING)]
    assert found == made[4:] + made[:4], "what is older stands first"


def test_what_was_confirmed_is_queued_with_its_bytes_and_journalled_one_by_one(
    store: Store, small_parts: None
):
    peer = add_peer(store)
    ids = fail(store, peer, 7)
    with store.read() as conn:
        before = {one: outbox.dispatch(conn, one) for one in ids}
    told: list[int] = []
    resent = resend(store, count=7, progress=told.append)
    assert (resent.queued, resent.left) == ({peer.id: 7}, 0)
    assert told == [3, 6, 7]
    with store.read() as conn:
        for message_id, was in before.items():
            now = outbox.dispatch(conn, message_id)
            assert was is not None
            assert now is not None
            assert (now.state, now.attempts) == (S.QUEUED, 0)
            assert (now.envelope_sha256, now.rank_at) == (was.envelope_sha256, was.rank_at)
            bodies.get(conn, now.envelope_sha256)
            told_of = journal.page(conn, subject=message_id, action=journal.Action.DISPATCH_RESENT)
            assert [entry.detail["reason"] for entry in told_of] == ["the line is up"]
            assert [entry.actor for entry in told_of] == ["user:test"]


@pytest.mark.parametrize("count", [4, 6])
def test_another_count_than_the_one_confirmed_changes_nothing(store: Store, count: int):
    fail(store, add_peer(store), 5)
    with pytest.raises(ConflictError, match="5 are chosen now"):
        resend(store, count=count)
    assert total(store) == 5


def test_each_peer_gets_no_more_a_second_than_the_rate_allows(store: Store, small_parts: None):
    kenya, malawi = add_peer(store), add_peer(store, "MW-GW")
    fail(store, kenya, 5)
    fail(store, malawi, 4)
    resent = resend(store, count=9, rate=2)
    for peer, number in ((kenya, 5), (malawi, 4)):
        times = due_times(store, peer)
        assert times == [LATER + timedelta(seconds=0.5 * step) for step in range(number)]
    assert resent.last_due_at == LATER + timedelta(seconds=2)


def test_the_rate_holds_over_several_calls(store: Store):
    peer = add_peer(store)
    fail(store, peer, 6)
    resend(store, count=6, most=3, rate=1)
    assert total(store) == 3
    resend(store, count=3, rate=1, at=LATER + timedelta(seconds=1))
    assert {later - earlier for earlier, later in pairwise(due_times(store, peer))} == {
        timedelta(seconds=1)
    }


def test_the_cap_leaves_the_rest_waiting_and_takes_perishable_goods_first(
    store: Store, small_parts: None
):
    peer = add_peer(store)
    machines = fail(store, peer, 5)
    flowers = fail(store, peer, 2, head_start=timedelta(hours=6))
    resent = resend(store, count=7, most=4)
    assert (resent.total, resent.left) == (4, 3)
    with store.read() as conn:
        states = {one: outbox.dispatch(conn, one).state for one in machines + flowers}  # type: ignore[union-attr]
        rows = outbox.page(conn, state=S.QUEUED)
    assert {one for one, state in states.items() if state is S.QUEUED} == {*flowers, *machines[:2]}
    first = min(rows, key=lambda row: row.due_at or NOW)
    assert first.message_id == flowers[0]


def test_held_messages_are_let_go_and_waiting_ones_need_not_wait(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        held = outbox.enqueue(conn, new_dispatch(peer.id)).message_id
        outbox.hold(conn, held, at=NOW, actor="user:test", reason="a test")
    waiting = fail_softly(store, peer)
    for state, message_id in ((S.HELD, held), (S.RETRYING, waiting)):
        resend(store, Choice(states=(state,)), count=1)
        with store.read() as conn:
            now = outbox.dispatch(conn, message_id)
        assert now is not None
        assert now.state is S.QUEUED


def fail_softly(store: Store, peer: Peer) -> str:
    pause = AttemptOutcome(
        state=S.RETRYING, ended_at=after(1), due_at=LATER + timedelta(days=1), code="UNREACHABLE"
    )
    with store.begin() as conn:
        message_id = outbox.enqueue(conn, new_dispatch(peer.id)).message_id
        (claim,) = take(conn, now=after(60))
        outbox.record_attempt(conn, claim, pause)
    return message_id


def test_a_message_whose_bytes_were_erased_is_not_chosen(store: Store):
    ids = fail(store, add_peer(store), 2)
    with store.begin() as conn:
        gone = outbox.dispatch(conn, ids[0])
        assert gone is not None
        own = body_table.c.sha256 == gone.envelope_sha256
        conn.execute(body_table.update().where(own).values(content=b""))
    assert resend(store, count=1).total == 1


def test_a_message_that_somebody_else_took_meanwhile_is_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    ids = fail(store, add_peer(store), 3)
    honest = outbox.resend

    def too_late(conn, message_id, **how):
        if message_id == ids[1]:
            raise ConflictError("a SENDING dispatch cannot resend")
        return honest(conn, message_id, **how)

    monkeypatch.setattr(outbox, "resend", too_late)
    resent = resend(store, count=3, most=3)
    assert resent.total == 2


def test_killed_in_the_middle_it_leaves_whole_parts_and_can_be_repeated(
    store: Store, store_url: str, small_parts: None
):
    peer = add_peer(store)
    fail(store, peer, 8)

    def resend_and_die() -> None:
        resend(Store.open(store_url), count=8, progress=die)

    child = fork(resend_and_die, store)
    assert child.wait() == -signal.SIGKILL
    assert total(store) == 5, "one part of three is queued, the others wait as before"
    with pytest.raises(ConflictError):
        resend(store, count=8)
    assert resend(store, count=5).left == 0
    times = due_times(store, peer)
    assert len(times) == 8
    assert all(later - earlier >= timedelta(seconds=0.2) for earlier, later in pairwise(times))


def die(_done: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
