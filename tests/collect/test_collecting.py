"""Collect mode in memory: lent, confirmed, never twice, never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509

from gateway.documents import UtilisationStatus, Verdict
from gateway.envelope import peek
from gateway.errors import (
    ClientCertificateError,
    ConflictError,
    NotFoundError,
    PeerSuspendedError,
    ReceiptError,
    SenderMismatchError,
    TimedOutError,
)
from gateway.exchange import collect as holder
from gateway.exchange.answers import PeerEntrance
from gateway.exchange.fetching import collect_due, collect_from
from gateway.exchange.inbound import Carrier, accept, accept_from
from gateway.exchange.peering import PeerTerms, own_card, profile_of
from gateway.exchange.proof import record_proof
from gateway.exchange.receipts import ReceivedMessage, make_receipt, sha256_of
from gateway.store import (
    DeliveryState,
    PeerChannel,
    Store,
    bodies,
    certificates,
    events,
    journal,
    outbox,
    peers,
    tasks,
)
from gateway.store.states import CredentialUse, EventKind, ExchangeState
from gateway.store.verdicts import Standing
from gateway.transport import Collected
from gateway.trust import sign
from gateway.xml.parsing import parse, serialize
from tests.collect.one_way import OneWay, change_peer, entries, queue
from tests.exchange.corridor import decide
from tests.store.helpers import add_peer


def _lend(one_way: OneWay, limit: int | None = None) -> Collected:
    return holder.hand_out(one_way.zm.desk, one_way.zm.peer(), limit)


def _attempts(one_way: OneWay, message_id: str):
    with one_way.zm.desk.store.read() as conn:
        return outbox.attempts_of(conn, message_id)


def _receipt(one_way: OneWay, envelope: bytes) -> bytes:
    return accept_from(one_way.ke.desk, envelope, Carrier(peer=one_way.ke.peer()))


def test_what_waits_is_fetched_accepted_and_confirmed(one_way: OneWay):
    messages = [queue(one_way.zm, number) for number in range(1, 4)]
    fetched = one_way.collect()
    assert [each.message_id for each in fetched] == messages
    assert {(each.verdict, each.code) for each in fetched} == {(Verdict.ACCEPTED, None)}
    for message_id in messages:
        sent = one_way.zm.dispatch(message_id)
        assert (sent.state, sent.verdict) == (DeliveryState.DELIVERED, Verdict.ACCEPTED)
        (attempt,) = _attempts(one_way, message_id)
        assert (attempt.worker, attempt.code) == ("peer:KE-SW", "DELIVERED")
        with one_way.zm.desk.store.read() as conn:
            (delivery,) = certificates.deliveries_of_message(conn, message_id)
            assert outbox.receipt(conn, message_id) in one_way.wire.receipts
        assert delivery.state is ExchangeState.RECEIVED
    assert one_way.collect() == ()
    with one_way.zm.desk.store.read() as conn:
        assert peers.lane(conn, one_way.zm.peer().id).last_success_at is not None
        kinds = [event.kind for event in events.after(conn, 0)]
        assert kinds.count(EventKind.MESSAGE_DELIVERED) == 3
        assert journal.verify_chain(conn).holds


def test_a_worker_never_calls_a_peer_that_collects(one_way: OneWay):
    message_id = queue(one_way.zm)
    assert one_way.zm.work() == 0
    assert one_way.zm.dispatch(message_id).state is DeliveryState.QUEUED
    assert one_way.zm.wire.sent == []


def test_the_answer_of_customs_goes_the_usual_way_from_the_side_that_calls(one_way: OneWay):
    queue(one_way.zm)
    one_way.collect()
    decide(one_way.ke, UtilisationStatus.ACCEPTED)
    assert one_way.ke.work() == 1
    assert len(one_way.zm.arrivals()) == 1


def test_what_is_lent_is_lent_to_nobody_else_until_its_lease_ends(one_way: OneWay):
    message_id = queue(one_way.zm)
    (lent,) = _lend(one_way).messages
    assert lent.lease_until == one_way.corridor.clock() + holder.LEASE
    assert _lend(one_way).messages == ()
    one_way.pass_time(minutes=5)
    (again,) = _lend(one_way).messages
    assert (again.message_id, again.envelope) == (message_id, lent.envelope)
    codes = [attempt.code for attempt in _attempts(one_way, message_id)]
    assert codes == ["LEASE_LOST", None]


def test_two_collections_at_a_time_share_nothing(one_way: OneWay):
    messages = {queue(one_way.zm, number) for number in range(1, 13)}
    with ThreadPoolExecutor(4) as threads:
        lent = list(threads.map(lambda _: _lend(one_way, 5).messages, range(4)))
    ids = [each.message_id for batch in lent for each in batch]
    assert sorted(ids) == sorted(messages)


def test_the_oldest_come_first_and_a_conversation_keeps_its_order(one_way: OneWay):
    first, other = queue(one_way.zm, 1), queue(one_way.zm, 2)
    with one_way.zm.desk.store.begin() as conn:  # a second message of the first conversation
        row = outbox.dispatch(conn, first)
        conn.exec_driver_sql(
            f"UPDATE dispatches SET conversation_id = '{row.conversation_id}' "
            f"WHERE message_id = '{other}'"
        )
    third = queue(one_way.zm, 3)
    assert [each.message_id for each in _lend(one_way).messages] == [first, third]
    assert _lend(one_way).messages == ()
    with one_way.zm.desk.store.read() as conn:
        envelope = _envelope(conn, first)
    holder.confirm(one_way.zm.desk, one_way.zm.peer(), first, _receipt(one_way, envelope))
    assert [each.message_id for each in _lend(one_way).messages] == [other]


def _envelope(conn, message_id: str) -> bytes:
    return bodies.get(conn, outbox.dispatch(conn, message_id).envelope_sha256)


def test_an_answer_is_bounded_by_count_and_bytes(one_way: OneWay, monkeypatch):
    for number in range(1, 6):
        queue(one_way.zm, number)
    assert len(_lend(one_way, 2).messages) == 2
    monkeypatch.setattr(holder, "MOST_BYTES", 1)
    assert len(_lend(one_way).messages) == 1
    monkeypatch.setattr(holder, "HIGHEST_LIMIT", 1)
    monkeypatch.setattr(holder, "MOST_BYTES", 10**9)
    assert len(_lend(one_way, 50).messages) == 1


def test_a_receipt_after_the_lease_counts_and_so_does_one_that_came_twice(one_way: OneWay):
    message_id = queue(one_way.zm)
    (lent,) = _lend(one_way).messages
    receipt = _receipt(one_way, lent.envelope)
    one_way.pass_time(hours=2)
    zm, peer = one_way.zm.desk, one_way.zm.peer()
    _lend(one_way)
    for _ in range(2):
        assert holder.confirm(zm, peer, message_id, receipt).verdict is Verdict.ACCEPTED
    assert one_way.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    with zm.store.read() as conn:
        kinds = [event.kind for event in events.after(conn, 0)]
    assert kinds.count(EventKind.MESSAGE_DELIVERED) == 1


@pytest.mark.parametrize("spoil", ["altered", "foreign", "of another message", "not xml"])
def test_RECEIPT_INVALID_a_receipt_that_proves_nothing_is_a_fault_and_changes_nothing(
    one_way: OneWay, spoil: str
):
    other, message_id = queue(one_way.zm, 1), queue(one_way.zm, 2)
    first, second = _lend(one_way).messages
    genuine = _receipt(one_way, second.envelope)
    bad = {
        "altered": genuine.replace(b"ZM-SW", b"ZW-SW", 1),
        "foreign": sign(_unsigned(genuine), one_way.zm.desk.gateway_credential),
        "of another message": _receipt(one_way, first.envelope),
        "not xml": b"OK",
    }[spoil]
    before = one_way.zm.dispatch(message_id)
    entrance = PeerEntrance(one_way.zm.desk)
    with pytest.raises(ReceiptError):
        entrance.confirm(message_id, bad, one_way.ke.tls_fingerprint)
    assert one_way.zm.dispatch(message_id) == before
    assert one_way.zm.dispatch(other).state is DeliveryState.SENDING
    assert entrance.confirm(message_id, genuine, one_way.ke.tls_fingerprint)


def _unsigned(signed: bytes) -> bytes:
    root = parse(signed)
    root.remove(root[-1])
    return serialize(root)


def test_NOT_FOUND_a_message_that_was_not_sent_to_the_caller_cannot_be_confirmed(
    one_way: OneWay,
):
    queue(one_way.zm)
    with pytest.raises(NotFoundError):
        PeerEntrance(one_way.zm.desk).confirm("urn:uuid:1", b"x", one_way.ke.tls_fingerprint)


def test_nobody_collects_without_a_registered_tls_certificate(one_way: OneWay):
    entrance = PeerEntrance(one_way.zm.desk)
    for fingerprint in (None, "0" * 64):
        with pytest.raises(ClientCertificateError):
            entrance.collect(None, fingerprint)
        with pytest.raises(ClientCertificateError):
            entrance.confirm("urn:uuid:1", b"x", fingerprint)
    with pytest.raises(ClientCertificateError):
        accept(one_way.zm.desk, b"<x/>", tls_fingerprint=None)


def test_PEER_SUSPENDED_a_suspended_peer_neither_collects_nor_confirms(one_way: OneWay):
    message_id = queue(one_way.zm)
    with one_way.zm.desk.store.begin() as conn:
        peers.suspend(conn, one_way.zm.peer().id, at=one_way.corridor.clock(), actor="u", reason="")
    entrance = PeerEntrance(one_way.zm.desk)
    with pytest.raises(PeerSuspendedError):
        entrance.collect(None, one_way.ke.tls_fingerprint)
    with pytest.raises(PeerSuspendedError):
        entrance.confirm(message_id, b"x", one_way.ke.tls_fingerprint)


def test_nothing_is_handed_out_before_the_peer_is_live(one_way: OneWay):
    queue(one_way.zm)
    change_peer(one_way.zm, live_from=one_way.corridor.clock() + timedelta(days=1))
    assert _lend(one_way).messages == ()
    one_way.pass_time(days=1)
    assert len(_lend(one_way).messages) == 1


def test_a_held_message_is_kept_back_and_a_failed_one_waits_for_a_person(one_way: OneWay):
    held = queue(one_way.zm, 1)
    who = {"at": one_way.corridor.clock(), "actor": "user:op", "reason": "test"}
    with one_way.zm.desk.store.begin() as conn:
        outbox.hold(conn, held, **who)
    assert _lend(one_way).messages == ()
    with one_way.zm.desk.store.begin() as conn:
        outbox.release(conn, held, **who)
    assert len(_lend(one_way).messages) == 1


def test_a_peer_that_is_called_may_collect_too_without_waiting_for_a_retry(one_way: OneWay):
    change_peer(one_way.zm, channel=PeerChannel.REST)
    message_id = queue(one_way.zm)
    one_way.zm.wire.down = True
    one_way.zm.work()
    assert one_way.zm.dispatch(message_id).state is DeliveryState.RETRYING
    assert [each.message_id for each in one_way.collect()] == [message_id]
    assert one_way.zm.dispatch(message_id).state is DeliveryState.DELIVERED


def test_bytes_that_were_changed_in_the_database_are_not_handed_out_and_stop_nobody(
    one_way: OneWay,
):
    broken, good = queue(one_way.zm, 1), queue(one_way.zm, 2)
    _damage(one_way.zm.desk.store, one_way.zm.dispatch(broken).envelope_sha256)
    assert [each.message_id for each in _lend(one_way).messages] == [good]
    assert one_way.zm.dispatch(broken).state is DeliveryState.FAILED


def _damage(store: Store, sha256: str) -> None:
    """Change stored bytes behind the guard's back."""
    postgresql = store.dialect == "postgresql"
    off, on, content = (
        (
            "ALTER TABLE bodies DISABLE TRIGGER bodies_no_update",
            "ALTER TABLE bodies ENABLE TRIGGER bodies_no_update",
            "decode('3132', 'hex')",
        )
        if postgresql
        else ("DROP TRIGGER bodies_no_update", "SELECT 1", "x'3132'")
    )
    with store.begin() as conn:
        conn.exec_driver_sql(off)
        conn.exec_driver_sql(f"UPDATE bodies SET content = {content} WHERE sha256 = '{sha256}'")
        conn.exec_driver_sql(on)


