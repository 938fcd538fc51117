"""A gateway restored from a backup lacks what it once acknowledged, and what it once sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from gateway.store import Side, Store
from tests.exchange.corridor import Corridor
from tests.reconcile.damage import (
    DAY,
    assert_agreed,
    balances_of,
    copied,
    exchange,
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
