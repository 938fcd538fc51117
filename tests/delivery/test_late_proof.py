"""A receipt counts, whoever brings it: a worker that lost its claim may still hold the proof."""

from __future__ import annotations

from gateway.documents import Verdict
from gateway.envelope import peek
from gateway.exchange.outbound import submit_document
from gateway.exchange.receipts import ReceivedMessage, make_receipt, sha256_of
from gateway.store import DeliveryState, bodies, certificates, events, journal
from gateway.store.states import EventKind, ExchangeState
from gateway.xml.parsing import parse
from tests.exchange.corridor import Corridor
from tests.factories import certificate


def freeze_while_another_works(corridor: Corridor, *, line_down: bool, said: bytes | None = None):
    """Let the next attempt hold its answer (or ``said``) back until another worker has tried."""
    wire = corridor.zm.wire

    def late(answer: bytes) -> bytes:
        wire.bend = lambda other: other
        wire.down = line_down
        corridor.clock.pass_time(minutes=10)
        corridor.zm.work()
        return said or answer

    wire.bend = late


def entries(corridor: Corridor, message_id: str, action: journal.Action):
    with corridor.zm.desk.store.read() as conn:
        return journal.page(conn, subject=message_id, action=action)


def queue(corridor: Corridor) -> str:
    return submit_document(corridor.zm.desk, certificate()).message_id or ""


def test_a_late_receipt_decides_although_another_worker_failed_meanwhile(corridor: Corridor):
    message_id = queue(corridor)
    freeze_while_another_works(corridor, line_down=True)
    corridor.zm.work()
    sent = corridor.zm.dispatch(message_id)
    assert (sent.state, sent.verdict, sent.fence) == (
        DeliveryState.DELIVERED,
        Verdict.ACCEPTED,
        2,
    )
    (proved,) = entries(corridor, message_id, journal.Action.DISPATCH_PROVED)
    assert proved.actor == f"worker:{corridor.zm.worker.name}"
    assert proved.detail["from"] == "RETRYING"
    with corridor.zm.desk.store.read() as conn:
        (delivery,) = certificates.deliveries_of_message(conn, message_id)
        assert sent.receipt_sha256 is not None
        assert bodies.get(conn, sent.receipt_sha256) == corridor.ke.arrivals()[0].receipt
    assert delivery.state is ExchangeState.RECEIVED


def test_the_same_receipt_brought_late_changes_nothing(corridor: Corridor):
    message_id = queue(corridor)
    freeze_while_another_works(corridor, line_down=False)
    corridor.zm.work()
    assert corridor.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    assert entries(corridor, message_id, journal.Action.DISPATCH_PROVED) == ()


def test_a_late_receipt_that_contradicts_is_kept_and_alarms(corridor: Corridor):
    message_id = queue(corridor)
    with corridor.zm.desk.store.read() as conn:
        envelope = bodies.get(conn, corridor.zm.dispatch(message_id).envelope_sha256)
    message = ReceivedMessage(
        header=peek(parse(envelope)), sha256=sha256_of(envelope), received_at=corridor.clock()
    )
    other = make_receipt(corridor.ke.desk, message, verdict=Verdict.REFUSED, code="RULES_BROKEN")
    freeze_while_another_works(corridor, line_down=False, said=other)
    corridor.zm.work()
    sent = corridor.zm.dispatch(message_id)
    assert (sent.state, sent.verdict) == (DeliveryState.DELIVERED, Verdict.ACCEPTED)
    (kept,) = entries(corridor, message_id, journal.Action.DISPATCH_CONTRADICTED)
    with corridor.zm.desk.store.read() as conn:
        assert bodies.get(conn, kept.detail["receipt_sha256"]) == other
        alarms = [one for one in events.after(conn, 0) if one.kind is EventKind.CONTRADICTION]
    assert [one.subject for one in alarms] == [message_id]