# --- the collecting side ----------------------------------------------------------------------


def test_a_lost_confirmation_is_healed_by_the_same_receipt(one_way: OneWay):
    message_id = queue(one_way.zm)
    one_way.wire.lost = 1
    with pytest.raises(TimedOutError):
        one_way.collect()
    one_way.pass_time(minutes=6)
    one_way.collect()
    assert one_way.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    assert len(set(one_way.wire.receipts)) == 1
    assert len(one_way.ke.arrivals()) == 1


def test_an_envelope_that_cannot_be_taken_harms_no_other_and_is_not_confirmed(one_way: OneWay):
    bad = queue(one_way.zm, 1)
    one_way.pass_time(days=31)  # it is stale now
    good = queue(one_way.zm, 2)
    refused, taken = one_way.collect()
    assert (refused.message_id, refused.code, refused.verdict) == (bad, "STALE_MESSAGE", None)
    assert (taken.message_id, taken.code) == (good, None)
    left = one_way.zm.dispatch(bad)
    assert (left.state, left.code) == (DeliveryState.RETRYING, "STALE_MESSAGE")
    assert one_way.zm.dispatch(good).state is DeliveryState.DELIVERED


def test_a_holder_that_hands_out_the_same_for_ever_does_not_keep_us(one_way: OneWay, monkeypatch):
    queue(one_way.zm)
    lent = _lend(one_way)
    monkeypatch.setattr(one_way.wire, "collect", lambda *_: lent)
    assert len(one_way.collect()) == 1


