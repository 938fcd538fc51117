"""Documents in which every optional field is filled: each row of a table must show in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from gateway.documents import (
    Acknowledgement,
    BooksOutcome,
    BooksStatement,
    BooksStatus,
    CertificateKind,
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Finding,
    Language,
    LocalisedText,
    Severity,
    UtilisationStatus,
    Verdict,
)
from gateway.documents.base import Money, Quantity
from gateway.documents.books_statement import (
    StatedCount,
    StatedItem,
    StatedMessage,
    StatedTotal,
)
from gateway.documents.certificate_of_origin import (
    Attachment,
    Endorsement,
    Invoice,
    OriginalCertificate,
    OriginCriterion,
    ReplacedCertificate,
    RetrospectiveIssue,
    TranslatedText,
    Transport,
    TransportDocument,
    TransportEquipment,
)
from gateway.documents.customs_response import Declaration, Officer, Reason, Security, UtilisedItem
from gateway.documents.parties import (
    Address,
    Authority,
    Consignee,
    Contact,
    DocumentReference,
    Exporter,
    Image,
    Place,
    Producer,
    Signatory,
)
from tests.factories import PIXEL, certificate, customs_response, goods_item

DAY = date(2026, 3, 9)
MOMENT = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)


def _address(country: str) -> Address:
    return Address(
        line_one="Plot 12",
        line_two="Industrial Road",
        line_three="Block B",
        postcode="10101",
        city="Kafue",
        subdivision="Lusaka Province",
        country=country,
    )


def _authority(country: str) -> Authority:
    return Authority(
        code=f"{country}-AUTH",
        name="Revenue Authority",
        country=country,
        city="Capital",
        office_code=f"{country}-OFF",
        office_name="Border office",
    )


def _place(name: str) -> Place:
    return Place(unlocode="ZMLUN", name=name, country="ZM")


def _signatory(name: str) -> Signatory:
    return Signatory(
        name=name,
        identifier="SIG-1",
        signed_at=MOMENT,
        statement="It is so.",
        image=Image(media_type="image/png", content=PIXEL),
    )


def full_certificate() -> CertificateOfOrigin:
    """Return a certificate with every field filled (business rules would frown)."""
    invoice = Invoice(number="INV-1", issued_on=DAY, issuer_name="Third Ltd", issuer_country="MU")
    reference = DocumentReference(number="DEC-1", issued_on=DAY, office_code="OFF-1")
    item = goods_item(
        translations=(TranslatedText(language=Language.ARABIC, text="خيوط قطنية"),),
        criterion=OriginCriterion(code="V", percentage=Decimal("41.50"), remark="By cost sheet"),
        producer=Producer(name="Spinners", identifier="P-1", address=_address("ZM")),
        invoices=(invoice,),
    )
    return certificate(
        kind=CertificateKind.REEXPORT,
        issuing_authority=_authority("ZM"),
        exporter=Exporter(
            name="Kafue Textiles Ltd",
            registration_number="COM-ZM000001",
            trader_id="100",
            address=_address("ZM"),
            contact=Contact(name="M. Banda", job_title="Head", telephone="+260 1", email="m@x.zm"),
        ),
        consignee=Consignee(
            name="Nairobi Garments", trader_id="200", address=_address("KE"), to_order=True
        ),
        transport=Transport(
            mode="3",
            journey_id="T-77",
            means_type="3138",
            means_id="ALB 1234",
            means_name="Blue truck",
            departed_on=DAY,
            route="Kafue – Tunduma – Nairobi",
            loading_place=_place("Kafue"),
            unloading_place=_place("Nairobi"),
            transit=(_place("Tunduma"), _place("Namanga")),
            equipment=(TransportEquipment(identifier="MSKU1", seals=("S1", "S2")),),
            documents=(TransportDocument(type_code="730", number="RCN-881", issued_on=DAY),),
        ),
        endorsements=(Endorsement(box="5", text="ISSUED RETROSPECTIVELY"),),
        remarks="None",
        items=(item,),
        invoices=(invoice,),
        export_declaration=reference,
        retrospective=RetrospectiveIssue(applied_on=DAY, reason_code="R1", reason="Forgotten"),
        original_certificate=OriginalCertificate(
            serial_number="MW-1",
            issued_on=DAY,
            country="MW",
            import_declaration=reference,
            customs_control="Under seal",
        ),
        replaces=ReplacedCertificate(serial_number="ZM-0", issued_on=DAY, reason="Misprint"),
        cancellation_reason="Goods not shipped",
        attachments=(
            Attachment(
                identifier="A-1",
                type_code="271",
                file_name="packing list.pdf",
                media_type="application/pdf",
                size=12_345,
                sha256="ab" * 32,
            ),
        ),
        declaration=_signatory("M. Banda"),
        certification=_signatory("J. Mwansa"),
    )


def full_customs_response() -> CustomsResponse:
    """Return a customs response with every field filled."""
    quantity = Quantity(value=Decimal("6000.5"), unit="KGM")
    return customs_response(
        status=UtilisationStatus.PENDING,
        customs_authority=_authority("KE"),
        recipient_authority=_authority("ZM"),
        officer=Officer(identifier="O-112", name="A. Otieno", role="Releasing officer"),
        reasons=(Reason(code="MQ01", text="Why so?", item_number=1, path="items[0].hs_code"),),
        items=(UtilisedItem(number=1, quantity=quantity, cumulative=quantity),),
        declaration=Declaration(number="KE1", declared_on=DAY, office_code="KE-NMG"),
        security=Security(
            reference="BOND-1", amount=Money(amount=Decimal("100.00"), currency="KES")
        ),
        remarks="None",
    )


def acknowledgement() -> Acknowledgement:
    """Return an acknowledgement with every field filled."""
    text = LocalisedText(en="Wrong <box>", fr="Case erronée", ar="خانة خاطئة")
    return Acknowledgement(
        acknowledgement_number="KE-ACK-1",
        issued_at=MOMENT,
        sender="KE-GATEWAY",
        sender_country="KE",
        receiver="ZM-GATEWAY",
        receiver_country="ZM",
        message_id="urn:uuid:018f2c1e-6f5e-7b77-9f7a-2b1d3c4e5f60",
        envelope_sha256="0f" * 32,
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_number="ZM-20260309-000123",
        received_at=MOMENT,
        verdict=Verdict.REFUSED,
        code="INVALID_DOCUMENT",
        findings=(
            Finding(
                rule="V12",
                severity=Severity.ERROR,
                path="items[0].hs_code",
                box="7",
                article="Art. 9.1",
                message=text,
                remedy=text,
            ),
        ),
    )


def books_statement() -> BooksStatement:
    """Return a books statement with every field filled."""
    first = "urn:uuid:018f2c1e-6f5e-7b77-9f7a-2b1d3c4e5f60"
    quantity = Quantity(value=Decimal("6000.50"), unit="KGM")
    return BooksStatement(
        statement_number="KE-SW-2026-03-09-ZM-SW-1-1",
        issued_at=MOMENT,
        sender="KE-SW",
        sender_country="KE",
        receiver="ZM-SW",
        receiver_country="ZM",
        day=DAY,
        part=2,
        parts=3,
        round=1,
        after="urn:uuid:0",
        up_to="urn:uuid:f",
        answers="urn:uuid:118f2c1e-6f5e-7b77-9f7a-2b1d3c4e5f60",
        status=BooksStatus.DIFFERENCES,
        counts=(
            StatedCount(
                document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
                messages=1,
                accepted=1,
                refused=0,
                unanswered=0,
            ),
        ),
        messages=(
            StatedMessage(
                message_id=first,
                document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
                document_number="ZM-20260309-000123",
                envelope_sha256="0f" * 32,
                verdict=Verdict.ACCEPTED,
                outcome=BooksOutcome.MISSING_THERE,
                copy_of_envelope=b"<eco:Envelope/>",
            ),
        ),
        totals=(
            StatedTotal(
                serial_number="ZM-20260309-000123",
                issuing_country="ZM",
                sequence_number=3,
                items=(StatedItem(number=1, used=quantity), StatedItem(number=2, used=quantity)),
                outcome=BooksOutcome.MATCHED,
            ),
        ),
    )


FULL_DOCUMENTS: dict[DocumentType, Document] = {
    DocumentType.CERTIFICATE_OF_ORIGIN: full_certificate(),
    DocumentType.CUSTOMS_RESPONSE: full_customs_response(),
    DocumentType.ACKNOWLEDGEMENT: acknowledgement(),
    DocumentType.BOOKS_STATEMENT: books_statement(),
}
