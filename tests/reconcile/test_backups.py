"""A gateway restored from a backup lacks what it once acknowledged, and what it once sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from gateway.documents import Verdict
from gateway.exchange.reconcile import reconcile_due
from gateway.store import Side, Store, events, journal
from gateway.store.tables import arrivals
from tests.exchange.corridor import Corridor
from tests.reconcile.damage import (
    DAY,
    assert_agreed,
    balances_of,
    books,
    copied,
    exchange,
    message_ids,
    next_day,
    reconcile,
    serial,
    swap_store,
    totals,
    work,
    write_off,
)


@pytest.mark.parametrize("country", ["ke", "zm"])
def test_a_side_restored_from_before_the_day_gets_everything_back(
    corridor: Corridor, make_store: Callable[[], Store], country: str
):
    restored = getattr(corridor, country)
    backup = copied(restored.desk.store, make_store())
    exchange(corridor)
    next_day(corridor)
    swap_store(restored, backup)
    reconcile(corridor)
    assert_agreed(corridor)
    assert totals(corridor.ke, Side.RECEIVED)[serial(1)] == [(1, Decimal(2000))]
    write_off(corridor, 1, reference="after", quantity="10000")
    work(corridor)
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(12000))]


def test_responses_that_come_back_before_their_certificate_wait_and_are_not_refused(
    corridor: Corridor, make_store: Callable[[], Store]
):
    backup = copied(corridor.zm.desk.store, make_store())
    exchange(corridor, count=1, uses=2)
    next_day(corridor)
    swap_store(corridor.zm, backup)
    reconcile_due(corridor.ke.desk, "worker")
    work(corridor)
    waiting = [corridor.ke.dispatch(message_id) for message_id in message_ids(corridor.ke)]
    assert {dispatch.code for dispatch in waiting} >= {"CERTIFICATE_AWAITED"}
    reconcile(corridor)
    assert_agreed(corridor)
    assert {verdict for _, _, verdict in books(corridor.zm, arrivals)} == {Verdict.ACCEPTED}
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(2000))]


def test_a_day_that_was_agreed_before_the_restoration_is_stated_again_by_both(
    corridor: Corridor, make_store: Callable[[], Store]
):
    restored = corridor.ke
    backup = copied(restored.desk.store, make_store())
    exchange(corridor, count=1, uses=1)
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    swap_store(restored, backup)
    corridor.clock.pass_time(hours=1)
    reconcile(corridor, rounds=12)
    assert_agreed(corridor)
    rounds = {balance.side.value: balance.round for balance in balances_of(corridor.zm, DAY)}
    assert rounds["SENT"] >= 2


def test_a_side_restored_to_the_middle_of_the_day_gets_the_rest_back(
    corridor: Corridor, make_store: Callable[[], Store]
):
    exchange(corridor, count=1, uses=1)
    backup = copied(corridor.ke.desk.store, make_store())
    write_off(corridor, 1, reference="lost", quantity="2500")
    work(corridor)
    swap_store(corridor.ke, backup)
    assert totals(corridor.ke, Side.RECEIVED)[serial(1)] == [(1, Decimal(1000))]
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert totals(corridor.ke, Side.RECEIVED)[serial(1)] == [(1, Decimal(3500))]
    with corridor.ke.desk.store.read() as conn:
        told = [each for each in events.newest(conn) if each.kind == "RESPONSE_RECOVERED"]
    assert [(each.subject, each.data["sequence"]) for each in told] == [(serial(1), 2)]


def test_a_decision_that_customs_repeats_after_its_recovery_uses_nothing_twice(
    corridor: Corridor, make_store: Callable[[], Store]
):
    exchange(corridor, count=1, uses=0)
    backup = copied(corridor.ke.desk.store, make_store())
    write_off(corridor, 1, reference="lost", quantity="2500")
    work(corridor)
    swap_store(corridor.ke, backup)
    next_day(corridor)
    reconcile(corridor)
    for _ in range(2):
        write_off(corridor, 1, reference="lost", quantity="2500")
    work(corridor)
    assert totals(corridor.ke, Side.RECEIVED)[serial(1)] == [(1, Decimal(2500))]
    write_off(corridor, 1, reference="another", quantity="100")
    work(corridor)
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(2600))]


def test_a_new_response_to_a_certificate_that_a_restored_issuer_lacks_waits_for_it(
    corridor: Corridor, make_store: Callable[[], Store]
):
    backup = copied(corridor.zm.desk.store, make_store())
    exchange(corridor, count=1, uses=0)
    swap_store(corridor.zm, backup)
    with corridor.zm.desk.store.begin() as conn:
        action = journal.Action.BACKUP_RESTORED
        journal.append(conn, at=corridor.clock(), action=action, subject="backup", detail={})
    write_off(corridor, 1, reference="new")
    corridor.ke.work()
    (message_id,) = message_ids(corridor.ke)
    assert corridor.ke.dispatch(message_id).code == "CERTIFICATE_AWAITED"
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert corridor.ke.dispatch(message_id).verdict is Verdict.ACCEPTED
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(1000))]