def test_SENDER_MISMATCH_a_peer_hands_out_its_own_messages_only(one_way: OneWay):
    queue(one_way.zm)
    (lent,) = _lend(one_way).messages
    other = add_peer(one_way.ke.desk.store, "SD-SW")
    with pytest.raises(SenderMismatchError):
        accept_from(one_way.ke.desk, lent.envelope, Carrier(peer=other))


def test_each_peer_has_one_turn_per_period_over_all_workers(one_way: OneWay):
    queue(one_way.zm, 1)
    assert collect_due(one_way.collector) == 1
    queue(one_way.zm, 2)
    assert collect_due(one_way.collector) == 0
    one_way.pass_time(minutes=1)
    assert collect_due(one_way.collector) == 1
    change_peer(one_way.ke, collect=False)
    one_way.pass_time(minutes=1)
    queue(one_way.zm, 3)
    assert collect_due(one_way.collector) == 0


def test_a_peer_that_cannot_be_reached_is_noted_and_tried_next_time(one_way: OneWay, monkeypatch):
    def away(*_: object) -> Collected:
        raise TimedOutError("nobody answers")

    monkeypatch.setattr(one_way.wire, "collect", away)
    assert collect_due(one_way.collector) == 0
    with one_way.ke.desk.store.read() as conn:
        (task,) = [each for each in tasks.every(conn) if each.name.startswith("collect")]
    assert task.last_error == "TIMED_OUT"


