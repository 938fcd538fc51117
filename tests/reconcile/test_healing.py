"""Whatever was lost on either side of a day, both books agree again, by themselves."""

from __future__ import annotations

import pytest

from gateway.documents import Verdict
from gateway.exchange.reconcile_rounds import MOST_ROUNDS
from gateway.store import BalanceState, DeliveryState, journal, outbox
from gateway.store.tables import arrivals, dispatches
from tests.exchange.corridor import Corridor
from tests.reconcile.damage import (
    alter,
    assert_agreed,
    balances_of,
    every_balance,
    exchange,
    hurry,
    kinds,
    lose_arrival,
    lose_dispatch,
    lose_outcome,
    message_ids,
    next_day,
    reconcile,
)


def test_a_day_without_faults_is_agreed_in_one_round_with_counts_and_totals(corridor: Corridor):
    exchange(corridor)
    next_day(corridor)
    reconcile(corridor, rounds=1)
    assert_agreed(corridor)
    sent = {b.side.value: b for b in balances_of(corridor.ke)}["SENT"]
    assert (sent.round, sent.part, sent.parts) == (1, 1, 1)
    assert sent.counts == [
        {
            "document_type": "CustomsResponse",
            "messages": 2,
            "accepted": 2,
            "refused": 0,
            "unanswered": 0,
        }
    ]
    assert sent.totals[0]["sequence_number"] == 2
    assert sent.totals[0]["items"][0]["used"]["value"].startswith("2000")
    assert "BOOKS_AGREED" in kinds(corridor.zm)


def test_an_empty_day_is_agreed_with_no_messages(corridor: Corridor):
    next_day(corridor)
    reconcile(corridor, rounds=1)
    assert_agreed(corridor)
    assert all(balance.counts == [] for balance in every_balance(corridor))


def test_a_message_that_the_receiver_lost_is_sent_again_with_the_same_bytes(corridor: Corridor):
    exchange(corridor)
    lost = message_ids(corridor.zm)[0]
    before = corridor.zm.dispatch(lost).envelope_sha256
    lose_arrival(corridor.ke, lost)
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert corridor.zm.dispatch(lost).envelope_sha256 == before
    with corridor.zm.desk.store.read() as conn:
        actions = {entry.action for entry in journal.page(conn, subject=lost)}
    assert "dispatch:reconciled" in actions


def test_a_message_that_the_sender_lost_is_taken_back_from_the_peer(corridor: Corridor):
    exchange(corridor)
    for side in (corridor.zm, corridor.ke):
        lose_dispatch(side, message_ids(side)[0])
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)


@pytest.mark.parametrize(
    "state", [DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.REFUSED]
)
def test_a_lost_receipt_is_asked_for_again_and_wins(corridor: Corridor, state: DeliveryState):
    exchange(corridor)
    lost = message_ids(corridor.zm)[1]
    lose_outcome(corridor.zm, lost, state)
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert corridor.zm.dispatch(lost).state is DeliveryState.DELIVERED


def test_an_altered_verdict_is_set_back_to_what_the_signed_receipt_says(corridor: Corridor):
    exchange(corridor)
    first, second = message_ids(corridor.zm)[:2]
    alter(corridor.zm, dispatches, first, verdict=Verdict.REFUSED, state=DeliveryState.REFUSED)
    alter(corridor.ke, arrivals, second, verdict=Verdict.REFUSED)
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert corridor.zm.dispatch(first).state is DeliveryState.DELIVERED


def test_another_digest_alarms_both_operators_and_ends_at_a_person(corridor: Corridor):
    exchange(corridor)
    altered, other = message_ids(corridor.zm)[:2]
    foreign = corridor.zm.dispatch(other).envelope_sha256
    alter(corridor.ke, arrivals, altered, envelope_sha256=foreign)
    next_day(corridor)
    reconcile(corridor, rounds=1)
    hurry(corridor, MOST_ROUNDS)
    (sent,) = (b for b in balances_of(corridor.zm) if b.side.value == "SENT")
    assert (sent.state, dict(sent.differences)) == (BalanceState.ASKS_PERSON, {"OTHER_DIGEST": 1})
    assert sent.due_at is None
    for side in (corridor.zm, corridor.ke):
        assert kinds(side).count("BOOKS_DIFFER") == 1
        assert kinds(side).count("BOOKS_ASK_PERSON") == 1
    with corridor.zm.desk.store.read() as conn:
        assert outbox.receipt(conn, altered)
