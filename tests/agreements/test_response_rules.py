"""Customs responses: what they answer, why, how much they use, and in time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway.agreements import Point
from gateway.documents import UtilisationStatus
from gateway.documents.base import Quantity
from gateway.documents.codelists import code_list
from gateway.documents.customs_response import Declaration, Reason, UtilisedItem
from tests.agreements.judging import SADC, findings, known, known_item, register, said, text_of
from tests.factories import certificate, customs_response

USE, RECEIPT = Point.USE, Point.RECEIPT
LONG = "The stamp in box 12 differs from the specimen of 2024"


def subject(**changes):
    return {"register": register(subject=known(**changes))}


def used(value, cumulative=None, number=1, unit="KGM"):
    total = Quantity(value=Decimal(cumulative or value), unit=unit)
    return UtilisedItem(
        number=number, quantity=Quantity(value=Decimal(value), unit=unit), cumulative=total
    )


def reason(code="STAMP_SPECIMEN", text=LONG):
    return Reason(code=code, text=text)


def refused(*reasons, status=UtilisationStatus.REJECTED):
    return customs_response(status=status, reasons=reasons, items=())


@pytest.mark.parametrize("point", list(Point))
def test_a_good_response_to_a_known_certificate_has_no_findings(point):
    for rule in ("V73", "V87", "V88", "V89", "V90", "V91", "V92", "V94", "V98"):
        assert said(rule, customs_response(), point, **subject()) == []


def test_V73_a_certificate_presented_after_its_validity_is_queried():
    last_day = datetime(2027, 3, 9, 23, 59, tzinfo=UTC)
    assert said("V73", certificate(), USE, now=last_day) == []
    assert said("V73", certificate(), USE, now=datetime(2027, 3, 10, tzinfo=UTC)) == [
        "query valid_until"
    ]


def test_V73_a_declaration_after_the_validity_is_queried():
    ended = subject(valid_until=date(2026, 3, 19))
    assert said("V73", customs_response(), USE, **ended) == ["query declaration.declared_on"]
    assert said("V73", customs_response(), USE, **subject(valid_until=date(2026, 3, 20))) == []


def test_V87_a_response_to_a_certificate_not_issued_here_is_refused():
    (found,) = findings("V87", customs_response(), RECEIPT, register=register())
    assert (found.severity, found.path, found.article) == (
        "ERROR",
        "certificate.serial_number",
        "11.1",
    )
    assert said("V87", customs_response(), RECEIPT) == []


def test_V87_a_response_names_the_right_day_and_comes_from_the_destination():
    assert said("V87", customs_response(), RECEIPT, **subject(issued_on=date(2026, 3, 8))) == [
        "error certificate.issued_on"
    ]
    assert said("V87", customs_response(), RECEIPT, **subject(destination_country="UG")) == [
        "error customs_authority.country"
    ]


@pytest.mark.parametrize("status", [s for s in UtilisationStatus if s.needs_reason])
def test_V88_a_refusal_without_reasons_is_refused(status):
    assert said("V88", refused(status=status), USE) == ["error reasons"]
    assert said("V88", refused(status=status), RECEIPT) == ["warning reasons"]
    assert said("V88", refused(reason(), status=status), USE) == []


def test_V88_a_reason_is_explained_in_twenty_letters():
    assert said("V88", refused(reason(text="x" * 19)), USE) == ["error reasons[0].text"]
    assert said("V88", refused(reason(text="x" * 20)), USE) == []
    assert said("V88", refused(reason(text="x" + " " * 30 + "y")), USE) == ["error reasons[0].text"]


@pytest.mark.parametrize(("total", "silent"), [("12000", True), ("12000.000001", False)])
def test_V89_no_more_is_used_than_was_certified(total, silent):
    doc = customs_response(items=(used("6000", total),), sequence_number=2)
    known_before = subject(items=(known_item(used=Decimal(6000)),), last_sequence=1)
    assert said("V89", doc, USE, **known_before) == (
        [] if silent else ["error items[0].cumulative.value"]
    )


def test_V89_what_was_reexported_is_not_left_for_use():
    doc = customs_response(items=(used("6000"),))
    assert said("V89", doc, USE, **subject(items=(known_item(reexported=Decimal(6000)),))) == []
    assert said("V89", doc, USE, **subject(items=(known_item(reexported=Decimal(6001)),))) == [
        "error items[0].cumulative.value"
    ]


@pytest.mark.parametrize(
    ("total", "silent"), [("11940", True), ("11939.999999", False), ("12000", True)]
)
def test_V89_a_full_use_leaves_no_more_than_half_a_per_cent(total, silent):
    doc = customs_response(status=UtilisationStatus.FULL, items=(used(total),))
    assert said("V89", doc, USE, **subject()) == ([] if silent else ["error status"])


def test_V89_a_full_use_covers_items_used_up_before():
    items = (known_item(number=1), known_item(number=2, used=Decimal(12000)), known_item(number=3))
    doc = customs_response(status=UtilisationStatus.FULL, items=(used("12000"),))
    (found,) = findings("V89", doc, USE, **subject(items=items))
    assert "item 3" in found.message.en


def test_V89_a_use_states_known_items_in_their_unit_with_a_sound_total():
    assert said("V89", customs_response(items=()), USE) == ["error items"]
    assert said("V89", customs_response(items=(used("10", "9"),)), USE) == [
        "error items[0].cumulative.value"
    ]
    assert said("V89", customs_response(items=(used("1", number=7),)), USE, **subject()) == [
        "error items[0].number"
    ]
    assert said("V89", customs_response(items=(used("1", unit="TNE"),)), USE, **subject()) == [
        "error items[0].quantity.unit"
    ]


def test_V89_the_issuing_side_never_refuses_the_truth():
    doc = customs_response(items=(used("99999"),))
    assert said("V89", doc, RECEIPT, **subject()) == []


def test_V90_a_single_use_agreement_refuses_partial_use():
    assert said("V90", customs_response(), USE, SADC) == ["error status"]
    whole = customs_response(status=UtilisationStatus.FULL, items=(used("12000"),))
    assert said("V90", whole, USE, SADC, **subject()) == []
    assert said("V90", customs_response(), USE) == []


def test_V90_a_single_use_agreement_refuses_a_second_use_but_not_the_same_one_again():
    whole = customs_response(
        status=UtilisationStatus.FULL, items=(used("12000"),), sequence_number=2
    )
    before = {"items": (known_item(used=Decimal(12000)),)}
    assert said("V90", whole, USE, SADC, **subject(last_sequence=1, **before)) == [
        "error certificate.serial_number"
    ]
    assert said("V90", whole, USE, SADC, **subject(last_sequence=2, **before)) == []


def test_V91_a_response_after_the_validity_warns():
    assert said("V91", customs_response(), USE, **subject(valid_until=date(2026, 3, 19))) == [
        "warning issued_at"
    ]
    assert said("V91", customs_response(), USE, **subject(valid_until=date(2026, 3, 20))) == []


def test_V92_a_use_names_its_declaration_and_office():
    assert said("V92", customs_response(declaration=None), USE) == ["error declaration"]
    authority = customs_response().customs_authority.model_copy(update={"office_code": None})
    bare = Declaration(number="1", declared_on=date(2026, 3, 20))
    assert said("V92", customs_response(declaration=bare, customs_authority=authority), USE) == [
        "error declaration.office_code"
    ]
    assert said("V92", customs_response(declaration=bare), USE) == []


def test_V92_other_decisions_without_declaration_warn():
    accepted = customs_response(status=UtilisationStatus.ACCEPTED, items=(), declaration=None)
    assert said("V92", accepted, USE) == ["warning declaration"]
    received = customs_response(status=UtilisationStatus.RECEIVED, items=(), declaration=None)
    assert said("V92", received, USE) == []


def test_V94_a_second_query_on_the_same_ground_warns():
    query = refused(reason(), status=UtilisationStatus.UNDER_QUERY)
    assert said("V94", query, USE, **subject(open_grounds=("STAMP_SPECIMEN",))) == [
        "warning reasons[0].code"
    ]
    assert said("V94", query, USE, **subject(open_grounds=("VALUE_ADDED",))) == []
    assert (
        said("V94", query, USE, **subject(open_grounds=("STAMP_SPECIMEN",), last_sequence=1)) == []
    )


def test_V98_slight_discrepancies_alone_do_not_reject():
    minor = refused(reason("MINOR_SPELLING"), reason("MINOR_WEIGHT"))
    (found,) = findings("V98", minor, USE)
    assert (found.severity, found.path, found.article) == ("QUERY", "status", "11.2(g)(ii)")
    assert said("V98", refused(reason("MINOR_SPELLING"), reason("EXPIRED")), USE) == []
    assert said("V98", refused(), USE) == []
    accepted = refused(reason("MINOR_SPELLING"), status=UtilisationStatus.ACCEPTED_MINOR)
    assert said("V98", accepted, USE) == []


def test_V98_the_minor_reasons_are_marked_in_the_code_list():
    minor = [
        entry.code
        for entry in code_list("response-reasons")
        if entry.attributes.get("minor") == "yes"
    ]
    assert len(minor) >= 5
    assert all(code.startswith("MINOR_") for code in minor)
    assert "12000" not in text_of("V88", refused(), USE)