def test_CONFLICT_a_peer_that_cannot_be_called_cannot_be_collected_from(one_way: OneWay):
    peer = change_peer(one_way.ke, channel=PeerChannel.COLLECT)
    with pytest.raises(ConflictError):
        collect_from(one_way.collector, peer)
    card = own_card(one_way.zm.desk, public_url="https://x.example", tls=_tls(one_way))
    with pytest.raises(ConflictError):
        profile_of(card, PeerTerms(channel=PeerChannel.COLLECT, collect=True))


def _tls(one_way: OneWay):
    with one_way.ke.desk.store.read() as conn:
        rows = peers.credentials(conn, one_way.ke.peer().id, use=CredentialUse.TLS)
    return [x509.load_pem_x509_certificate(rows[0].pem.encode())]


# --- verdicts without a claim ------------------------------------------------------------------


@pytest.mark.parametrize("end", [DeliveryState.RETRYING, DeliveryState.FAILED])
def test_a_late_receipt_wins_over_a_time_out(one_way: OneWay, end: DeliveryState):
    change_peer(one_way.zm, channel=PeerChannel.REST)
    message_id = queue(one_way.zm)

    def lose(_answer: bytes) -> bytes:
        raise TimedOutError("the answer never came")

    one_way.zm.wire.bend = lose
    one_way.zm.work()
    if end is DeliveryState.FAILED:
        one_way.pass_time(days=4)
        one_way.zm.work()
    assert one_way.zm.dispatch(message_id).state is end
    (arrival,) = one_way.ke.arrivals()
    verdict, standing = record_proof(
        one_way.zm.desk, one_way.zm.peer(), message_id, arrival.receipt, actor="user:test"
    )
    assert (verdict, standing) == (Verdict.ACCEPTED, Standing.DECIDES)
    sent = one_way.zm.dispatch(message_id)
    assert (sent.state, sent.due_at) == (DeliveryState.DELIVERED, None)
    with one_way.zm.desk.store.read() as conn:
        (delivery,) = certificates.deliveries_of_message(conn, message_id)
    assert delivery.state is ExchangeState.RECEIVED
    newest, *_ = entries(one_way.zm, subject=message_id)
    assert newest.action == "dispatch:proved"


