"""What a format writes it reads back: every leaf, both documents, all shipped formats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import CertificateOfOrigin, CustomsResponse
from gateway.documents.base import Money, Quantity
from gateway.documents.certificate_of_origin import (
    Attachment,
    Endorsement,
    Invoice,
    OriginalCertificate,
    OriginCriterion,
    ReplacedCertificate,
    RetrospectiveIssue,
    TranslatedText,
    TransportDocument,
    TransportEquipment,
)
from gateway.documents.codes import CertificateKind, Language, Purpose, UtilisationStatus
from gateway.documents.customs_response import Reason, Security
from gateway.documents.parties import Address, Contact, DocumentReference, Place, Producer
from gateway.errors import InvalidDocumentError
from gateway.xml.national import NationalFormat, load_national_formats
from tests.factories import certificate, customs_response, goods_item

FORMATS = load_national_formats()
each_format = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
ADDRESS = Address(
    line_one="a",
    line_two="b",
    line_three="c",
    postcode="10101",
    city="Lusaka",
    subdivision="Lusaka Province",
    country="ZM",
)
REFERENCE = DocumentReference(number="C 1", issued_on=date(2026, 1, 2), office_code="ZM-1")


def full_certificate() -> CertificateOfOrigin:
    """Return a certificate in which every leaf has a value."""
    base = certificate()
    return certificate(
        kind=CertificateKind.REEXPORT,
        purpose=Purpose.REPLACEMENT,
        version=3,
        test=True,
        exporter=base.exporter.model_copy(
            update={
                "address": ADDRESS,
                "contact": Contact(
                    name="G", job_title="M", telephone="+260 1", email="g@x.example"
                ),
            }
        ),
        consignee=base.consignee.model_copy(
            update={"trader_id": "P1", "address": ADDRESS, "to_order": True}
        ),
        transport=base.transport.model_copy(
            update={
                "journey_id": "214W",
                "means_name": "Star",
                "route": "a – b",
                "documents": (
                    TransportDocument(type_code="705", number="B/L 1", issued_on=date(2026, 3, 9)),
                ),
                "loading_place": Place(unlocode="ZMLUN", name="Lusaka", country="ZM"),
                "transit": (
                    Place(unlocode="TZDAR", name="Dar", country="TZ"),
                    Place(name="Tanga", country="TZ"),
                ),
                "equipment": (
                    TransportEquipment(identifier="MSCU 1", seals=("A", "B")),
                    TransportEquipment(identifier="X"),
                ),
            }
        ),
        endorsements=(
            Endorsement(box="5", text="ISSUED RETROSPECTIVELY"),
            Endorsement(box="3", text="Seen"),
        ),
        remarks="ملاحظة",
        items=(
            goods_item(
                translations=(
                    TranslatedText(language=Language.FRENCH, text="Filés"),
                    TranslatedText(language=Language.ARABIC, text="غزل"),
                ),
                criterion=OriginCriterion(code="V", percentage=Decimal("41.50"), remark="checked"),
                producer=Producer(name="P", identifier="9", address=ADDRESS),
                invoices=(
                    Invoice(
                        number="1", issued_on=date(2026, 1, 1), issuer_name="T", issuer_country="MU"
                    ),
                    Invoice(number="2"),
                ),
            ),
            goods_item(2, gross_weight=None, value=None, invoices=()),
        ),
        invoices=(
            Invoice(number="H", issued_on=date(2026, 1, 1), issuer_name="T", issuer_country="MU"),
        ),
        export_declaration=REFERENCE,
        retrospective=RetrospectiveIssue(
            applied_on=date(2026, 3, 1), reason_code="ERROR", reason="because"
        ),
        original_certificate=OriginalCertificate(
            serial_number="MU-1",
            issued_on=date(2026, 1, 1),
            country="MU",
            import_declaration=REFERENCE,
            customs_control="bond",
        ),
        replaces=ReplacedCertificate(
            serial_number="ZM-0", issued_on=date(2026, 2, 2), reason="typing error"
        ),
        cancellation_reason="no more",
        attachments=(
            Attachment(
                identifier="A1",
                type_code="380",
                file_name="i.pdf",
                media_type="application/pdf",
                size=12,
                sha256="0" * 64,
            ),
        ),
        consent_to_publication=True,
        declaration=base.declaration.model_copy(update={"identifier": "D1"}),
    )


def full_response() -> CustomsResponse:
    """Return a response in which every leaf has a value."""
    base = customs_response()
    return customs_response(
        test=True,
        status=UtilisationStatus.PENDING,
        customs_authority=base.customs_authority.model_copy(update={"city": "Namanga"}),
        recipient_authority=base.recipient_authority.model_copy(
            update={"city": "Lusaka", "office_code": "ZM-ZRA-CHR", "office_name": "Chirundu"}
        ),
        reasons=(
            Reason(
                code="ORIGIN_DOUBT",
                text='Doubt; about "all" of it',
                item_number=1,
                path="items[0].criterion.code",
            ),
            Reason(code="OTHER", text="=other"),
        ),
        security=Security(reference="S-1", amount=Money(amount=Decimal("1200.00"), currency="KES")),
        remarks="Ligne 1\nligne 2",
    )


def leaves_with_value(document: Any) -> set[str]:
    found: set[str] = set()

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else key)
        elif isinstance(value, tuple | list):
            for inner in value:
                walk(inner, path + "[]")
        elif value is not None:
            found.add(path)

    walk(document.model_dump(), "")
    return found


def test_the_full_documents_really_are_full() -> None:
    from gateway.documents.fields import leaves

    assert leaves_with_value(full_certificate()) == set(leaves(CertificateOfOrigin))
    assert leaves_with_value(full_response()) == set(leaves(CustomsResponse))


@each_format
def test_every_leaf_of_a_certificate_survives(format_: NationalFormat) -> None:
    document = full_certificate()
    (reading,) = format_.read(format_.write(document))
    assert reading.document == document
    assert reading.findings == ()
    assert reading.reference == document.serial_number


@each_format
def test_every_leaf_of_a_response_survives(format_: NationalFormat) -> None:
    response = full_response()
    (reading,) = format_.read_response(format_.write_response(response))
    assert reading.document == response
    assert reading.findings == ()
    assert reading.reference == response.response_number


@each_format
def test_many_certificates_share_a_file(format_: NationalFormat) -> None:
    documents = [certificate(serial_number=f"ZM-20260309-{n:06}") for n in range(1, 6)]
    assert [reading.document for reading in format_.read(format_.write_all(documents))] == documents


def written(write: Callable[[Any], bytes], document: Any) -> bytes | None:
    """Return the written file, or None when it was refused with findings."""
    try:
        return write(document)
    except InvalidDocumentError as exc:
        if not exc.findings:
            raise
        return None


text = (
    st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff"),
        min_size=1,
        max_size=40,
    )
    .map(str.strip)
    .filter(bool)
)
amounts = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(1901, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2198, 12, 31),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=zones,
).map(lambda moment: moment.replace(second=0, microsecond=0))


@each_format
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_certificate_survives_or_is_refused_with_findings(
    format_: NationalFormat, data: st.DataObject
) -> None:
    document = certificate(
        remarks=data.draw(st.none() | text),
        issued_at=data.draw(moments),
        valid_until=data.draw(st.dates(date(1900, 1, 1), date(2199, 12, 31))),
        items=tuple(
            goods_item(
                n,
                description=data.draw(text),
                quantity=Quantity(value=data.draw(amounts), unit="KGM"),
            )
            for n in range(1, data.draw(st.integers(1, 3)) + 1)
        ),
        kind=data.draw(st.sampled_from(CertificateKind)),
    )
    raw = written(format_.write, document)
    if raw is None:
        return
    assert format_.read(raw)[0].document == document


@each_format
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_response_survives_or_is_refused_with_findings(
    format_: NationalFormat, data: st.DataObject
) -> None:
    response = customs_response(
        remarks=data.draw(st.none() | text),
        status=data.draw(st.sampled_from(UtilisationStatus)),
        decided_at=data.draw(moments),
        reasons=tuple(
            Reason(code="OTHER", text=data.draw(text)) for _ in range(data.draw(st.integers(0, 3)))
        ),
        sequence_number=data.draw(st.integers(1, 99_999)),
    )
    raw = written(format_.write_response, response)
    if raw is None:
        return
    assert format_.read_response(raw)[0].document == response


def test_a_certificate_with_too_many_members_for_the_slots_is_refused_not_cut() -> None:
    document = certificate(
        items=(goods_item(invoices=tuple(Invoice(number=str(n)) for n in range(3))),)
    )
    with pytest.raises(InvalidDocumentError) as caught:
        FORMATS["csv-lines"].write(document)
    assert [finding.path for finding in caught.value.findings] == ["items[0].invoices"]


def test_white_space_around_a_text_is_no_loss() -> None:
    for format_ in FORMATS.values():
        assert format_.read(format_.write(certificate(remarks=" x ")))[0].document == certificate(
            remarks="x"
        )


def test_a_moment_written_in_national_time_is_the_same_moment() -> None:
    raw = FORMATS["customs-xml"].write(
        certificate(issued_at=datetime(2026, 3, 9, 23, 30, tzinfo=UTC))
    )
    assert b"<DelivreLe>10/03/2026 01:30</DelivreLe>" in raw
