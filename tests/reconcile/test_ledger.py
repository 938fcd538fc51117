"""Totals: what certificates were used for is the same in both books, or mended from proof."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update

from gateway.documents import UtilisationStatus
from gateway.errors import ConflictError
from gateway.register.recovery import correct_totals, recover_response_sent
from gateway.store import Side, certificates, events, journal, utilisation
from gateway.store.tables import certificate_items, dispatches
from tests.exchange.corridor import Corridor, decide, response_of
from tests.factories import NOW
from tests.reconcile.damage import (
    assert_agreed,
    exchange,
    lose_arrival,
    message_ids,
    next_day,
    reconcile,
    serial,
    totals,
)


def _alter_total(side, register_side: Side, used: int) -> None:
    with side.desk.store.begin() as conn:
        row = certificates.find(conn, register_side, "ZM", serial(1))
        own = certificate_items.c.certificate_id == row.id
        conn.execute(update(certificate_items).where(own).values(used=Decimal(used)))


@pytest.mark.parametrize("altered", ["issuing", "importing", "both"])
def test_a_running_total_that_was_altered_is_counted_anew(corridor: Corridor, altered: str):
    exchange(corridor)
    if altered in ("issuing", "both"):
        _alter_total(corridor.zm, Side.ISSUED, 1)
    if altered in ("importing", "both"):
        _alter_total(corridor.ke, Side.RECEIVED, 11_999)
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(2000))]
    side = corridor.ke if altered == "importing" else corridor.zm
    with side.desk.store.read() as conn:
        assert journal.page(conn, action=journal.Action.UTILISATION_CORRECTED)
        told = [each.data for each in events.newest(conn, subject=serial(1))]
    used = {"issuing": "1999", "importing": "-9999", "both": "1999"}[altered]
    assert {"1": used} in [each["changed"] for each in told if each.get("reason")]


def test_correcting_right_totals_changes_nothing(corridor: Corridor):
    exchange(corridor)
    with corridor.zm.desk.store.begin() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", serial(1))
        assert not correct_totals(conn, row.id, at=corridor.clock())
        assert len(utilisation.entries(conn, row.id)) == 2


def test_a_response_that_never_arrived_is_sent_again_and_counted_once(corridor: Corridor):
    exchange(corridor)
    lose_arrival(corridor.zm, message_ids(corridor.ke)[0])
    next_day(corridor)
    reconcile(corridor)
    assert_agreed(corridor)
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(2000))]


def test_totals_of_an_earlier_day_stay_comparable_when_use_goes_on(corridor: Corridor):
    exchange(corridor)
    next_day(corridor)
    later = {"serial_number": serial(1), "reference": "later", "decided_at": NOW}
    decide(corridor.ke, UtilisationStatus.PARTIAL, "500", **later)
    reconcile(corridor)
    assert_agreed(corridor)
    assert totals(corridor.zm, Side.ISSUED)[serial(1)] == [(1, Decimal(2500))]


def test_a_response_taken_back_never_replaces_another_of_the_same_number(corridor: Corridor):
    exchange(corridor, uses=1)
    with corridor.ke.desk.store.begin() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", serial(1))
        stored = utilisation.newest(conn, row.id)
        document = response_of(_payload(corridor, stored.message_id))
        other = document.model_copy(update={"status": UtilisationStatus.FULL})
        with pytest.raises(ConflictError):
            recover_response_sent(
                conn, other, payload=b"x", message_id="urn:uuid:other", at=corridor.clock()
            )
    assert totals(corridor.ke, Side.RECEIVED)[serial(1)] == [(1, Decimal(1000))]


def _payload(corridor: Corridor, message_id: str) -> bytes:
    from gateway.store import bodies, outbox

    with corridor.ke.desk.store.read() as conn:
        return bodies.get(conn, outbox.dispatch(conn, message_id).payload_sha256)


def test_every_message_stands_in_the_outbox_once(corridor: Corridor):
    exchange(corridor)
    lose_arrival(corridor.ke, message_ids(corridor.zm)[0])
    next_day(corridor)
    reconcile(corridor)
    ids = message_ids(corridor.zm, dispatches)
    assert len(ids) == len(set(ids)) == 3