def test_contradicting_verdicts_are_both_kept_the_first_decides_and_an_alarm_is_raised(
    one_way: OneWay,
):
    message_id = queue(one_way.zm)
    (lent,) = _lend(one_way).messages
    one_way.pass_time(minutes=6)
    one_way.collect()
    message = ReceivedMessage(
        header=peek(parse(lent.envelope)),
        sha256=sha256_of(lent.envelope),
        received_at=one_way.corridor.clock(),
    )
    other = make_receipt(one_way.ke.desk, message, verdict=Verdict.REFUSED, code="RULES_BROKEN")
    for _ in range(2):
        assert record_proof(
            one_way.zm.desk, one_way.zm.peer(), message_id, other, actor="user:test"
        ) == (Verdict.ACCEPTED, Standing.CONTRADICTS)
    assert one_way.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    (note,) = entries(one_way.zm, action=journal.Action.DISPATCH_CONTRADICTED)
    with one_way.zm.desk.store.read() as conn:
        assert bodies.get(conn, note.detail["receipt_sha256"]) == other
        alarms = [e for e in events.after(conn, 0) if e.kind is EventKind.CONTRADICTION]
    assert [alarm.subject for alarm in alarms] == [message_id]


def test_a_receipt_that_comes_by_another_way_ends_the_running_attempt(one_way: OneWay):
    change_peer(one_way.zm, channel=PeerChannel.REST)
    message_id = queue(one_way.zm)
    taken: list[bytes] = []

    def meanwhile(answer: bytes) -> bytes:
        taken.append(answer)
        record_proof(one_way.zm.desk, one_way.zm.peer(), message_id, answer, actor="user:test")
        return answer

    one_way.zm.wire.bend = meanwhile
    one_way.zm.work()
    assert one_way.zm.dispatch(message_id).state is DeliveryState.DELIVERED
    (attempt,) = _attempts(one_way, message_id)
    assert attempt.ended_at is not None
    with one_way.zm.desk.store.read() as conn:
        kinds = [event.kind for event in events.after(conn, 0)]
    assert kinds.count(EventKind.MESSAGE_DELIVERED) == 1
