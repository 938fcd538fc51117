"""The straight line: a certificate crosses, is used, and its issuer knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bench.material import certificate_of
from gateway.documents import UtilisationStatus, Verdict
from gateway.envelope import MAX_ENVELOPE_BYTES
from gateway.errors import InvalidDocumentError, NoRouteError, NotFoundError, TooLargeError
from gateway.exchange.context import Desk
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import dry_run, submit_document, submit_signed
from gateway.exchange.receipts import check_receipt
from gateway.store import DeliveryState, Side, bodies, certificates, events, journal, outbox
from gateway.trust import sign
from gateway.xml.parsing import READ_BY_ALL
from tests.exchange.corridor import Corridor, decide
from tests.factories import certificate, goods_item

SERIAL = "ZM-20260309-000123"


def _send(corridor: Corridor, **changes: object) -> str:
    message_id = submit_document(corridor.zm.desk, certificate(**changes)).message_id
    corridor.zm.work()
    assert message_id is not None
    return message_id


def _used(corridor: Corridor, side: Side) -> Decimal:
    desk = corridor.zm.desk if side is Side.ISSUED else corridor.ke.desk
    with desk.store.read() as conn:
        row = certificates.find(conn, side, "ZM", SERIAL)
        assert row is not None
        return certificates.items(conn, row.id)[0].used


def test_a_certificate_is_delivered_with_a_signed_receipt_that_names_its_digest(corridor: Corridor):
    message_id = _send(corridor)
    dispatch = corridor.zm.dispatch(message_id)
    assert (dispatch.state, dispatch.verdict) == (DeliveryState.DELIVERED, Verdict.ACCEPTED)
    with corridor.zm.desk.store.read() as conn:
        receipt = outbox.receipt(conn, message_id)
        trust = corridor.zm.desk.trust_cache.of(conn, corridor.zm.peer())
    acknowledgement = check_receipt(
        corridor.zm.desk,
        receipt,
        trust,
        sender="KE-SW",
        message_id=message_id,
        sha256=dispatch.envelope_sha256,
        now=corridor.clock(),
    )
    assert acknowledgement.document_number == SERIAL


def test_what_was_sent_is_stored_byte_for_byte_at_the_importing_side(corridor: Corridor):
    message_id = _send(corridor)
    arrival = corridor.ke.arrivals()[0]
    assert arrival.envelope_sha256 == corridor.zm.dispatch(message_id).envelope_sha256
    assert arrival.payload_sha256 == corridor.zm.dispatch(message_id).payload_sha256


def test_partial_and_full_use_arrive_back_at_the_issuing_authority(corridor: Corridor):
    _send(corridor)
    for quantity, status in (("6000", UtilisationStatus.PARTIAL), ("6000", UtilisationStatus.FULL)):
        decide(corridor.ke, status, quantity)
        corridor.ke.work()
    assert _used(corridor, Side.RECEIVED) == _used(corridor, Side.ISSUED) == Decimal(12000)
    with corridor.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
        kinds = [event.kind for event in events.after(conn, 0)]
    assert row.reported_status is UtilisationStatus.FULL
    assert events.Kind.UTILISATION_CHANGED in kinds


def test_over_use_is_refused_at_the_importing_side_and_writes_nothing(corridor: Corridor):
    _send(corridor)
    decide(corridor.ke, UtilisationStatus.PARTIAL, "8000")
    with pytest.raises(InvalidDocumentError) as caught:
        decide(corridor.ke, UtilisationStatus.PARTIAL, "8000", reference="second")
    assert "V89" in {finding.rule for finding in caught.value.findings}
    assert _used(corridor, Side.RECEIVED) == Decimal(8000)


def test_the_same_decision_said_again_repeats_the_answer_and_writes_nothing_off_twice(
    corridor: Corridor,
):
    _send(corridor)
    first = decide(corridor.ke, UtilisationStatus.PARTIAL, "6000")
    again = decide(corridor.ke, UtilisationStatus.PARTIAL, "6000")
    assert again.repeated
    assert again.message_id == first.message_id
    assert _used(corridor, Side.RECEIVED) == Decimal(6000)


def test_a_response_to_a_certificate_that_never_came_is_not_found(corridor: Corridor):
    with pytest.raises(NotFoundError):
        decide(corridor.ke, UtilisationStatus.ACCEPTED)


def test_the_same_certificate_submitted_again_is_answered_as_before(corridor: Corridor):
    first = submit_document(corridor.zm.desk, certificate())
    again = submit_document(corridor.zm.desk, certificate())
    assert (again.repeated, again.message_id) == (True, first.message_id)


def test_V17_a_serial_number_given_before_stops_other_content_at_submission(corridor: Corridor):
    submit_document(corridor.zm.desk, certificate())
    with pytest.raises(InvalidDocumentError) as caught:
        submit_document(corridor.zm.desk, certificate(items=(goods_item(hs_code="520513"),)))
    assert {finding.rule for finding in caught.value.findings} & {"V17", "V84"}


def test_a_certificate_that_breaks_rules_is_answered_with_every_finding_and_stores_nothing(
    corridor: Corridor,
):
    bad = certificate(serial_number="ZM-20260101-000001", items=(goods_item(hs_code="770100"),))
    with pytest.raises(InvalidDocumentError) as caught:
        submit_document(corridor.zm.desk, bad)
    assert {"V18", "V34"} <= {finding.rule for finding in caught.value.findings}
    with corridor.zm.desk.store.read() as conn:
        assert outbox.page(conn) == ()
        assert certificates.by_serial(conn, "ZM-20260101-000001") == ()


def test_a_dry_run_answers_what_submission_would_and_stores_nothing(corridor: Corridor):
    answer = dry_run(corridor.zm.desk, certificate(items=(goods_item(hs_code="770100"),)))
    assert "V34" in {finding.rule for finding in answer.findings}
    assert answer.message_id is None
    good = dry_run(corridor.zm.desk, certificate())
    assert (good.receiver, good.findings) == ("KE-SW", ())
    with corridor.zm.desk.store.read() as conn:
        assert outbox.page(conn) == ()


def test_NO_ROUTE_a_member_state_without_gateway_cannot_be_sent_to(corridor: Corridor):
    consignee = certificate().consignee
    address = consignee.address.model_copy(update={"country": "EG"})
    document = certificate(
        destination_country="EG", consignee=consignee.model_copy(update={"address": address})
    )
    with pytest.raises(NoRouteError):
        submit_document(corridor.zm.desk, document)


def test_a_document_signed_by_the_authority_itself_is_forwarded_untouched(corridor: Corridor):
    desk = corridor.zm.desk
    raw = sign(
        desk.tables["CertificateOfOrigin"].render(certificate()),
        desk.signers["CertificateOfOrigin"],
    )
    message_id = submit_signed(desk, raw).message_id
    corridor.zm.work()
    arrival = corridor.ke.arrivals()[0]
    assert arrival.verdict is Verdict.ACCEPTED
    assert arrival.payload_sha256 == corridor.zm.dispatch(message_id).payload_sha256
    with corridor.ke.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", SERIAL)
        assert certificates.content(conn, row) == raw


def test_the_journal_of_both_sides_chains_after_a_whole_life(corridor: Corridor):
    _send(corridor)
    decide(corridor.ke, UtilisationStatus.FULL, "12000")
    corridor.ke.work()
    for side in (corridor.zm, corridor.ke):
        with side.desk.store.read() as conn:
            report = journal.verify_chain(conn)
        assert report.holds
        assert report.entries > 3


def test_responses_that_overtake_each_other_leave_the_right_total(corridor: Corridor):
    _send(corridor)
    for number, quantity in enumerate(("1000", "2000", "3000")):
        decide(corridor.ke, UtilisationStatus.PARTIAL, quantity, reference=f"r{number}")
    corridor.ke.wire.down = True
    corridor.ke.work()
    corridor.ke.wire.down = False
    corridor.clock.pass_time(minutes=30)
    while corridor.ke.work():
        corridor.clock.pass_time(minutes=1)
    assert _used(corridor, Side.ISSUED) == Decimal(6000)


def test_V58_customs_are_told_at_use_that_transit_lacks_a_through_document(corridor: Corridor):
    transport = certificate().transport.model_copy(update={"documents": ()})
    _send(corridor, transport=transport)
    granted = decide(corridor.ke, UtilisationStatus.ACCEPTED)
    assert "V58" in {finding.rule for finding in granted.findings}


def _limited(desk: Desk, most: int) -> Desk:
    """The same desk, with so many bytes to an envelope and as many goods items as one likes."""
    wider = {
        name: agreement.model_copy(
            update={"limits": agreement.limits.model_copy(update={"maximum_items": 10_000})}
        )
        for name, agreement in desk.agreements.items()
    }
    limits = replace(desk.limits, max_message_bytes=most)
    return replace(desk, agreements=wider, limits=limits)


def test_an_envelope_that_not_every_peer_could_read_is_refused_where_it_is_made(corridor: Corridor):
    desk = _limited(corridor.zm.desk, 10_000)
    with pytest.raises(TooLargeError, match="max_message_bytes is 10000"):
        submit_document(desk, certificate())
    with desk.store.read() as conn:
        assert not certificates.page(conn, Side.ISSUED)
        assert not any(outbox.backlog(conn).values())


def test_a_certificate_of_5000_items_crosses_where_the_settings_admit_it(corridor: Corridor):
    sender, receiver = (
        _limited(side.desk, MAX_ENVELOPE_BYTES) for side in (corridor.zm, corridor.ke)
    )
    document = certificate_of(5_000).model_copy(update={"serial_number": SERIAL})
    message_id = submit_document(sender, document).message_id
    with sender.store.read() as conn:
        dispatch = outbox.dispatch(conn, message_id)
        envelope = bodies.get(conn, dispatch.envelope_sha256)
    assert len(envelope) > READ_BY_ALL
    accept(receiver, envelope, tls_fingerprint=corridor.zm.pki.tls.fingerprint)
    (arrival,) = corridor.ke.arrivals()
    assert (arrival.verdict, arrival.document_number) == (Verdict.ACCEPTED, SERIAL)
