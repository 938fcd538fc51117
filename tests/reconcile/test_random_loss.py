"""Whatever was lost at random on both sides, the books agree and nothing counts twice."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gateway.store import DeliveryState, Store
from gateway.store.tables import arrivals
from gateway.trust.demo_pki import DemoPki
from tests.exchange.corridor import Corridor, make_corridor
from tests.reconcile.damage import (
    assert_agreed,
    books,
    exchange,
    lose_arrival,
    lose_dispatch,
    lose_outcome,
    message_ids,
    next_day,
    reconcile,
    work,
    write_off,
)

_LOST_STATES = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.REFUSED)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_loss_both_books_agree_and_every_message_stands_once(
    pki: DemoPki, make_store: Callable[[], Store], seed: int
):
    chance = random.Random(seed)
    corridor = make_corridor(pki, make_store)
    exchange(corridor, count=chance.randint(1, 5), uses=chance.randint(0, 4))
    if chance.random() < 0.5:
        write_off(corridor, 1, reference="last", quantity="777.5")
        work(corridor)
    before = _everything(corridor)
    _damage(corridor, chance)
    next_day(corridor)
    reconcile(corridor, rounds=12)
    assert_agreed(corridor)
    assert _everything(corridor) == before
    corridor.close()


def _everything(corridor: Corridor) -> list[object]:
    return [books(corridor.ke, arrivals), books(corridor.zm, arrivals)]


def _damage(corridor: Corridor, chance: random.Random) -> None:
    """Lose at most one end of each message: what neither side holds, nobody can know of."""
    for sender, receiver in ((corridor.zm, corridor.ke), (corridor.ke, corridor.zm)):
        for message_id in message_ids(sender):
            losses: list[Callable[[], None]] = [
                lambda: None,
                lambda s=sender, m=message_id: lose_dispatch(s, m),
                lambda s=sender, m=message_id: lose_outcome(s, m, chance.choice(_LOST_STATES)),
                lambda r=receiver, m=message_id: lose_arrival(r, m),
                lambda s=sender, r=receiver, m=message_id: (
                    lose_arrival(r, m),
                    lose_outcome(s, m, DeliveryState.FAILED),
                ),
            ]
            chance.choice(losses)()
