"""Trust outcomes, the wire, and what the register knows about a serial number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.agreements import Point, SignatureFacts, SpecimenMatch, WireFacts
from gateway.documents.codes import Purpose
from gateway.errors import TrustError, all_error_types
from tests.agreements.judging import bent, findings, known, register, said, text_of
from tests.factories import NOW, certificate, customs_response

TRUST_CODES = sorted(cls.code for cls in all_error_types() if issubclass(cls, TrustError))
ABOUT_THE_BYTES = {
    "ALGORITHM_NOT_ALLOWED",
    "SIGNATURE_INVALID",
    "SIGNATURE_MISSING",
    "SIGNATURE_SHAPE",
}


def wire(**changes):
    values = {
        "sender_country": "ZM",
        "receiver_country": "KE",
        "own_country": "KE",
        "signer_country": "ZM",
        "created_at": NOW,
    }
    return {"wire": WireFacts(**(values | changes))}


def signature(**changes):
    return {"signature": SignatureFacts(**changes)}


def test_V8_a_destination_that_is_not_live_needs_paper():
    assert said("V8", certificate(), Point.SEND, **wire(destination_live=False)) == [
        "warning destination_country"
    ]
    assert said("V8", certificate(), Point.SEND, **wire(destination_live=True)) == []
    assert said("V8", certificate(), Point.SEND, **wire()) == []


def test_V11_an_authority_outside_the_directory_is_refused():
    facts = signature(authority_registered=False)
    assert said("V11", certificate(), Point.RECEIPT, **facts) == ["error issuing_authority.code"]
    assert said("V11", certificate(), Point.RECEIPT, **signature(authority_registered=True)) == []
    assert said("V11", certificate(), Point.RECEIPT, **signature()) == []


def test_V12_an_officer_who_was_not_active_is_refused():
    facts = signature(officer_registered=False)
    assert said("V12", certificate(), Point.RECEIPT, **facts) == ["error certification.identifier"]
    assert "ZM-ZRA-SIG-007" in text_of("V12", certificate(), Point.RECEIPT, **facts)
    assert said("V12", certificate(), Point.RECEIPT, **signature(officer_registered=True)) == []


@pytest.mark.parametrize("code", TRUST_CODES)
def test_V13_V14_every_trust_error_is_refused_by_exactly_one_rule(code):
    facts = signature(error_code=code, signer_subject="CN=ZRA")
    rule, other = ("V14", "V13") if code in ABOUT_THE_BYTES else ("V13", "V14")
    (found,) = findings(rule, certificate(), Point.RECEIPT, **facts)
    assert found.severity == "ERROR"
    assert code in found.message.en
    assert said(other, certificate(), Point.RECEIPT, **facts) == []
    assert said(rule, customs_response(), Point.RECEIPT, **facts) == ["error"]


def test_V13_a_signer_registered_for_another_country_is_refused():
    assert said("V13", certificate(), Point.RECEIPT, **signature(signer_country="KE")) == ["error"]
    assert said("V13", certificate(), Point.RECEIPT, **signature(signer_country="ZM")) == []
    assert said("V13", customs_response(), Point.RECEIPT, **signature(signer_country="KE")) == []


def test_V15_the_exporters_signature_counts_where_the_agreement_demands_it(tmp_path):
    both = bent(tmp_path, signatures={"exporter": True, "authority": True})
    assert said("V15", certificate(), Point.RECEIPT, both, **signature()) == ["error declaration"]
    assert said("V15", certificate(), Point.RECEIPT, both, **signature(exporter_signed=True)) == []
    assert said("V15", certificate(), Point.RECEIPT, **signature()) == []


def test_V16_pictures_unlike_the_specimens_are_queried():
    facts = signature(stamp=SpecimenMatch.DIFFERENT)
    (found,) = findings("V16", certificate(), Point.USE, **facts)
    assert (found.severity, found.path, found.box, found.article) == (
        "QUERY",
        "stamp",
        "12",
        "9.1(i)",
    )
    both = signature(stamp=SpecimenMatch.EQUAL, signature=SpecimenMatch.DIFFERENT)
    assert said("V16", certificate(), Point.RECEIPT, **both) == ["query certification.image"]
    equal = signature(stamp=SpecimenMatch.EQUAL, signature=SpecimenMatch.EQUAL)
    assert said("V16", certificate(), Point.RECEIPT, **equal) == []
    assert said("V16", certificate(), Point.RECEIPT, **signature()) == []


def test_V16_an_officer_of_whom_no_specimen_is_known_warns_only():
    facts = signature(stamp=SpecimenMatch.EQUAL, signature=SpecimenMatch.UNLISTED)
    assert said("V16", certificate(), Point.RECEIPT, **facts) == ["warning certification.image"]
    assert "circulated" in text_of("V16", certificate(), Point.RECEIPT, **facts)


def test_V16_missing_pictures_warn():
    bare = certificate().certification.model_copy(update={"image": None})
    assert said("V16", certificate(stamp=None, certification=bare), Point.RECEIPT) == [
        "warning stamp",
        "warning certification.image",
    ]


def test_V83_a_message_id_used_for_other_content_is_refused():
    assert said("V83", certificate(), Point.RECEIPT, **wire(message_id_reused=True)) == ["error"]
    assert said("V83", customs_response(), Point.RECEIPT, **wire()) == []


def test_V85_a_message_for_somebody_else_is_refused():
    assert "addressed to UG" in text_of(
        "V85", certificate(), Point.RECEIPT, **wire(receiver_country="UG")
    )
    assert said("V85", certificate(), Point.RECEIPT, **wire()) == []


def test_V85_a_signer_of_another_country_than_the_sender_is_refused():
    assert "signed by MW" in text_of(
        "V85", certificate(), Point.RECEIPT, **wire(signer_country="MW")
    )
    assert said("V85", certificate(), Point.RECEIPT, **wire(signer_country=None)) == []


def test_V85_a_gateway_sends_only_its_own_countrys_documents():
    foreign = wire(sender_country="MW", signer_country="MW")
    assert said("V85", certificate(), Point.RECEIPT, **foreign) == ["error exporting_country"]
    kenyan = wire(sender_country="KE", signer_country="KE", receiver_country="ZM", own_country="ZM")
    assert said("V85", customs_response(), Point.RECEIPT, **kenyan) == []
    assert said("V85", customs_response(), Point.RECEIPT, **wire()) == [
        "error customs_authority.country"
    ]


def test_V86_a_message_older_than_ten_days_warns_unless_marked_late():
    at_limit = NOW - timedelta(days=10)
    old = at_limit - timedelta(seconds=1)
    assert said("V86", certificate(), Point.RECEIPT, **wire(created_at=at_limit)) == []
    assert said("V86", certificate(), Point.RECEIPT, **wire(created_at=old)) == ["warning"]
    assert said("V86", certificate(), Point.RECEIPT, **wire(created_at=old, marked_late=True)) == []


def test_V86_five_minutes_of_skew_are_tolerated():
    at_limit = NOW + timedelta(minutes=5)
    assert said("V86", certificate(), Point.RECEIPT, **wire(created_at=at_limit)) == []
    beyond = wire(created_at=at_limit + timedelta(seconds=1))
    assert "in the future" in text_of("V86", certificate(), Point.RECEIPT, **beyond)


OTHER = register(same_serial=known(same_content=False))


def test_V17_a_serial_number_given_before_is_refused_at_issue():
    assert said("V17", certificate(), register=OTHER) == ["error serial_number"]
    assert said("V17", certificate(), register=register(same_serial=known())) == []
    assert said("V17", certificate(), register=register()) == []


def test_V84_a_serial_number_received_with_other_content_is_refused():
    (found,) = findings("V84", certificate(), Point.RECEIPT, register=OTHER)
    assert (found.severity, found.path, found.article) == ("ERROR", "serial_number", "9.1(d)")
    assert said("V84", certificate(), Point.RECEIPT, register=register(same_serial=known())) == []


def test_V84_a_cancellation_repeats_the_serial_number_rightly():
    doc = certificate(purpose=Purpose.CANCELLATION, cancellation_reason="Shipment called off")
    assert said("V84", doc, Point.RECEIPT, register=OTHER) == []
    assert said("V17", doc, register=OTHER) == []
