"""Code membership: every coded value of every document stands in its list."""

from __future__ import annotations

import pytest

from gateway.agreements import Point
from gateway.agreements.rules.codes import CODED_VALUES
from gateway.documents import (
    Acknowledgement,
    CertificateOfOrigin,
    CustomsResponse,
    UtilisationStatus,
)
from gateway.documents.base import Money, Quantity
from gateway.documents.certificate_of_origin import Attachment, Invoice, Packages, TransportDocument
from gateway.documents.codelists import code_list
from gateway.documents.customs_response import Reason, Security
from gateway.documents.fields import leaves
from gateway.documents.parties import Address, Producer
from tests.agreements.judging import findings, said
from tests.factories import certificate, customs_response, goods_item

# Coded leaves that no shipped list governs, each with its reason.
NOT_FROM_A_LIST = {
    "agreement": "V1 compares it with the profile",
    "kind": "closed vocabulary",
    "items[].hs_code": "V33 and V34",
    "items[].hs_edition": "V34",
    "items[].criterion.code": "V39, list of the profile",
    "transport.loading_place.unlocode": "V57: UN/LOCODE does not ship",
    "transport.unloading_place.unlocode": "V57",
    "transport.transit[].unlocode": "V57",
    "code": "wire code of the error tree",
}


def with_transport(**changes):
    return certificate(transport=certificate().transport.model_copy(update=changes))


BROKEN = {
    "destination_country": certificate(destination_country="XX"),
    "exporter.address.country": certificate(
        exporter=certificate().exporter.model_copy(update={"address": Address(country="ZZ")})
    ),
    "transport.mode": with_transport(mode="30"),
    "transport.means_type": with_transport(means_type="9999"),
    "transport.documents[0].type_code": with_transport(
        documents=(TransportDocument(type_code="99999", number="1"),)
    ),
    "items[0].packages.kind": certificate(
        items=(goods_item(packages=Packages(kind="CTN", count=1)),)
    ),
    "items[0].producer.address.country": certificate(
        items=(goods_item(producer=Producer(name="P", address=Address(country="XX"))),)
    ),
    "items[0].value.currency": certificate(
        items=(goods_item(value=Money(amount=goods_item().value.amount, currency="ZWX")),)
    ),
    "items[0].invoices[0].issuer_country": certificate(
        items=(goods_item(invoices=(Invoice(number="1", issuer_country="EU"),)),)
    ),
    "attachments[0].type_code": certificate(
        attachments=(
            Attachment(
                identifier="1",
                type_code="INV",
                file_name="a.pdf",
                media_type="application/pdf",
                size=1,
                sha256="0" * 64,
            ),
        )
    ),
    "reasons[0].code": customs_response(reasons=(Reason(code="NO_SUCH_REASON", text="x" * 20),)),
    "security.amount.currency": customs_response(
        security=Security(
            reference="S1", amount=Money(amount=goods_item().value.amount, currency="XYZ")
        )
    ),
}


@pytest.mark.parametrize("path", BROKEN)
@pytest.mark.parametrize("point", list(Point))
def test_CODE_a_value_outside_its_list_is_refused_at_every_point(path, point):
    assert said("CODE", BROKEN[path], point) == [f"error {path}"]


def test_CODE_says_which_list_and_edition_in_three_languages():
    (found,) = findings("CODE", BROKEN["items[0].packages.kind"])
    assert (
        found.message.en
        == "CTN is not on the list of kinds of packages (Recommendation 21, edition 2006)."
    )
    assert "types d'emballages" in found.message.fr
    assert "أنواع الطرود" in found.message.ar
    assert found.box == "6"


def test_CODE_a_unit_outside_our_subset_only_warns():
    item = goods_item(quantity=Quantity(value=goods_item().quantity.value, unit="ZZZ"))
    assert said("CODE", certificate(items=(item,))) == ["warning items[0].quantity.unit"]


def test_CODE_an_acknowledgement_is_judged_too():
    ack = Acknowledgement.model_construct(sender_country="ZM", receiver_country="XX")
    assert said("CODE", ack, Point.RECEIPT) == ["error receiver_country"]


@pytest.mark.parametrize("model", [CertificateOfOrigin, CustomsResponse, Acknowledgement])
def test_CODE_the_table_names_real_data_and_misses_none(model):
    table = set(CODED_VALUES[model])
    everything = leaves(model)
    assert table <= set(everything)
    coded = {
        path
        for path, leaf in everything.items()
        if leaf.type is str
        and path.rpartition(".")[2].removesuffix("[]")
        in {"country", "code", "type_code", "kind", "unit", "currency", "mode", "means_type", "reason_code", "unlocode",
            "hs_code", "hs_edition", "agreement", "exporting_country", "destination_country", "issuing_country",
            "issuer_country", "sender_country", "receiver_country", "country_of_origin"}
        and not path.endswith("authority.code")
        and "findings[]" not in path
    }  # fmt: skip
    assert coded - table <= set(NOT_FROM_A_LIST)


def test_CODE_every_status_of_a_response_has_a_name():
    assert {entry.code for entry in code_list("utilisation-statuses")} == {
        status.value for status in UtilisationStatus
    }
