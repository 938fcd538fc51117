"""Documents that tests start from: complete, valid, and easy to bend with keyword arguments."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gateway.documents import (
    CertificateKind,
    CertificateOfOrigin,
    CustomsResponse,
    Language,
    UtilisationStatus,
)
from gateway.documents.base import Money, Quantity
from gateway.documents.certificate_of_origin import (
    GoodsItem,
    Invoice,
    OriginCriterion,
    Packages,
    Transport,
    TransportDocument,
)
from gateway.documents.codes import ValueBasis
from gateway.documents.customs_response import (
    CertificateReference,
    Declaration,
    Officer,
    UtilisedItem,
)
from gateway.documents.parties import (
    Address,
    Authority,
    Consignee,
    Exporter,
    Image,
    Place,
    Signatory,
)

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
ISSUED_AT = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
PIXEL = b"\x89PNG\r\n\x1a\n"


def goods_item(number: int = 1, **changes: Any) -> GoodsItem:
    """Return an item of cotton yarn; keyword arguments replace fields."""
    values: dict[str, Any] = {
        "number": number,
        "packages": Packages(kind="CT", count=500, marks="KTL/NBO 1-500"),
        "description": "Cotton yarn, single, uncombed, on cones",
        "hs_code": "520512",
        "hs_edition": "2022",
        "country_of_origin": "ZM",
        "criterion": OriginCriterion(code="V", percentage=Decimal("41.50")),
        "quantity": Quantity(value=Decimal(12000), unit="KGM"),
        "gross_weight": Quantity(value=Decimal(12500), unit="KGM"),
        "net_weight": Quantity(value=Decimal(12000), unit="KGM"),
        "value": Money(amount=Decimal("36000.00"), currency="USD"),
        "invoices": (Invoice(number="INV-2026-778", issued_on=date(2026, 3, 5)),),
    }
    return GoodsItem(**(values | changes))


def certificate(**changes: Any) -> CertificateOfOrigin:
    """Return a valid standard certificate from Zambia to Kenya; arguments replace fields."""
    values: dict[str, Any] = {
        "agreement": "COMESA",
        "kind": CertificateKind.STANDARD,
        "serial_number": "ZM-20260309-000123",
        "language": Language.ENGLISH,
        "issued_at": ISSUED_AT,
        "valid_from": date(2026, 3, 9),
        "valid_until": date(2027, 3, 9),
        "exporting_country": "ZM",
        "destination_country": "KE",
        "issuing_authority": Authority(
            code="ZM-ZRA",
            name="Zambia Revenue Authority",
            country="ZM",
            city="Lusaka",
            office_code="ZM-ZRA-CHR",
            office_name="Chirundu",
        ),
        "exporter": Exporter(
            name="Kafue Textiles Ltd",
            registration_number="COM-ZM000001",
            trader_id="1002003004",
            address=Address(line_one="Plot 12 Industrial Road", city="Kafue", country="ZM"),
        ),
        "consignee": Consignee(
            name="Nairobi Garments Ltd",
            address=Address(line_one="Enterprise Road 7", city="Nairobi", country="KE"),
        ),
        "transport": Transport(
            mode="3",
            means_type="3138",
            means_id="ALB 1234 ZM",
            departed_on=date(2026, 3, 9),
            loading_place=Place(name="Kafue", country="ZM"),
            unloading_place=Place(unlocode="KENBO", name="Nairobi", country="KE"),
            transit=(Place(name="Tunduma", country="TZ"),),
            documents=(TransportDocument(type_code="730", number="RCN-881"),),
        ),
        "items": (goods_item(),),
        "total_gross_weight": Quantity(value=Decimal(12500), unit="KGM"),
        "total_packages": 500,
        "value_basis": ValueBasis.EX_WORKS,
        "consent_to_publication": False,
        "stamp": Image(media_type="image/png", content=PIXEL),
        "declaration": Signatory(
            name="M. Banda",
            signed_at=datetime(2026, 3, 8, 9, 0, tzinfo=UTC),
            statement="The above details are correct and the goods comply with the origin rules.",
            image=Image(media_type="image/png", content=PIXEL),
        ),
        "certification": Signatory(
            name="J. Mwansa",
            identifier="ZM-ZRA-SIG-007",
            signed_at=ISSUED_AT,
            statement="It is hereby certified that the goods are of Zambian origin.",
            image=Image(media_type="image/png", content=PIXEL),
        ),
    }
    return CertificateOfOrigin(**(values | changes))


def customs_response(**changes: Any) -> CustomsResponse:
    """Return Kenya's first partial write-off of ``certificate()``; arguments replace fields."""
    written_off = Quantity(value=Decimal(6000), unit="KGM")
    decided = datetime(2026, 3, 20, 7, 5, tzinfo=UTC)
    values: dict[str, Any] = {
        "agreement": "COMESA",
        "response_number": "KE-RES-2026-000456",
        "language": Language.ENGLISH,
        "issued_at": decided,
        "customs_authority": Authority(
            code="KE-KRA",
            name="Kenya Revenue Authority",
            country="KE",
            office_code="KE-KRA-NMG",
            office_name="Namanga OSBP",
        ),
        "officer": Officer(identifier="KE-KRA-O-112", name="A. Otieno", role="Releasing officer"),
        "recipient_authority": Authority(
            code="ZM-ZRA", name="Zambia Revenue Authority", country="ZM"
        ),
        "certificate": CertificateReference(
            serial_number="ZM-20260309-000123", issued_on=date(2026, 3, 9), issuing_country="ZM"
        ),
        "sequence_number": 1,
        "status": UtilisationStatus.PARTIAL,
        "decided_at": decided,
        "items": (UtilisedItem(number=1, quantity=written_off, cumulative=written_off),),
        "declaration": Declaration(
            number="KE2026NMG0099881", declared_on=date(2026, 3, 20), office_code="KE-KRA-NMG"
        ),
    }
    return CustomsResponse(**(values | changes))
