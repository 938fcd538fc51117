"""Country of origin and origin criteria."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.agreements import Point
from gateway.documents import CertificateKind
from gateway.documents.certificate_of_origin import OriginalCertificate, OriginCriterion
from gateway.documents.parties import DocumentReference
from tests.agreements.judging import SADC, bent, findings, said
from tests.factories import certificate, goods_item


def with_criterion(code, percentage=None, hs_code="520512"):
    share = None if percentage is None else Decimal(percentage)
    return certificate(
        items=(goods_item(criterion=OriginCriterion(code=code, percentage=share), hs_code=hs_code),)
    )


def test_V5_two_countries_of_origin_on_one_certificate_are_refused():
    two = certificate(items=(goods_item(1), goods_item(2, country_of_origin="ZW")))
    (found,) = findings("V5", two, Point.RECEIPT)
    assert (found.severity, found.path, found.box, found.article) == (
        "ERROR",
        "items[1].country_of_origin",
        "12",
        "9.1(g)",
    )


def test_V5_an_origin_outside_the_member_states_is_refused():
    assert said("V5", certificate(items=(goods_item(country_of_origin="CN"),))) == [
        "error items[0].country_of_origin"
    ]


def test_V6_the_origin_is_the_issuing_country():
    assert said("V6", certificate(items=(goods_item(country_of_origin="ZW"),))) == [
        "error items[0].country_of_origin"
    ]


def test_V6_the_origin_of_a_reexport_is_the_first_country():
    original = OriginalCertificate(
        serial_number="EG-20260101-000001",
        issued_on=date(2026, 1, 1),
        country="EG",
        import_declaration=DocumentReference(number="ZM-1"),
    )
    doc = certificate(kind=CertificateKind.REEXPORT, original_certificate=original)
    assert said("V6", doc, Point.RECEIPT) == ["error items[0].country_of_origin"]
    assert said("V6", doc.model_copy(update={"items": (goods_item(country_of_origin="EG"),)})) == []


def test_V39_a_criterion_outside_the_agreements_list_is_refused():
    (found,) = findings("V39", with_criterion("S"))
    assert "P, M, V, X, Y" in found.message.en
    assert found.box == "8"
    assert said("V39", with_criterion("S"), Point.ISSUE, SADC) == []
    assert said("V39", certificate(), Point.RECEIPT, SADC) == ["error items[0].criterion.code"]


@pytest.mark.parametrize(
    ("share", "silent"),
    [(None, True), ("0", True), ("100.00", True), ("12", False), ("99.99", False)],
)
def test_V40_wholly_produced_goods_declare_no_imported_material(share, silent):
    assert (said("V40", with_criterion("P", share)) == []) is silent


def test_V41_wholly_produced_machines_are_doubted():
    assert said("V41", with_criterion("P", hs_code="841510")) == ["warning items[0].criterion.code"]
    assert said("V41", with_criterion("P", hs_code="841510"), Point.USE) == [
        "warning items[0].criterion.code"
    ]
    assert said("V41", with_criterion("P", hs_code="910111")) == []
    assert said("V41", with_criterion("V", "50", hs_code="841510")) == []


@pytest.mark.parametrize(
    ("share", "silent"), [("60.00", True), ("60", True), ("60.000001", False), ("0", True)]
)
def test_V42_material_content_may_reach_sixty_per_cent_exactly(share, silent):
    assert (said("V42", with_criterion("M", share)) == []) is silent


@pytest.mark.parametrize(
    ("share", "silent"), [("35.00", True), ("34.999999", False), ("34.996", False), ("100", True)]
)
def test_V43_value_added_must_reach_thirty_five_per_cent_unrounded(share, silent):
    assert (said("V43", with_criterion("V", share)) == []) is silent


@pytest.mark.parametrize(("share", "silent"), [("25.00", True), ("24.99", False)])
def test_V44_important_goods_must_reach_twenty_five_per_cent(share, silent):
    assert (said("V44", with_criterion("Y", share)) == []) is silent


def test_V44_important_goods_stand_on_the_list_where_it_is_kept(tmp_path):
    listed = bent(tmp_path, economic_importance=["5205", "310210"])
    assert said("V44", with_criterion("Y", "30"), Point.ISSUE, listed) == []
    assert said("V44", with_criterion("Y", "30", hs_code="520710"), Point.ISSUE, listed) == [
        "error items[0].hs_code"
    ]


@pytest.mark.parametrize(("rule", "code"), [("V42", "M"), ("V43", "V"), ("V44", "Y")])
def test_V42_V43_V44_a_criterion_without_its_percentage_warns(rule, code):
    assert said(rule, with_criterion(code)) == ["warning items[0].criterion.percentage"]


def test_a_criterion_without_threshold_needs_no_percentage():
    for rule in ("V40", "V42", "V43", "V44"):
        assert said(rule, with_criterion("X")) == []
