"""Retrospective, re-export and simplified certificates; attachments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.agreements import Point
from gateway.documents import CertificateKind
from gateway.documents.base import Money, Quantity
from gateway.documents.certificate_of_origin import (
    Attachment,
    Endorsement,
    OriginalCertificate,
    RetrospectiveIssue,
)
from gateway.documents.parties import DocumentReference
from tests.agreements.judging import (
    bent,
    findings,
    known,
    known_item,
    profile_values,
    register,
    said,
    text_of,
)
from tests.factories import certificate, goods_item

ENDORSED = (Endorsement(box="5", text="ISSUED RETROSPECTIVELY"),)


def retrospective(**changes):
    """Return a good retrospective certificate; goods left on 31 January."""
    values = {
        "kind": CertificateKind.RETROSPECTIVE,
        "endorsements": ENDORSED,
        "retrospective": RetrospectiveIssue(
            applied_on=date(2026, 3, 6),
            reason_code="OMISSION",
            reason="The certificate omitted item two",
        ),
        "transport": certificate().transport.model_copy(update={"departed_on": date(2026, 1, 31)}),
        "export_declaration": DocumentReference(number="ZM-EXP-1", issued_on=date(2026, 1, 30)),
    }
    return certificate(**(values | changes))


def attachment(type_code, **changes):
    values = {
        "identifier": "A1",
        "type_code": type_code,
        "file_name": "a.pdf",
        "media_type": "application/pdf",
        "size": 1000,
        "sha256": "0" * 64,
    }
    return Attachment(**(values | changes))


def reexport(**changes):
    """Return a good re-export from Zambia of goods of Egypt."""
    values = {
        "kind": CertificateKind.REEXPORT,
        "items": (goods_item(country_of_origin="EG"),),
        "original_certificate": OriginalCertificate(
            serial_number="EG-20260101-000001",
            issued_on=date(2026, 1, 1),
            country="EG",
            import_declaration=DocumentReference(number="ZM-IMP-7", issued_on=date(2026, 2, 1)),
            customs_control="Stayed in bonded warehouse ZM-BW-3 under customs control",
        ),
        "attachments": (attachment("861"), attachment("929")),
    }
    return certificate(**(values | changes))


def simplified(amount="900", currency="USD", **changes):
    item = goods_item(value=Money(amount=Decimal(amount), currency=currency))
    return certificate(**({"kind": CertificateKind.SIMPLIFIED, "items": (item,)} | changes))


@pytest.mark.parametrize("good", [retrospective, reexport, simplified])
def test_a_good_certificate_of_every_kind_has_no_findings(good):
    for rule in (
        "V2",
        "V6",
        "V60",
        "V61",
        "V62",
        "V63",
        "V64",
        "V67",
        "V68",
        "V69",
        "V71",
        "V77",
        "V78",
    ):
        for point in (Point.ISSUE, Point.RECEIPT):
            assert said(rule, good(), point) == []


@pytest.mark.parametrize(
    ("applied_on", "silent"), [(date(2026, 4, 30), True), (date(2026, 5, 1), False)]
)
def test_V61_goods_that_left_on_31_January_are_applied_for_until_30_April(applied_on, silent):
    reason = retrospective().retrospective.model_copy(update={"applied_on": applied_on})
    found = said("V61", retrospective(retrospective=reason))
    assert found == ([] if silent else ["error retrospective.applied_on"])


def test_V61_a_retrospective_certificate_states_the_day_of_exportation():
    undated = retrospective(
        transport=certificate().transport.model_copy(update={"departed_on": None})
    )
    (found,) = findings("V61", undated)
    assert (found.path, found.box, found.article) == ("transport.departed_on", "4", "8.4(b)")


def test_V62_a_retrospective_certificate_gives_reason_and_export_documents():
    assert said("V62", retrospective(retrospective=None)) == ["error retrospective"]
    assert said("V62", retrospective(export_declaration=None)) == ["error export_declaration"]
    assert (
        said("V62", retrospective(export_declaration=None, attachments=(attachment("830"),))) == []
    )
    assert said("V62", certificate(retrospective=retrospective().retrospective)) == [
        "error retrospective"
    ]


def test_V63_a_retrospective_certificate_without_the_box_5_endorsement_is_refused():
    (found,) = findings("V63", retrospective(endorsements=()), Point.RECEIPT)
    assert (found.severity, found.path, found.box, found.article) == (
        "ERROR",
        "endorsements",
        "5",
        "8.4(c)",
    )
    assert 'Box 5 must read exactly "ISSUED RETROSPECTIVELY"' in found.message.en


@pytest.mark.parametrize(
    ("box", "text"),
    [
        ("3", "ISSUED RETROSPECTIVELY"),
        ("5", "Issued retrospectively"),
        ("5", "ISSUED RETROSPECTIVELY."),
        ("5", "ISSUED  RETROSPECTIVELY"),
    ],
)
def test_V63_the_endorsement_is_exact_in_box_and_words(box, text):
    assert said("V63", retrospective(endorsements=(Endorsement(box=box, text=text),))) == [
        "error endorsements"
    ]


@pytest.mark.parametrize("text", ["ISSUED RETROSPECTIVELY", "issued  retrospectively on request"])
def test_V63_the_endorsement_is_forbidden_on_any_other_kind(text):
    endorsed = certificate(endorsements=(Endorsement(box="5", text=text),))
    assert said("V63", endorsed) == ["error endorsements[0].text"]
    assert said("V63", certificate(endorsements=(Endorsement(box="5", text="DUPLICATE"),))) == []


def test_V64_a_reexport_names_its_original():
    assert said("V64", reexport(original_certificate=None), Point.RECEIPT) == [
        "error original_certificate"
    ]
    assert said("V64", certificate(original_certificate=reexport().original_certificate)) == [
        "error original_certificate"
    ]
    later = reexport().original_certificate.model_copy(update={"issued_on": date(2026, 3, 10)})
    assert said("V64", reexport(original_certificate=later)) == [
        "error original_certificate.issued_on"
    ]


ORIGINAL = known(items=(known_item(country_of_origin="EG"),))


def test_V65_an_unknown_original_may_be_on_paper_so_an_officer_is_asked():
    path = "original_certificate.serial_number"
    assert said("V65", reexport(), register=register()) == [f"query {path}"]
    assert said("V65", reexport(), Point.RECEIPT, register=register()) == [f"query {path}"]
    assert said("V65", reexport(), register=register(original=ORIGINAL)) == []
    assert said("V65", reexport()) == []


@pytest.mark.parametrize("state", ["CANCELLED", "REPLACED", "REJECTED", "EXPIRED"])
def test_V65_a_dead_original_is_refused(state):
    assert state in text_of("V65", reexport(), register=register(original=known(state=state)))


def test_V66_a_reexport_stays_within_the_balance_of_the_original():
    def left(**changes):
        return {"register": register(original=known(items=(known_item(**changes),)))}

    assert said("V66", reexport(), **left()) == []
    assert said("V66", reexport(), **left(used=Decimal("0.000001"))) == [
        "error items[0].quantity.value"
    ]
    assert said("V66", reexport(), **left(reexported=Decimal(6000))) == [
        "error items[0].quantity.value"
    ]
    assert said("V66", reexport(), **left(unit="TNE")) == ["error items[0].quantity.unit"]
    assert said("V66", reexport(), **left(hs_code=None)) == []


def test_V66_two_items_share_one_balance():
    half = Quantity(value=Decimal(6001), unit="KGM")
    two = reexport(
        items=tuple(goods_item(n, country_of_origin="EG", quantity=half) for n in (1, 2))
    )
    assert said("V66", two, register=register(original=ORIGINAL)) == [
        "error items[1].quantity.value"
    ]


def test_V67_reexported_goods_stayed_under_customs_control():
    loose = reexport().original_certificate.model_copy(update={"customs_control": None})
    assert said("V67", reexport(original_certificate=loose)) == [
        "error original_certificate.customs_control"
    ]


def test_V67_reexported_goods_are_those_of_the_original():
    other = reexport(items=(goods_item(country_of_origin="KE", hs_code="610910"),))
    assert said("V67", other, register=register(original=ORIGINAL)) == [
        "error items[0].hs_code",
        "error items[0].country_of_origin",
    ]
    assert said("V67", reexport(), register=register(original=ORIGINAL)) == []


def test_V68_a_reexport_neither_starts_nor_ends_in_the_country_of_origin():
    assert said("V68", reexport(items=(goods_item(),))) == ["warning exporting_country"]
    assert said("V68", reexport(destination_country="EG")) == ["warning destination_country"]


@pytest.mark.parametrize(("amount", "silent"), [("2000", True), ("2000.01", False)])
def test_V69_a_simplified_certificate_stays_within_two_thousand_dollars(amount, silent):
    assert said("V69", simplified(amount)) == ([] if silent else ["error items"])
    assert said("V69", certificate()) == []


def test_V69_a_pair_of_states_may_have_its_own_threshold_from_a_date(tmp_path):
    terms = {
        "thresholds": [
            {"amount": "2000", "currency": "USD"},
            {
                "amount": "1000",
                "currency": "USD",
                "countries": ["KE", "ZM"],
                "since": date(2026, 3, 9),
            },
            {
                "amount": "1",
                "currency": "USD",
                "countries": ["KE", "ZM"],
                "since": date(2026, 3, 10),
            },
        ]
    }
    pair = bent(tmp_path, simplified=terms)
    assert said("V69", simplified("1000"), Point.ISSUE, pair) == []
    assert said("V69", simplified("1000.01"), Point.ISSUE, pair) == ["error items"]
    assert said("V69", simplified("1500", destination_country="MW"), Point.ISSUE, pair) == []


def test_V69_what_cannot_be_compared_warns():
    assert said("V69", simplified(currency="ZMW")) == ["warning items[0].value.currency"]
    assert said("V69", simplified(items=(goods_item(value=None),))) == ["warning items[0].value"]


def test_V70_simplified_goods_stand_on_the_common_list_of_the_pair(tmp_path):
    terms = profile_values()["simplified"] | {
        "common_lists": [{"countries": ["KE", "ZM"], "hs_prefixes": ["0713"]}]
    }
    listed = bent(tmp_path, simplified=terms)
    assert said("V70", simplified(), Point.ISSUE, listed) == ["error items[0].hs_code"]
    assert said("V70", simplified(items=(goods_item(hs_code="071333"),)), Point.ISSUE, listed) == []
    assert said("V70", simplified(destination_country="MW"), Point.ISSUE, listed) == []


def test_V77_a_reexport_without_its_documents_is_refused():
    assert said("V77", reexport(attachments=())) == ["error attachments", "error attachments"]
    assert said("V77", reexport(attachments=(attachment("864"), attachment("929")))) == []


def test_V78_attachments_have_a_permitted_type_and_size():
    assert said("V78", certificate(attachments=(attachment("380", media_type="text/html"),))) == [
        "error attachments[0].media_type"
    ]
    assert said("V78", certificate(attachments=(attachment("380", size=10_000_001),))) == [
        "error attachments[0].size"
    ]
    assert said("V78", certificate(attachments=(attachment("380", size=10_000_000),))) == []
