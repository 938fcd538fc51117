"""Exporter, consignee, and the copy of the exporter registry."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.agreements import Point, RegistryFacts
from gateway.documents import CertificateKind
from tests.agreements.judging import SADC, said, text_of
from tests.factories import certificate


def with_exporter(**changes):
    return certificate(exporter=certificate().exporter.model_copy(update=changes))


def with_consignee(**changes):
    return certificate(consignee=certificate().consignee.model_copy(update=changes))


@pytest.mark.parametrize(
    "number", ["COM-ZM00001", "COM-ZM0000012", "COMZM000001", "com-ZM000001", "COM-ZM00000١"]
)
def test_V20_a_registration_number_of_another_form_is_refused(number):
    assert said("V20", with_exporter(registration_number=number)) == [
        "error exporter.registration_number"
    ]


def test_V20_a_missing_registration_number_is_refused_except_for_small_traders():
    bare = with_exporter(registration_number=None)
    assert "missing" in text_of("V20", bare, Point.RECEIPT)
    assert said("V20", bare.model_copy(update={"kind": CertificateKind.SIMPLIFIED})) == []


def test_V20_each_agreement_has_its_own_form_of_number():
    assert said("V20", with_exporter(registration_number="ZM/SADC/00042"), Point.ISSUE, SADC) == []
    assert said("V20", certificate(), Point.ISSUE, SADC) == ["error exporter.registration_number"]


def test_V21_a_registration_number_of_another_country_is_refused():
    assert said("V21", with_exporter(registration_number="COM-ZW000001"), Point.RECEIPT) == [
        "error exporter.registration_number"
    ]


def test_V22_a_number_outside_the_registry_is_refused_at_issue_and_queried_at_receipt():
    unknown = RegistryFacts(known=False)
    assert said("V22", certificate(), registry=unknown) == ["error exporter.registration_number"]
    assert said("V22", certificate(), Point.RECEIPT, registry=unknown) == [
        "query exporter.registration_number"
    ]
    assert said("V22", certificate(), registry=RegistryFacts(known=True)) == []


def test_V23_a_registration_counts_as_of_the_date_of_issue():
    def held(since, until):
        return {"registry": RegistryFacts(known=True, valid_from=since, valid_until=until)}

    assert said("V23", certificate(), **held(date(2026, 3, 9), date(2026, 3, 9))) == []
    assert "only from" in text_of("V23", certificate(), **held(date(2026, 3, 10), None))
    assert "lapsed" in text_of("V23", certificate(), Point.RECEIPT, **held(None, date(2026, 3, 8)))


def test_V24_a_revocation_has_effect_only_for_the_future():
    def revoked(day):
        return {"registry": RegistryFacts(known=True, revoked_on=day)}

    assert said("V24", certificate(), **revoked(date(2026, 3, 9))) == [
        "error exporter.registration_number"
    ]
    assert said("V24", certificate(), Point.RECEIPT, **revoked(date(2026, 3, 10))) == []


def test_V27_another_name_than_the_registered_one_warns():
    def named(name):
        return {"registry": RegistryFacts(known=True, name=name)}

    assert said("V27", certificate(), **named("Kafue Weavers Ltd")) == ["warning exporter.name"]
    assert said("V27", certificate(), **named("KAFUE  TEXTILES, LTD.")) == []


def test_V28_an_exporter_abroad_is_refused():
    abroad = certificate().exporter.address.model_copy(update={"country": "ZW"})
    assert said("V28", with_exporter(address=abroad)) == ["error exporter.address.country"]


def test_V29_a_consignee_elsewhere_is_refused_unless_the_goods_travel_to_order():
    elsewhere = certificate().consignee.address.model_copy(update={"country": "UG"})
    assert said("V29", with_consignee(address=elsewhere)) == ["error consignee.address.country"]
    assert said("V29", with_consignee(address=elsewhere, to_order=True)) == [
        "warning consignee.address.country"
    ]


def test_V71_a_small_trader_has_some_number():
    trader = with_exporter(registration_number=None, trader_id=None)
    small = trader.model_copy(update={"kind": CertificateKind.SIMPLIFIED})
    assert said("V71", small) == ["error exporter.trader_id"]
    assert said("V71", small.model_copy(update={"exporter": certificate().exporter})) == []
    assert said("V71", trader) == []


def test_V80_an_arabic_name_needs_a_latin_form_where_arabic_is_not_read():
    arabic = with_exporter(name="شركة النيل للمنسوجات")
    both = with_exporter(name="شركة النيل Nile Textiles")
    assert said("V80", arabic) == ["warning exporter.name"]
    assert said("V80", both) == []
    assert said("V80", arabic.model_copy(update={"destination_country": "EG"})) == []
