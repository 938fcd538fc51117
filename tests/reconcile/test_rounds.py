"""The rounds: who states what when, parts of large days, bounds, and answers that say nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.documents import BooksStatus, DocumentType, Verdict
from gateway.errors import ConflictError, NotFoundError
from gateway.exchange import reconcile as reconciling
from gateway.exchange.reconcile import plan_day, reconcile_due, reconcile_now, state_due
from gateway.exchange.reconcile_answer import findings_of
from gateway.exchange.reconcile_proof import proof_of
from gateway.exchange.reconcile_rounds import MOST_ROUNDS, pause
from gateway.store import BalanceState, BooksSide, DeliveryState, balances, events, peers
from gateway.store.tables import dispatches
from tests.exchange.corridor import Corridor
from tests.reconcile.damage import (
    DAY,
    alter,
    assert_agreed,
    balances_of,
    exchange,
    hurry,
    kinds,
    lose_arrival,
    message_ids,
    next_day,
    reconcile,
    work,
)
from tests.xml.full import books_statement


def _sent(corridor: Corridor):
    return [b for b in balances_of(corridor.zm) if b.side is BooksSide.SENT]


def test_nothing_is_stated_before_the_day_has_rested(corridor: Corridor):
    exchange(corridor)
    corridor.clock.now = datetime(2026, 3, 11, 0, 59, tzinfo=UTC)
    assert reconcile_due(corridor.zm.desk, "w") == 0
    corridor.clock.now = datetime(2026, 3, 11, 1, 5, tzinfo=UTC)
    assert reconcile_due(corridor.zm.desk, "w") == 1


def test_of_several_workers_one_takes_the_turn(corridor: Corridor):
    next_day(corridor)
    assert [reconcile_due(corridor.zm.desk, name) for name in ("a", "b")] == [1, 0]


def test_days_missed_in_an_outage_are_stated_later_but_none_before_the_peer_was_known(
    corridor: Corridor,
):
    corridor.clock.pass_time(days=4)
    assert reconcile_due(corridor.zm.desk, "w") == 4
    corridor.clock.pass_time(days=40)
    assert reconcile_due(corridor.zm.desk, "w") == reconciling.LOOK_BACK


def test_a_peer_that_did_not_agree_to_statements_is_left_alone(corridor: Corridor):
    with corridor.zm.desk.store.begin() as conn:
        peer = peers.every(conn)[0]
        profile = {name: getattr(peer, name) for name in peers._PROFILE}
        profile["document_types"] = (DocumentType.CERTIFICATE_OF_ORIGIN,)
        peers.change(
            conn, peer.id, peers.PeerProfile(**profile), at=corridor.clock(), actor="user:test"
        )
    next_day(corridor)
    assert reconcile_due(corridor.zm.desk, "w") == 0
    with pytest.raises(ConflictError):
        reconcile_now(corridor.zm.desk, corridor.zm.peer(), DAY)


def test_a_large_day_goes_in_parts_that_heal_one_by_one(corridor: Corridor):
    exchange(corridor, count=7, uses=0)
    lost = message_ids(corridor.zm)[3]
    lose_arrival(corridor.ke, lost)
    next_day(corridor)
    plan_day(corridor.zm.desk, corridor.zm.peer(), DAY, size=2)
    state_due(corridor.zm.desk)
    work(corridor)
    states = [
        (b.part, b.parts, b.state.value) for b in sorted(_sent(corridor), key=lambda b: b.part)
    ]
    assert states == [(1, 4, "AGREED"), (2, 4, "DIFFERENT"), (3, 4, "AGREED"), (4, 4, "AGREED")]
    reconcile(corridor)
    assert_agreed(corridor)
    assert sum(b.counts[0]["messages"] for b in _sent(corridor)) == 7


def test_a_message_made_just_before_midnight_and_received_after_it_counts_where_it_was_made(
    corridor: Corridor,
):
    corridor.clock.now = datetime(2026, 3, 10, 23, 59, 58, tzinfo=UTC)
    corridor.zm.wire.down = True
    exchange(corridor, count=2, uses=0)
    corridor.zm.wire.down = False
    corridor.clock.pass_time(minutes=10)
    work(corridor)
    assert corridor.ke.arrivals()[0].received_at.date() > DAY
    corridor.clock.pass_time(hours=3)
    reconcile(corridor)
    assert_agreed(corridor)
    assert _sent(corridor)[0].counts[0]["messages"] == 2


def test_a_message_still_on_its_way_differs_until_it_is_delivered(corridor: Corridor):
    exchange(corridor, count=2, uses=0)
    waiting = message_ids(corridor.zm)[0]
    lose_arrival(corridor.ke, waiting)
    alter(
        corridor.zm,
        dispatches,
        waiting,
        state=DeliveryState.HELD,
        receipt_sha256=None,
        verdict=None,
        due_at=None,
    )
    next_day(corridor)
    reconcile(corridor, rounds=2)
    assert _sent(corridor)[0].state is BalanceState.DIFFERENT
    assert corridor.zm.dispatch(waiting).state is DeliveryState.HELD
    from gateway.store import outbox

    with corridor.zm.desk.store.begin() as conn:
        outbox.release(conn, waiting, at=corridor.clock(), actor="user:t", reason="go")
    reconcile(corridor, rounds=60)
    assert_agreed(corridor)


def test_rounds_are_bounded_and_a_person_can_start_new_ones(corridor: Corridor):
    exchange(corridor, count=2, uses=0)
    altered, other = message_ids(corridor.zm)
    foreign = corridor.zm.dispatch(other).envelope_sha256
    right = corridor.zm.dispatch(altered).envelope_sha256
    alter(corridor.zm, dispatches, altered, envelope_sha256=foreign)
    next_day(corridor)
    reconcile(corridor, rounds=1)
    hurry(corridor, MOST_ROUNDS)
    (balance,) = _sent(corridor)
    assert (balance.state, balance.round) == (BalanceState.ASKS_PERSON, MOST_ROUNDS)
    alter(corridor.zm, dispatches, altered, envelope_sha256=right)
    reconcile_now(corridor.zm.desk, corridor.zm.peer(), DAY)
    work(corridor)
    (balance,) = _sent(corridor)
    assert (balance.state, balance.round) == (BalanceState.AGREED, MOST_ROUNDS + 1)


def test_a_peer_that_never_answers_is_asked_again_and_then_a_person(corridor: Corridor):
    next_day(corridor)
    corridor.ke.wire.down = True
    reconcile_due(corridor.zm.desk, "w")
    for _ in range(MOST_ROUNDS):
        corridor.zm.work()
        corridor.clock.pass_time(days=1)
        state_due(corridor.zm.desk)
    (balance,) = _sent(corridor)
    assert (balance.state, balance.round) == (BalanceState.ASKS_PERSON, MOST_ROUNDS)
    assert kinds(corridor.zm).count(events.Kind.BOOKS_ASK_PERSON) == 1


def test_while_the_way_to_the_peer_is_blocked_no_further_round_begins(corridor: Corridor):
    next_day(corridor)
    corridor.zm.wire.down = True
    for _ in range(5):
        reconcile(corridor, rounds=1)
        corridor.clock.pass_time(hours=9)
    (balance,) = _sent(corridor)
    assert (balance.state, balance.round) == (BalanceState.STATED, 1)
    corridor.zm.wire.down = False
    reconcile(corridor)
    assert_agreed(corridor)


def test_the_day_that_is_not_over_cannot_be_stated(corridor: Corridor):
    with pytest.raises(ConflictError):
        reconcile_now(corridor.zm.desk, corridor.zm.peer(), DAY)


def test_pauses_grow_to_a_day():
    assert [pause(n) for n in (1, 2, 3)] == [timedelta(minutes=m) for m in (15, 60, 240)]
    assert pause(60) == timedelta(days=1)


def test_a_balance_that_is_not_agreed_proves_nothing(corridor: Corridor):
    exchange(corridor, count=1, uses=0)
    lose_arrival(corridor.ke, message_ids(corridor.zm)[0])
    next_day(corridor)
    plan_day(corridor.zm.desk, corridor.zm.peer(), DAY)
    with corridor.zm.desk.store.read() as conn:
        (planned,) = balances.page(conn, day=DAY)
        with pytest.raises(NotFoundError):
            proof_of(corridor.zm.desk, conn, planned)
    reconcile(corridor, rounds=1)
    with corridor.zm.desk.store.read() as conn, pytest.raises(NotFoundError):
        proof_of(corridor.zm.desk, conn, _sent(corridor)[0])


def test_a_proof_counts_only_if_the_peer_signed_its_part(corridor: Corridor):
    exchange(corridor, count=1, uses=0)
    next_day(corridor)
    reconcile(corridor)
    (balance,) = _sent(corridor)
    forged = replace(balance, answer_sha256=balance.statement_sha256)
    from gateway.errors import GatewayError

    with corridor.zm.desk.store.read() as conn:
        proof = proof_of(corridor.zm.desk, conn, balance)
        assert proof.answer.status is BooksStatus.AGREED
        assert [entry.verdict for entry in proof.answer.messages] == [Verdict.ACCEPTED]
        with pytest.raises(GatewayError):
            proof_of(corridor.zm.desk, conn, forged)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"sender": "XX-SW"}, "sender"),
        ({"answers": "urn:uuid:other"}, "answers"),
        ({"status": BooksStatus.STATED}, "status"),
        ({"day": datetime(2030, 1, 1, tzinfo=UTC).date()}, "day"),
        ({"part": 4}, "part"),
        ({"messages": books_statement().messages * 2}, "messages"),
        ({"after": "urn:uuid:e"}, "messages"),
        ({"up_to": "urn:uuid:0"}, "messages"),
    ],
)
def test_a_statement_that_cannot_be_meant_is_refused_with_its_path(changes, path):
    found = findings_of(
        books_statement().model_copy(update=changes),
        sender="KE-SW",
        receiver="ZM-SW",
        refers_to=books_statement().answers,
        now=datetime(2026, 3, 10, 9, 0, tzinfo=UTC),
    )
    assert {finding.path for finding in found} == {path}
    assert found[0].message.ar


def test_a_clock_that_leapt_past_our_own_certificate_states_nothing(corridor: Corridor):
    corridor.clock.pass_time(days=365 * 30)
    assert reconcile_due(corridor.zm.desk, "w") == 0
    with corridor.zm.desk.store.read() as conn:
        assert balances.page(conn) == ()
