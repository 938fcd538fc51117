"""A collector says why it cannot take a message; that decides nothing, but a person sees it."""

from __future__ import annotations

import pytest

from gateway.errors import ConflictError, NotFoundError, PeerFaultError
from gateway.exchange import collect as holder
from gateway.exchange.retry import RetryPolicy
from gateway.exchange.retry_table import RetryTable
from gateway.exchange.waiting import why_waiting
from gateway.store import DeliveryState, outbox, peers
from gateway.transport import Decline
from tests.collect.one_way import OneWay, queue

S = DeliveryState
SOON = Decline(code="REVOCATION_UNKNOWN", detail="no fresh list\x07of the CA", retryable=True)
NEVER = Decline(code="MESSAGE_ID_REUSED", detail="other bytes", retryable=False)


def lend(one_way: OneWay, limit: int | None = None) -> list[str]:
    said = holder.hand_out(one_way.zm.desk, one_way.zm.peer(), limit)
    return [each.message_id for each in said.messages]


def decline(one_way: OneWay, message_id: str, why: Decline = SOON):
    peer = one_way.zm.peer()
    return holder.decline(one_way.zm.desk, peer, message_id, why, RetryPolicy())


def test_what_was_declined_shows_its_code_and_waits_its_pause(one_way: OneWay):
    message_id = queue(one_way.zm)
    lend(one_way)
    said = decline(one_way, message_id)
    sent = one_way.zm.dispatch(message_id)
    assert (sent.state, sent.code, sent.due_at) == (S.RETRYING, SOON.code, said.waits_until)
    assert sent.detail == "REVOCATION_UNKNOWN: no fresh list of the CA"
    table = RetryTable.load()
    wait = why_waiting(sent, table)
    assert wait is not None
    assert wait.reason == table.classes["not-yet"].says
    with one_way.zm.desk.store.read() as conn:
        (attempt,) = outbox.attempts_of(conn, message_id)
    assert (attempt.worker, attempt.code) == ("peer:KE-SW", SOON.code)
    assert lend(one_way) == [], "it is not handed out before its pause is over"
    one_way.pass_time(minutes=20)
    assert lend(one_way) == [message_id]


def test_a_message_that_is_declined_keeps_no_other_waiting(one_way: OneWay):
    ids = [queue(one_way.zm, number) for number in range(1, 4)]
    for message_id in ids[:2]:
        assert lend(one_way, 1) == [message_id]
        decline(one_way, message_id)
    assert lend(one_way, 1) == ids[2:]


def test_what_only_a_person_can_mend_waits_for_one(one_way: OneWay):
    message_id = queue(one_way.zm)
    lend(one_way)
    assert decline(one_way, message_id, NEVER).waits_until is None
    assert one_way.zm.dispatch(message_id).state is S.FAILED
    with one_way.zm.desk.store.begin() as conn:
        outbox.resend(conn, message_id, at=one_way.corridor.clock(), actor="user:test", reason="x")
    assert lend(one_way) == [message_id]


def test_CONFLICT_only_what_the_peer_holds_can_be_declined(one_way: OneWay):
    message_id = queue(one_way.zm)
    with pytest.raises(ConflictError):
        decline(one_way, message_id)
    one_way.collect()
    before = one_way.zm.dispatch(message_id)
    assert before.state is S.DELIVERED
    with pytest.raises(ConflictError):
        decline(one_way, message_id, NEVER)
    assert one_way.zm.dispatch(message_id) == before


def test_NOT_FOUND_nobody_declines_a_message_of_others(one_way: OneWay):
    with pytest.raises(NotFoundError):
        decline(one_way, "urn:uuid:1")


def test_a_receipt_after_declining_decides_all_the_same(one_way: OneWay):
    message_id = queue(one_way.zm)
    lend(one_way)
    decline(one_way, message_id)
    one_way.pass_time(minutes=20)
    one_way.collect()
    assert one_way.zm.dispatch(message_id).state is S.DELIVERED


def forget_the_sender(one_way: OneWay) -> None:
    """Let Kenya know no signing certificate of Zambia any more."""
    desk, peer = one_way.ke.desk, one_way.ke.peer()
    with desk.store.begin() as conn:
        for known in peers.credentials(conn, peer.id):
            if known.role == "GATEWAY":
                peers.end_credential(
                    conn, known.id, until=desk.clock(), at=desk.clock(), actor="user:test"
                )


def test_the_collector_reports_the_fault_by_itself(one_way: OneWay):
    message_id = queue(one_way.zm)
    forget_the_sender(one_way)
    one_way.pass_time(seconds=1)
    (fetched,) = one_way.collect()
    assert fetched.verdict is None
    sent = one_way.zm.dispatch(message_id)
    assert (sent.state, sent.code) == (S.RETRYING, fetched.code)
    assert fetched.code is not None
    assert fetched.code.startswith("SIGNER_")


def test_a_holder_that_knows_no_declining_is_left_to_its_lease(one_way: OneWay):
    message_id = queue(one_way.zm)
    forget_the_sender(one_way)
    one_way.pass_time(seconds=1)

    def older(place: str) -> None:
        if place == "before decline":
            raise PeerFaultError("what?", peer_code="UNKNOWN_OPERATION", peer_retryable=False)

    one_way.wire.step = older
    (fetched,) = one_way.collect()
    assert fetched.code is not None
    assert one_way.zm.dispatch(message_id).state is S.SENDING
