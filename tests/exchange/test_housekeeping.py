"""What the calendar does to the books."""

from __future__ import annotations

from gateway.documents import UtilisationStatus
from gateway.exchange.housekeeping import expire_certificates
from gateway.exchange.outbound import submit_document
from gateway.store import ImportState, IssueState, Side, certificates
from tests.exchange.corridor import Corridor, decide
from tests.factories import certificate

SERIAL = certificate().serial_number


def _state(side, ledger_side: Side):
    with side.desk.store.read() as conn:
        return certificates.find(conn, ledger_side, "ZM", SERIAL).state


def test_a_certificate_expires_on_both_sides_after_its_last_day(corridor: Corridor):
    submit_document(corridor.zm.desk, certificate())
    corridor.zm.work()
    corridor.clock.pass_time(days=364)
    assert expire_certificates(corridor.ke.desk, "w") == 0
    corridor.clock.pass_time(days=2)
    assert expire_certificates(corridor.ke.desk, "w") == 1
    assert expire_certificates(corridor.zm.desk, "w") == 1
    assert _state(corridor.ke, Side.RECEIVED) is ImportState.EXPIRED
    assert _state(corridor.zm, Side.ISSUED) is IssueState.EXPIRED


def test_what_is_fully_used_does_not_expire(corridor: Corridor):
    submit_document(corridor.zm.desk, certificate())
    corridor.zm.work()
    decide(corridor.ke, UtilisationStatus.FULL, "12000")
    corridor.clock.pass_time(days=400)
    assert expire_certificates(corridor.ke.desk, "w") == 0


def test_of_two_workers_one_takes_the_turn(corridor: Corridor):
    submit_document(corridor.zm.desk, certificate())
    corridor.clock.pass_time(days=400)
    assert expire_certificates(corridor.zm.desk, "first") == 1
    assert expire_certificates(corridor.zm.desk, "second") == 0


def test_nothing_expires_by_a_clock_that_leapt_past_our_own_certificate(corridor: Corridor):
    submit_document(corridor.zm.desk, certificate())
    corridor.clock.pass_time(days=365 * 30)
    assert expire_certificates(corridor.zm.desk, "w") == 0
    assert _state(corridor.zm, Side.ISSUED) is IssueState.ISSUED
