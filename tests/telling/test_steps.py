"""What is told: each step on which an issuing authority or customs acts, to whom it concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.documents import Purpose, UtilisationStatus
from gateway.documents.certificate_of_origin import ReplacedCertificate
from gateway.errors import ConflictError, InvalidDocumentError
from gateway.exchange.outbound import submit_document
from gateway.exchange.responding import respond, respond_within
from gateway.store import EventKind, outbox, peers
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, WINDOW
from tests.exchange.corridor import action
from tests.factories import ISSUED_AT, NOW, certificate
from tests.telling.test_feed import kinds

TOO_MUCH = action(UtilisationStatus.PARTIAL, "999999")
SERIAL = "ZM-20260309-000123"


@pytest.fixture
def sent(border):
    """A border over which a certificate went."""
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    return border


def newest(front, who=CUSTOMS) -> dict:
    return front.get("/events?after=0&limit=500", who).json["events"][-1]["data"]


# --- attempts ------------------------------------------------------------------------------------


def by_the_command_line(desk) -> None:
    with pytest.raises(InvalidDocumentError):
        respond(desk, TOO_MUCH)


def by_a_batch_that_goes_on(desk) -> None:
    with desk.store.begin() as conn, pytest.raises(InvalidDocumentError):
        respond_within(desk, conn, TOO_MUCH)


def by_a_shared_commit(desk) -> None:
    with pytest.raises(InvalidDocumentError):
        desk.store.together(lambda conn: respond_within(desk, conn, TOO_MUCH))


@pytest.mark.parametrize("way", [by_the_command_line, by_a_batch_that_goes_on, by_a_shared_commit])
def test_an_attempt_at_over_use_is_told_once_whichever_way_it_came(sent, way):
    way(sent.ke.desk)
    assert kinds(sent.ke, CUSTOMS).count("OVER_USE_ATTEMPTED") == 1
    told = newest(sent.ke)
    assert (told["kind"], told["drawn"]) == ("OVER_USE_ATTEMPTED", {"1": "999999"})
    assert (told["serial_number"], told["remaining"]) == (SERIAL, {"1": "12000"})
    assert sent.ke.get(f"/certificates/ZM/{SERIAL}/ledger", CUSTOMS).json["entries"] == []


def test_what_is_refused_for_another_reason_is_no_attempt_at_over_use(sent):
    unknown = TOO_MUCH.model_copy(
        update={"items": (TOO_MUCH.items[0].model_copy(update={"number": 9}),)}
    )
    with pytest.raises(InvalidDocumentError):
        respond(sent.ke.desk, unknown)
    assert "OVER_USE_ATTEMPTED" not in kinds(sent.ke, CUSTOMS)


def test_an_attempt_that_cannot_be_told_is_refused_as_what_it_is(sent, monkeypatch):
    def full(_conn) -> None:
        raise ConflictError("nothing can be written")

    monkeypatch.setattr("gateway.store.engine.chain.seal", full)
    with pytest.raises(InvalidDocumentError):
        respond(sent.ke.desk, TOO_MUCH)


# --- what a person does ----------------------------------------------------------------------------


def test_the_authority_is_told_that_its_document_is_held_and_let_go(border):
    message_id = border.zm.submit(certificate()).json["message_id"]
    by = {"at": NOW, "actor": "user:t", "reason": "not for other systems"}
    with border.zm.desk.store.begin() as conn:
        outbox.hold(conn, message_id, **by)
        outbox.release(conn, message_id, **by)
    answer = border.zm.get("/events?after=0", AUTHORITY)
    held, again = (event["data"] for event in answer.json["events"])
    assert (held["kind"], again["kind"]) == ("MESSAGE_HELD", "MESSAGE_QUEUED_AGAIN")
    assert {held["serial_number"], again["serial_number"]} == {SERIAL}
    assert "not for other systems" not in answer.get_data(as_text=True)
    assert kinds(border.zm, CUSTOMS) == []


def test_customs_is_told_that_its_decision_is_queued_again(sent):
    message_id = respond(sent.ke.desk, action(UtilisationStatus.PARTIAL, "1")).message_id
    with sent.ke.desk.store.begin() as conn:
        outbox.hold(conn, message_id, at=NOW, actor="user:t", reason="t")
    told = newest(sent.ke)
    assert (told["kind"], told["side"], told["serial_number"]) == (
        "MESSAGE_HELD",
        "RECEIVED",
        SERIAL,
    )


def test_what_cannot_be_sent_again_tells_nothing(sent):
    (message_id,) = {each.message_id for each in _sent(sent.zm)}
    before = kinds(sent.zm)
    with pytest.raises(ConflictError), sent.zm.desk.store.begin() as conn:
        outbox.resend(conn, message_id, at=NOW, actor="user:t", reason="t")
    assert kinds(sent.zm) == before


def test_everybody_is_told_that_the_exchange_with_a_peer_is_suspended_and_goes_on(border):
    with border.zm.desk.store.begin() as conn:
        (peer,) = peers.every(conn)
        for step in (peers.suspend, peers.resume):
            step(conn, peer.id, at=NOW, actor="user:t", reason="t")
    for who in (AUTHORITY, CUSTOMS, WINDOW, AUDITOR):
        assert kinds(border.zm, who) == ["PEER_SUSPENDED", "PEER_RESUMED"]


def test_a_verdict_that_is_corrected_by_its_receipt_is_told(sent):
    (message_id,) = {each.message_id for each in _sent(sent.zm)}
    with sent.zm.desk.store.begin() as conn:
        verdict = outbox.dispatch(conn, message_id).verdict
        outbox.set_verdict(conn, message_id, verdict, at=NOW)
    told = newest(sent.zm, AUTHORITY)
    assert (told["kind"], told["verdict"]) == ("MESSAGE_DELIVERED", "ACCEPTED")
    assert told["serial_number"] == SERIAL


def _sent(front):
    with front.desk.store.read() as conn:
        return outbox.page(conn)


# --- endings ---------------------------------------------------------------------------------------


def test_a_cancellation_is_told_on_both_sides_under_its_own_kind(sent):
    cancel = certificate(purpose=Purpose.CANCELLATION, cancellation_reason="Issued in error, twice")
    assert sent.zm.submit(cancel).status_code == 202
    assert newest(sent.zm, AUTHORITY)["state"] == "CANCELLING"
    sent.deliver()
    for front, who in ((sent.zm, AUTHORITY), (sent.ke, CUSTOMS)):
        told = newest(front, who)
        assert (told["kind"], told["state"]) == ("CERTIFICATE_CANCELLED", "CANCELLED")


def test_a_replacement_is_told_with_the_number_of_the_new_certificate(sent):
    new = "ZM-20260309-000777"
    replaced = ReplacedCertificate(
        serial_number=SERIAL, issued_on=ISSUED_AT.date(), reason="The exporter was misspelt"
    )
    document = certificate(serial_number=new, purpose=Purpose.REPLACEMENT, replaces=replaced)
    submit_document(sent.zm.desk, document)
    sent.deliver()
    for front, who in ((sent.zm, AUTHORITY), (sent.ke, CUSTOMS)):
        feed = front.get("/events?after=0&limit=500", who).json["events"]
        (told,) = [e["data"] for e in feed if e["data"]["kind"] == "CERTIFICATE_REPLACED"]
        assert (told["serial_number"], told["replaced_by"]) == (SERIAL, new)


def test_every_kind_of_event_is_told_by_some_step_of_the_gateway():
    """A kind that nothing tells would be a promise to national systems that is never kept."""
    root = Path(__file__).resolve().parents[2] / "gateway"
    source = "\n".join(
        path.read_text()
        for path in root.rglob("*.py")
        if path.name not in ("event_texts.py", "states.py")
    )
    silent = [kind for kind in EventKind if f"Kind.{kind.name}" not in source]
    assert silent == []
