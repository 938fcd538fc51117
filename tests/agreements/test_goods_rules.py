"""Goods items: numbering, tariff codes, descriptions, packages, quantities, invoices, values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.agreements import Point
from gateway.documents import CertificateKind
from gateway.documents.base import Money, Quantity
from gateway.documents.certificate_of_origin import Invoice, Packages
from gateway.documents.codes import ValueBasis
from gateway.documents.hs import HsEdition
from tests.agreements.judging import SADC, bent, findings, profile_values, said, text_of
from tests.factories import certificate, goods_item

HS = (HsEdition("2022", {"520512": "Single yarn of uncombed fibres"}),)


def with_item(**changes):
    return certificate(items=(goods_item(**changes),))


def kilograms(value):
    return Quantity(value=Decimal(value), unit="KGM")


def test_V31_a_certificate_without_goods_is_refused():
    assert said("V31", certificate(items=())) == ["error items"]


def test_V31_more_items_than_the_agreement_allows_are_refused():
    many = certificate(items=tuple(goods_item(n + 1) for n in range(101)))
    assert "101 items; 100" in text_of("V31", many, Point.RECEIPT, SADC)
    assert said("V31", many) == []


def test_V32_items_are_numbered_from_one_without_gap():
    assert said("V32", certificate(items=(goods_item(1), goods_item(3)))) == [
        "error items[1].number"
    ]
    assert said("V32", certificate(items=(goods_item(2), goods_item(1)))) == [
        "error items[0].number",
        "error items[1].number",
    ]


@pytest.mark.parametrize("code", ["52051", "5205121", "52051200001", "5205.12", "52O512"])
def test_V33_a_tariff_code_of_another_form_is_refused(code):
    (found,) = findings("V33", with_item(hs_code=code), Point.RECEIPT)
    assert (found.severity, found.path, found.box) == ("ERROR", "items[0].hs_code", "7")


@pytest.mark.parametrize("code", ["520512", "52051200", "520512001", "5205120010"])
def test_V33_six_digits_and_eight_to_ten_are_tariff_codes(code):
    assert said("V33", with_item(hs_code=code)) == []


@pytest.mark.parametrize("code", ["770100", "980100", "990000", "000100"])
def test_V34_a_chapter_that_holds_no_goods_is_refused(code):
    assert "no chapter for goods" in text_of("V34", with_item(hs_code=code), Point.RECEIPT)


@pytest.mark.parametrize("code", ["010121", "760110", "780110", "970610"])
def test_V34_the_chapters_in_use_are_accepted(code):
    assert said("V34", with_item(hs_code=code)) == []


def test_V34_an_imported_edition_must_hold_the_subheading():
    assert said("V34", certificate(), hs=HS) == []
    assert said("V34", with_item(hs_code="520599"), hs=HS) == ["error items[0].hs_code"]
    assert said("V34", with_item(hs_code="520599", hs_edition="2017"), hs=HS) == []


def test_V34_an_edition_that_the_agreement_does_not_use_is_refused():
    assert said("V34", with_item(hs_edition="2012")) == ["error items[0].hs_edition"]


def test_V35_another_edition_than_the_importers_warns(tmp_path):
    older = bent(tmp_path, members={"ZM": {}, "KE": {"hs_edition": "2017"}})
    assert said("V35", certificate(), Point.RECEIPT, older) == ["warning items[0].hs_edition"]
    assert said("V35", with_item(hs_edition="2017"), Point.RECEIPT, older) == []
    assert said("V35", certificate(), Point.RECEIPT) == []


@pytest.mark.parametrize(
    "words",
    [
        "Yarn",
        "as per attached invoice no. 12",
        "selon la facture ci-jointe",
        "البضائع حسب الفاتورة المرفقة",
    ],
)
def test_V36_a_description_that_identifies_nothing_warns(words):
    assert said("V36", with_item(description=words)) == ["warning items[0].description"]


def test_V36_a_description_that_only_repeats_the_heading_warns():
    heading = with_item(description="Single yarn, of uncombed fibres.")
    assert "tariff heading" in text_of("V36", heading, hs=HS)
    assert said("V36", certificate(), hs=HS) == []


def test_V38_items_of_two_chapters_warn_where_the_agreement_wants_one():
    two = certificate(items=(goods_item(1), goods_item(2, hs_code="610910")))
    assert said("V38", two, Point.ISSUE, SADC) == ["warning items[1].hs_code"]
    assert said("V38", two) == []
    assert (
        said(
            "V38",
            certificate(items=(goods_item(1), goods_item(2, hs_code="520811"))),
            Point.ISSUE,
            SADC,
        )
        == []
    )


@pytest.mark.parametrize("field", ["quantity", "gross_weight", "net_weight"])
def test_V51_quantities_and_masses_must_be_positive(field):
    assert said("V51", with_item(**{field: kilograms("0")})) == [f"error items[0].{field}.value"]
    assert said("V51", with_item(**{field: kilograms("-0.001")}), Point.RECEIPT) == [
        f"error items[0].{field}.value"
    ]
    assert said("V51", with_item(**{field: kilograms("0.000001")})) == []


def test_V51_the_total_mass_must_be_positive():
    assert said("V51", certificate(total_gross_weight=kilograms(0))) == [
        "error total_gross_weight.value"
    ]


def test_V51_only_goods_in_bulk_have_no_number_of_packages():
    assert said("V51", with_item(packages=Packages(kind="CT"))) == ["error items[0].packages.count"]
    assert said("V51", with_item(packages=Packages(kind="VR"))) == []
    assert said("V51", with_item(packages=Packages(kind="CT", count=0))) == []


def test_V52_a_gross_mass_below_the_net_mass_warns():
    lighter = with_item(gross_weight=kilograms("11999.999"))
    assert "less than the net" in findings("V52", lighter)[0].message.en
    tonnes = with_item(gross_weight=Quantity(value=Decimal("12.5"), unit="TNE"))
    assert said("V52", tonnes) == []


@pytest.mark.parametrize(
    ("total", "silent"),
    [("12562.814071", False), ("12562.814070", True), ("12437.810", False), ("12437.811", True)],
)
def test_V52_totals_agree_within_half_a_per_cent(total, silent):
    # 12500 kg lie 0.5 % below 12562.814070… and 0.5 % above 12437.810945…
    found = said("V52", certificate(total_gross_weight=kilograms(total)), Point.RECEIPT)
    assert (found == []) is silent


def test_V52_the_packages_add_up():
    assert said("V52", certificate(total_packages=501)) == ["warning total_packages"]
    assert said("V52", certificate(total_packages=None)) == []


def test_V52_what_has_no_mass_unit_is_not_added_up():
    assert said("V52", with_item(gross_weight=Quantity(value=Decimal(3), unit="MTQ"))) == []


def test_V53_a_certificate_without_invoice_is_refused():
    assert said("V53", with_item(invoices=())) == ["error invoices"]
    assert said(
        "V53", certificate(items=(goods_item(1), goods_item(2, invoices=()))), Point.RECEIPT
    ) == ["error items[1].invoices"]
    headed = certificate(
        items=(goods_item(invoices=()),),
        invoices=(Invoice(number="1", issued_on=date(2026, 3, 1)),),
    )
    assert said("V53", headed) == []


def test_V53_a_small_trader_without_invoice_is_only_warned():
    small = certificate(kind=CertificateKind.SIMPLIFIED, items=(goods_item(invoices=()),))
    assert said("V53", small) == ["warning invoices"]


def test_V53_an_undated_or_later_invoice_warns():
    undated = with_item(invoices=(Invoice(number="1"),))
    later = with_item(invoices=(Invoice(number="1", issued_on=date(2026, 3, 10)),))
    assert said("V53", undated) == ["warning items[0].invoices[0].issued_on"]
    assert said("V53", later) == ["warning items[0].invoices[0].issued_on"]
    assert said("V53", with_item(invoices=(Invoice(number="1", issued_on=date(2026, 3, 9)),))) == []


def test_V55_a_third_country_invoice_names_issuer_and_country():
    day = date(2026, 3, 1)
    no_name = certificate(invoices=(Invoice(number="1", issued_on=day, issuer_country="AE"),))
    no_country = certificate(
        invoices=(Invoice(number="1", issued_on=day, issuer_name="Gulf Trading"),)
    )
    both = certificate(
        invoices=(
            Invoice(number="1", issued_on=day, issuer_name="Gulf Trading", issuer_country="AE"),
        )
    )
    assert said("V55", no_name) == ["warning invoices[0].issuer_name"]
    assert said("V55", no_country) == ["warning invoices[0].issuer_country"]
    assert said("V55", both) == []


def test_V82_values_without_basis_or_below_zero_are_refused():
    assert said("V82", certificate(value_basis=None)) == ["error value_basis"]
    negative = with_item(value=Money(amount=Decimal("-0.01"), currency="USD"))
    assert said("V82", negative) == ["error items[0].value.amount"]
    assert said("V82", certificate(value_basis=ValueBasis.COST_INSURANCE_FREIGHT)) == [
        "warning value_basis"
    ]
    assert said("V82", certificate(value_basis=None, items=(goods_item(value=None),))) == []


def test_the_shipped_profile_keeps_the_tolerance_as_data():
    assert profile_values()["limits"]["mass_tolerance_percent"] == "0.5"
