"""What real processes exchange: papers of today, because their clocks are real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.documents import CertificateOfOrigin, UtilisationStatus
from gateway.documents.base import Quantity
from gateway.documents.customs_response import Declaration
from gateway.exchange.receipts import to_minute
from gateway.exchange.responding import CustomsAction, WriteOff
from tests.factories import certificate, customs_response, goods_item


def certificate_of_today(number: int) -> CertificateOfOrigin:
    """Return a certificate that was issued just now."""
    return certificate_issued(number, datetime.now(UTC) - timedelta(minutes=2))


def certificate_issued(number: int, at: datetime) -> CertificateOfOrigin:
    """Return a certificate that was issued in the minute of ``at``."""
    now = to_minute(at)
    document = certificate()
    invoice = document.items[0].invoices[0].model_copy(update={"issued_on": now.date()})
    return document.model_copy(
        update={
            "serial_number": f"ZM-{now:%Y%m%d}-{number:06}",
            "issued_at": now,
            "valid_from": now.date(),
            "valid_until": (now + timedelta(days=364)).date(),
            "items": (goods_item(invoices=(invoice,)),),
            "transport": document.transport.model_copy(update={"departed_on": now.date()}),
            "declaration": document.declaration.model_copy(update={"signed_at": now}),
            "certification": document.certification.model_copy(update={"signed_at": now}),
        }
    )


def write_off(
    serial: str, reference: str, kilograms: Decimal, at: datetime | None = None
) -> CustomsAction:
    """Return Kenya's decision of this minute that uses part of a certificate of Zambia.

    Args:
        at: the moment by Kenya's clock, where that is not the true one.
    """
    now = to_minute(at or datetime.now(UTC))
    template = customs_response()
    quantity = Quantity(value=kilograms, unit="KGM")
    return CustomsAction(
        issuing_country="ZM",
        serial_number=serial,
        status=UtilisationStatus.PARTIAL,
        reference=reference,
        decided_at=now,
        customs_authority=template.customs_authority,
        officer=template.officer,
        items=(WriteOff(number=1, quantity=quantity),),
        declaration=Declaration(
            number=f"KE2026{reference[-8:]}", declared_on=now.date(), office_code="KE-KRA-NMG"
        ),
    )
