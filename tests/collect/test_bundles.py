"""Bundles: out by stick, receipts back by stick, and every mixture with the line."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from gateway.documents import UtilisationStatus, Verdict
from gateway.errors import ConflictError, NotFoundError, TimedOutError
from gateway.exchange.bundle_import import inspect_bundle
from gateway.exchange.outbound import prepare
from gateway.store import (
    BundleKind,
    DeliveryState,
    NewDispatch,
    PeerChannel,
    bodies,
    certificates,
    events,
    journal,
    outbox,
    peers,
)
from gateway.store.states import EventKind, ExchangeState
from tests.collect.bundle_files import (
    ACTOR,
    archived,
    export,
    manifest_of,
    members,
    signed_anew,
    take,
    written,
)
from tests.collect.one_way import OneWay, change_peer, entries, queue
from tests.exchange.corridor import decide
from tests.factories import certificate

S = DeliveryState


@pytest.fixture
def lines(one_way: OneWay) -> OneWay:
    """Gives two gateways that call each other, with the line down."""
    change_peer(one_way.zm, channel=PeerChannel.REST)
    change_peer(one_way.ke, collect=False)
    one_way.zm.wire.down = True
    return one_way


def _state(one_way: OneWay, message_id: str) -> DeliveryState:
    return one_way.zm.dispatch(message_id).state


def _kinds(one_way: OneWay) -> list[EventKind]:
    with one_way.zm.desk.store.read() as conn:
        return [event.kind for event in events.after(conn, 0)]


def test_envelopes_go_by_stick_and_receipts_come_back_the_same_way(lines: OneWay):
    messages = [queue(lines.zm, number) for number in range(1, 4)]
    lines.zm.work()
    file = export(lines.zm)
    taken = take(lines.ke, file)
    assert [(m.message_id, m.verdict, m.repeated, m.code) for m in taken.members] == [
        (message_id, Verdict.ACCEPTED, False, None) for message_id in messages
    ]
    back = take(lines.zm, export(lines.ke))
    assert {m.kind for m in back.members} == {BundleKind.RECEIPT}
    assert [(m.message_id, m.code) for m in back.members] == [(m, None) for m in messages]
    for message_id in messages:
        assert _state(lines, message_id) is S.DELIVERED
        with lines.zm.desk.store.read() as conn:
            (delivery,) = certificates.deliveries_of_message(conn, message_id)
        assert delivery.state is ExchangeState.RECEIVED
    assert _kinds(lines).count(EventKind.MESSAGE_DELIVERED) == 3
    with lines.zm.desk.store.read() as conn:
        assert journal.verify_chain(conn).holds


def test_members_are_the_stored_bytes_and_names_follow_from_order(lines: OneWay):
    first, second = queue(lines.zm, 1), queue(lines.zm, 2)
    file = export(lines.zm)
    content = members(file)
    assert list(content) == ["manifest.xml", "envelopes/0001.xml", "envelopes/0002.xml"]
    for message_id, raw in zip((first, second), list(content.values())[1:], strict=True):
        assert raw == _envelope(lines, message_id)
    manifest = manifest_of(file)
    assert (manifest.sender, manifest.receiver, manifest.test) == ("ZM-SW", "KE-SW", False)
    assert archived(content) == file


def _envelope(one_way: OneWay, message_id: str) -> bytes:
    sha256 = one_way.zm.dispatch(message_id).envelope_sha256
    with one_way.zm.desk.store.read() as conn:
        return bodies.get(conn, sha256)


def test_exporting_changes_no_state_and_is_noted(lines: OneWay):
    message_id = queue(lines.zm)
    before = lines.zm.dispatch(message_id)
    manifest = manifest_of(export(lines.zm))
    assert lines.zm.dispatch(message_id) == before
    note, *_ = entries(lines.zm, subject=message_id)
    assert (note.action, note.detail["bundle"]) == ("dispatch:exported", manifest.bundle_id)
    (whole,) = entries(lines.zm, action=journal.Action.BUNDLE_EXPORTED)
    assert (whole.actor, whole.detail["envelopes"], whole.detail["receipts"]) == (ACTOR, 1, 0)


def test_the_next_bundle_holds_what_the_last_one_did_not_and_all_repeats_it(lines: OneWay):
    first = queue(lines.zm, 1)
    export(lines.zm)
    with pytest.raises(NotFoundError):
        written(lines.zm)
    second = queue(lines.zm, 2)
    assert [m.message_id for m in manifest_of(export(lines.zm)).members] == [second]
    again = manifest_of(export(lines.zm, again=True))
    assert [m.message_id for m in again.members] == [first, second]


def test_a_bundle_that_was_never_noted_is_repeated_by_the_next_one(lines: OneWay):
    message_id = queue(lines.zm)
    written(lines.zm)
    assert [m.message_id for m in manifest_of(export(lines.zm)).members] == [message_id]


def test_what_does_not_fit_is_left_for_the_next_bundle(lines: OneWay):
    messages = [queue(lines.zm, number) for number in range(1, 4)]
    _, exported = written(lines.zm, max_bytes=1)
    assert (len(exported.manifest.members), exported.left) == (1, 2)
    got = [manifest_of(export(lines.zm, max_bytes=1)).members[0].message_id for _ in messages]
    assert got == messages


def test_by_bundle_and_then_by_line_is_one_message(lines: OneWay):
    message_id = queue(lines.zm)
    take(lines.ke, export(lines.zm))
    lines.zm.wire.down = False
    lines.zm.work()
    assert _state(lines, message_id) is S.DELIVERED
    (arrival,) = lines.ke.arrivals()
    assert arrival.repeats == 1
    assert _receipt(lines, message_id) == arrival.receipt
    (late,) = take(lines.zm, export(lines.ke)).members
    assert (late.repeated, late.code) == (True, None)
    assert _kinds(lines).count(EventKind.MESSAGE_DELIVERED) == 1


def _receipt(one_way: OneWay, message_id: str) -> bytes | None:
    with one_way.zm.desk.store.read() as conn:
        return outbox.receipt(conn, message_id)


def test_by_line_and_then_by_bundle_is_one_message(lines: OneWay):
    message_id = queue(lines.zm)
    file = export(lines.zm)
    lines.zm.wire.down = False
    lines.zm.work()
    (member,) = take(lines.ke, file).members
    assert (member.verdict, member.repeated) == (Verdict.ACCEPTED, True)
    (arrival,) = lines.ke.arrivals()
    assert (arrival.repeats, arrival.receipt) == (1, _receipt(lines, message_id))
    assert [m.kind for m in manifest_of(export(lines.ke)).members] == [BundleKind.RECEIPT]


@pytest.mark.parametrize("end", [S.RETRYING, S.FAILED])
def test_a_receipt_by_bundle_wins_over_a_time_out_on_the_line(lines: OneWay, end: S):
    message_id = queue(lines.zm)
    file = export(lines.zm)

    def lose(_answer: bytes) -> bytes:
        raise TimedOutError("the answer never came")

    lines.zm.wire.down, lines.zm.wire.bend = False, lose
    lines.zm.work()
    if end is S.FAILED:
        lines.pass_time(days=4)
        lines.zm.work()
    assert _state(lines, message_id) is end
    take(lines.ke, file)
    take(lines.zm, export(lines.ke))
    assert _state(lines, message_id) is S.DELIVERED


def test_importing_again_is_harmless_on_both_sides(lines: OneWay):
    message_id = queue(lines.zm)
    out = export(lines.zm)
    first, second = take(lines.ke, out), take(lines.ke, out)
    assert [m.repeated for m in (*first.members, *second.members)] == [False, True]
    back = export(lines.ke)
    (once,), (twice,) = take(lines.zm, back).members, take(lines.zm, back).members
    assert (once.repeated, twice.repeated) == (False, True)
    assert _state(lines, message_id) is S.DELIVERED
    assert len(lines.ke.arrivals()) == 1
    assert _kinds(lines).count(EventKind.MESSAGE_DELIVERED) == 1


def test_receipts_are_owed_once_and_again_when_their_envelopes_come_again(lines: OneWay):
    queue(lines.zm)
    out = export(lines.zm)
    take(lines.ke, out)
    export(lines.ke)
    with pytest.raises(NotFoundError):
        written(lines.ke)  # went out; the stick may be lost, though
    assert len(manifest_of(export(lines.ke, again=True)).members) == 1
    take(lines.ke, export(lines.zm, again=True))
    assert len(manifest_of(export(lines.ke)).members) == 1


def test_a_refused_document_is_refused_by_bundle_too(lines: OneWay):
    queue(lines.zm)
    take(lines.ke, export(lines.zm))
    again = queue_copy(lines)
    (member,) = take(lines.ke, export(lines.zm)).members
    assert (member.message_id, member.verdict, member.code) == (again, Verdict.REFUSED, None)
    take(lines.zm, export(lines.ke))
    assert _state(lines, again) is S.REFUSED
    assert EventKind.MESSAGE_REFUSED in _kinds(lines)


def queue_copy(one_way: OneWay) -> str:
    """Let Zambia send another certificate under a number that Kenya knows already."""
    zm = one_way.zm
    document = certificate()
    changed = document.model_copy(update={"remarks": "another one"})
    prepared = prepare(zm.desk, changed, zm.peer(), findings=(), now=one_way.corridor.clock())
    header = prepared.header
    with zm.desk.store.begin() as conn:
        outbox.enqueue(
            conn,
            NewDispatch(
                message_id=header.message_id,
                peer_id=zm.peer().id,
                document_type=header.document_type,
                document_number=document.serial_number,
                conversation_id=header.conversation_id,
                envelope=prepared.envelope,
                payload=prepared.payload,
                created_at=header.created_at,
            ),
        )
    return header.message_id


def test_an_envelope_that_cannot_be_taken_harms_no_other_member(lines: OneWay):
    stale = queue(lines.zm, 1)
    lines.pass_time(days=31)
    good = queue(lines.zm, 2)
    bad, taken = take(lines.ke, export(lines.zm)).members
    assert (bad.message_id, bad.code, bad.verdict) == (stale, "STALE_MESSAGE", None)
    assert (taken.message_id, taken.verdict) == (good, Verdict.ACCEPTED)
    assert [m.message_id for m in manifest_of(export(lines.ke)).members] == [good]


def test_what_an_operator_keeps_back_does_not_travel_nor_does_what_follows_it(lines: OneWay):
    held, other = queue(lines.zm, 1), queue(lines.zm, 2)
    with lines.zm.desk.store.begin() as conn:
        outbox.hold(conn, held, at=lines.corridor.clock(), actor="user:op", reason="test")
    follower = queue_follower(lines, held)
    assert [m.message_id for m in manifest_of(export(lines.zm)).members] == [other]
    for message_id in (held, follower):
        with pytest.raises(ConflictError):
            written(lines.zm, message_ids=(message_id,))


def queue_follower(one_way: OneWay, message_id: str) -> str:
    """Queue a further message of the same conversation."""
    follower = queue(one_way.zm, 9)
    conversation = one_way.zm.dispatch(message_id).conversation_id
    with one_way.zm.desk.store.begin() as conn:
        conn.exec_driver_sql(
            f"UPDATE dispatches SET conversation_id = '{conversation}' "
            f"WHERE message_id = '{follower}'"
        )
    return follower


def test_a_named_message_brings_along_what_waits_before_it(lines: OneWay):
    first, other = queue(lines.zm, 1), queue(lines.zm, 2)
    follower = queue_follower(lines, first)
    file = export(lines.zm, message_ids=(follower,))
    assert [m.message_id for m in manifest_of(file).members] == [first, follower]
    assert other not in {m.message_id for m in manifest_of(file).members}


def test_a_receipt_can_be_named_by_the_message_that_it_answers(lines: OneWay):
    lines.zm.wire.down = False
    message_id = queue(lines.zm)
    lines.zm.work()
    (member,) = manifest_of(export(lines.ke, message_ids=(message_id,))).members
    assert (member.kind, member.message_id) == (BundleKind.RECEIPT, message_id)
    with pytest.raises(NotFoundError):
        written(lines.zm, message_ids=("urn:uuid:none",))
    with pytest.raises(ConflictError):
        written(lines.zm, message_ids=(message_id,))  # delivered


def test_answers_of_customs_travel_beside_receipts(lines: OneWay):
    queue(lines.zm)
    take(lines.ke, export(lines.zm))
    decide(lines.ke, UtilisationStatus.ACCEPTED)
    file = export(lines.ke)
    assert [m.kind for m in manifest_of(file).members] == [BundleKind.RECEIPT, BundleKind.ENVELOPE]
    assert [m.code for m in take(lines.zm, file).members] == [None, None]
    assert len(lines.zm.arrivals()) == 1


def test_a_suspended_or_collecting_peer_may_be_served_by_bundle(one_way: OneWay):
    message_id = queue(one_way.zm)
    file = export(one_way.zm)
    take(one_way.ke, file)
    take(one_way.zm, export(one_way.ke))
    assert _state(one_way, message_id) is S.DELIVERED


def test_a_message_lent_to_a_collector_is_confirmed_by_bundle(one_way: OneWay):
    message_id = queue(one_way.zm)
    one_way.wire.holder.collect(None, one_way.ke.tls_fingerprint)
    assert _state(one_way, message_id) is S.SENDING
    take(one_way.ke, export(one_way.zm))
    take(one_way.zm, export(one_way.ke))
    assert _state(one_way, message_id) is S.DELIVERED


def test_a_receipt_for_a_message_that_was_never_sent_is_reported(lines: OneWay):
    queue(lines.zm)
    take(lines.ke, export(lines.zm))
    file = export(lines.ke)
    (member,) = manifest_of(file).members
    foreign = type(member)(**{**vars(member), "message_id": "urn:uuid:none"})
    bent = signed_anew(file, lines.ke.desk.gateway_credential, members=(foreign,))
    (reported,) = take(lines.zm, bent).members
    assert (reported.code, reported.verdict) == ("NOT_FOUND", None)


def test_showing_a_bundle_takes_nothing_and_says_whether_it_could_be_taken(lines: OneWay):
    queue(lines.zm)
    file = export(lines.zm)
    at_receiver = inspect_bundle(lines.ke.desk, io.BytesIO(file))
    assert (at_receiver.code, at_receiver.signer.country) == (None, "ZM")
    assert lines.ke.arrivals() == ()
    at_sender = inspect_bundle(lines.zm.desk, io.BytesIO(file))
    assert (at_sender.code, at_sender.signer.country) == ("WRONG_RECEIVER", "ZM")


def test_a_bundle_that_travelled_for_weeks_is_still_good(lines: OneWay):
    message_id = queue(lines.zm)
    file = export(lines.zm)
    lines.pass_time(days=20)
    take(lines.ke, file)
    back = export(lines.ke)
    lines.corridor.clock.now += timedelta(days=60)
    take(lines.zm, back)
    assert _state(lines, message_id) is S.DELIVERED


def test_the_line_of_a_peer_stays_parked_when_a_bundle_comes(lines: OneWay):
    queue(lines.zm)
    lines.zm.work()
    with lines.zm.desk.store.read() as conn:
        before = peers.lane(conn, lines.zm.peer().id)
    take(lines.ke, export(lines.zm))
    take(lines.zm, export(lines.ke))
    with lines.zm.desk.store.read() as conn:
        assert peers.lane(conn, lines.zm.peer().id) == before
