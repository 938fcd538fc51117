"""After faults of the wire both books reconcile: the balance of the day is agreed and signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.app import worker_of
from gateway.exchange.context import Desk
from gateway.exchange.delivery import Worker, deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.reconcile import reconcile_now
from gateway.exchange.reconcile_proof import proof_of
from gateway.store import BalanceState, BooksSide, balances
from tests.battery.liar import Asked
from tests.battery.line import Trouble
from tests.battery.outcomes import assert_recovers
from tests.battery.pair import WAYS, Pair
from tests.exchange.corridor import Wire

pytestmark = pytest.mark.slow


def _desk_of_tomorrow(pair: Pair, country: str) -> Desk:
    """Return a desk of the same books for which today is over."""
    desk = pair.gateway(country).desk
    return replace(desk, clock=lambda: datetime.now(UTC) + timedelta(days=1))


def _workers(pair: Pair, desks: dict[str, Desk]) -> dict[str, Worker]:
    def reach(sender: str) -> Callable[[bytes], bytes]:
        shown = pair.stage.pki.countries[sender].tls.fingerprint
        return lambda raw: accept(desks[WAYS[sender]], raw, tls_fingerprint=shown)

    return {
        country: replace(
            worker_of(pair.gateway(country), Wire(reach(country)), name="tomorrow"),
            desk=desks[country],
        )
        for country in WAYS
    }


def _reconcile(pair: Pair, day: date) -> None:
    """Let both sides state ``day``, and both answer, as of tomorrow."""
    desks = {country: _desk_of_tomorrow(pair, country) for country in WAYS}
    workers = _workers(pair, desks)
    for country, desk in desks.items():
        reconcile_now(desk, pair.peer(country), day)
    while sum(deliver_due(worker) for worker in workers.values()):
        pass
    for country, desk in desks.items():
        with desk.store.read() as conn:
            found = balances.page(conn, peer_id=pair.peer(country).id, day=day)
            assert {balance.side for balance in found} == set(BooksSide)
            for balance in found:
                assert balance.state is BalanceState.AGREED
                assert not balance.differences
                assert proof_of(desk, conn, balance)


def _replayed(asked: Asked) -> None:
    asked.say_receipt(asked.face.replay)


def test_both_books_of_the_day_are_agreed_after_faults(pair: Pair):
    sent = []
    with pair.trouble(Trouble(answer_bytes=0)):
        sent += pair.send_both_ways(3)
        pair.until(lambda: all(pair.attempts(each) for each in sent[:2]))
    with pair.lying(_replayed):
        sent += pair.send_both_ways(2)
        pair.until(lambda: any(pair.attempts(each) for each in sent[6:]))
    assert_recovers(pair, sent)
    first = min(pair.dispatch(each).created_at for each in sent)
    for day in sorted({first.astimezone(UTC).date(), datetime.now(UTC).date()}):
        _reconcile(pair, day)
    assert_recovers(pair, sent)
