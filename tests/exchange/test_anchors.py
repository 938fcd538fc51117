"""A CA that is no longer believed: refused from that moment on, what it proved stays proved."""

from __future__ import annotations

from datetime import timedelta

from gateway.errors import SignerUntrustedError
from gateway.exchange.inspection import inspect
from gateway.exchange.outbound import submit_document
from gateway.store import CredentialUse, DeliveryState, bodies, peers
from tests.exchange.corridor import Corridor
from tests.factories import certificate


def _submitted(corridor: Corridor, number: int) -> str:
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    return submit_document(corridor.zm.desk, document).message_id or ""


def _envelope(corridor: Corridor, message_id: str) -> bytes:
    with corridor.zm.desk.store.read() as conn:
        return bodies.get(conn, corridor.zm.dispatch(message_id).envelope_sha256)


def _end_anchor(corridor: Corridor) -> None:
    now = corridor.clock()
    with corridor.ke.desk.store.begin() as conn:
        zambia = peers.every(conn)[0]
        (anchor,) = peers.credentials(conn, zambia.id, use=CredentialUse.ANCHOR)
        peers.end_credential(conn, anchor.id, until=now, at=now, actor="user:test")


def test_SIGNER_UNTRUSTED_from_the_moment_at_which_an_anchor_is_ended(corridor: Corridor):
    before = _submitted(corridor, 1)
    corridor.zm.work()
    assert corridor.zm.dispatch(before).state is DeliveryState.DELIVERED
    corridor.clock.pass_time(minutes=1)
    _end_anchor(corridor)
    after = _submitted(corridor, 2)
    corridor.zm.work()
    waiting = corridor.zm.dispatch(after)
    assert (waiting.state, waiting.code) == (DeliveryState.RETRYING, SignerUntrustedError.code)
    assert len(corridor.ke.arrivals()) == 1
    proved = inspect(corridor.ke.desk, _envelope(corridor, before))
    assert proved.trusted
    assert {report.code_today for report in proved.reports} == {SignerUntrustedError.code}
    assert not inspect(corridor.ke.desk, _envelope(corridor, after)).trusted


def test_an_anchor_counts_until_the_end_that_was_set_for_it(corridor: Corridor):
    until = corridor.clock() + timedelta(hours=1)
    with corridor.ke.desk.store.begin() as conn:
        zambia = peers.every(conn)[0]
        (anchor,) = peers.credentials(conn, zambia.id, use=CredentialUse.ANCHOR)
        at = corridor.clock()
        peers.end_credential(conn, anchor.id, until=until, at=at, actor="user:test")
    in_time = _submitted(corridor, 1)
    corridor.zm.work()
    assert corridor.zm.dispatch(in_time).state is DeliveryState.DELIVERED
    corridor.clock.pass_time(hours=1)
    late = _submitted(corridor, 2)
    corridor.zm.work()
    assert corridor.zm.dispatch(late).code == SignerUntrustedError.code
