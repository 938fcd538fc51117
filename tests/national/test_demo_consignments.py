"""The consignments of the demonstration do what the manifest says they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.agreements import Facts, Point, check, load_agreements
from gateway.agreements.facts import KnownCertificate, KnownItem, RegisterFacts
from gateway.demo.manifest import (
    CANONICAL,
    FOLDER,
    Consignment,
    CustomsAction,
    Original,
    load_manifest,
)
from gateway.documents import CertificateOfOrigin, Severity, UtilisationStatus, verdict_of
from gateway.documents.base import Quantity
from gateway.documents.codes import CertificateKind, Language
from gateway.documents.customs_response import (
    CertificateReference,
    CustomsResponse,
    Declaration,
    Officer,
    Reason,
    UtilisedItem,
)
from gateway.documents.findings import Finding
from gateway.documents.parties import Authority
from gateway.xml.national import load_national_formats

COMESA = load_agreements()["COMESA"]
MANIFEST = load_manifest()
DAYS = [
    datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 0, 1, tzinfo=UTC),
    datetime(2029, 1, 1, 23, 59, tzinfo=UTC),
    datetime(2031, 8, 31, 6, 0, tzinfo=UTC),
]
each = pytest.mark.parametrize("consignment", MANIFEST.consignments, ids=lambda entry: entry.id)


def known(coo: CertificateOfOrigin, used: dict[int, Decimal] | None = None) -> KnownCertificate:
    return KnownCertificate(
        serial_number=coo.serial_number,
        issuing_country=coo.exporting_country,
        issued_on=coo.issued_at.date(),
        valid_until=coo.valid_until,
        destination_country=coo.destination_country,
        state="AVAILABLE",
        content_sha256="0" * 64,
        same_content=False,
        items=tuple(
            KnownItem(
                item.number,
                item.quantity.unit,
                item.quantity.value,
                (used or {}).get(item.number, Decimal(0)),
                hs_code=item.hs_code,
                country_of_origin=item.country_of_origin,
            )
            for item in coo.items
        ),
    )


def register_of(consignment: Consignment, coo: CertificateOfOrigin, now: datetime) -> RegisterFacts:
    """Return what a gateway knows when the consignment reaches it: what came before."""
    if consignment.after is None:
        return RegisterFacts()
    earlier = next(entry for entry in MANIFEST.consignments if entry.id == consignment.after)
    before = earlier.reading(now).document
    assert before is not None
    return RegisterFacts(
        same_serial=known(before) if before.serial_number == coo.serial_number else None
    )


def judged(
    consignment: Consignment, country: str, points: tuple[Point, ...], now: datetime
) -> tuple[Finding, ...]:
    reading = consignment.reading(now)
    if reading.document is None:
        return reading.findings
    facts = register_of(consignment, reading.document, now)
    found = list(reading.findings)
    for point in points:
        found += check(reading.document, COMESA, Facts(point, now, country, register=facts))
    return tuple(found)


def test_the_demonstration_is_rich_enough() -> None:
    entries = MANIFEST.consignments
    good = [entry.reading(DAYS[0]).document for entry in entries if entry.submission.accepted]
    assert len(entries) >= 18
    assert {(entry.sender, entry.receiver) for entry in entries} == {("ZM", "KE"), ("KE", "ZM")}
    for sender in ("ZM", "KE"):
        kinds = {coo.kind for coo in good if coo and coo.exporting_country == sender}
        assert kinds == set(CertificateKind)
    assert {coo.language for coo in good if coo} == set(Language)
    assert {entry.format for entry in entries} == {CANONICAL, *load_national_formats()}
    refused = {
        rule
        for entry in entries
        if not entry.submission.accepted
        for rule in entry.submission.rules
    }
    assert refused >= {
        "V7",
        "V17",
        "V18",
        "V19",
        "V21",
        "V34",
        "V39",
        "V61",
        "V63",
        "V64",
        "V69",
        "SHAPE",
        "CODE",
    }


def test_every_file_of_the_folder_is_in_the_manifest() -> None:
    listed = {entry.file for entry in (*MANIFEST.consignments, *MANIFEST.originals)}
    assert {path.name for path in FOLDER.iterdir()} - {"manifest.yaml"} == listed


@each
def test_the_file_says_what_the_manifest_says(consignment: Consignment) -> None:
    reading = consignment.reading(DAYS[0])
    assert reading.reference == consignment.serial_number(DAYS[0])
    if reading.document is not None:
        assert reading.document.exporting_country == consignment.sender
        assert not reading.document.test
        assert reading.document.stamp is not None
        assert reading.document.stamp.content.startswith(b"\x89PNG\r\n\x1a\n")


@each
@pytest.mark.parametrize("now", DAYS, ids=lambda now: now.date().isoformat())
def test_submission_finds_exactly_what_the_manifest_expects(
    consignment: Consignment, now: datetime
) -> None:
    found = judged(consignment, consignment.sender, (Point.ISSUE, Point.SEND), now)
    assert {item.rule for item in found} == set(consignment.submission.rules)
    refused = any(item.severity is Severity.ERROR for item in found)
    assert refused == (not consignment.submission.accepted)


@pytest.mark.parametrize(
    "consignment",
    [c for c in MANIFEST.consignments if c.submission.accepted],
    ids=lambda entry: entry.id,
)
def test_the_peer_reaches_the_expected_verdict(consignment: Consignment) -> None:
    found = judged(consignment, consignment.receiver, (Point.RECEIPT,), DAYS[0])
    assert {item.rule for item in found} == set(consignment.verdict_rules)
    assert verdict_of(found) is consignment.verdict


@pytest.mark.parametrize("original", MANIFEST.originals, ids=lambda entry: entry.id)
def test_the_originals_behind_re_exports_are_flawless(original: Original) -> None:
    entry = original
    coo = entry.reading(DAYS[0]).document
    assert coo is not None
    assert coo.serial_number == entry.serial_number(DAYS[0])
    assert coo.destination_country == entry.holder
    facts = Facts(Point.RECEIPT, DAYS[0], entry.holder, register=RegisterFacts())
    assert check(coo, COMESA, facts) == ()


@pytest.mark.parametrize("original", MANIFEST.originals, ids=lambda entry: entry.id)
def test_a_re_export_is_flawless_where_the_register_knows_its_original(original: Original) -> None:
    first = original.reading(DAYS[0]).document
    assert first is not None
    (coo,) = (
        document
        for entry in MANIFEST.consignments
        if (document := entry.reading(DAYS[0]).document) is not None
        and document.original_certificate is not None
        and document.original_certificate.serial_number == first.serial_number
    )
    assert coo.exporting_country == original.holder
    register = RegisterFacts(original=known(first))
    assert check(coo, COMESA, Facts(Point.ISSUE, DAYS[0], original.holder, register=register)) == ()


def response_of(
    action: CustomsAction,
    coo: CertificateOfOrigin,
    number: int,
    used: dict[int, Decimal],
    now: datetime,
) -> CustomsResponse:
    country = coo.destination_country
    customs = Authority(
        code=f"{country}-CUS", name="Customs", country=country, office_code=action.office
    )
    return CustomsResponse(
        agreement="COMESA",
        response_number=f"{country}-R-{number}",
        language=Language.ENGLISH,
        issued_at=now,
        customs_authority=customs,
        officer=Officer(identifier="O-1", role="Officer"),
        recipient_authority=coo.issuing_authority,
        certificate=CertificateReference(
            serial_number=coo.serial_number,
            issued_on=coo.issued_at.date(),
            issuing_country=coo.exporting_country,
        ),
        sequence_number=number,
        status=action.status,
        decided_at=now,
        reasons=tuple(Reason(code=r.code, text=r.text, item_number=r.item) for r in action.reasons),
        items=tuple(
            UtilisedItem(
                number=item.number,
                quantity=Quantity(value=item.quantity, unit=item.unit),
                cumulative=Quantity(
                    value=used.get(item.number, Decimal(0)) + item.quantity, unit=item.unit
                ),
            )
            for item in action.items
        ),
        declaration=None
        if action.declaration is None
        else Declaration(
            number=action.declaration.number,
            declared_on=now.date(),
            office_code=action.declaration.office,
        ),
    )


@pytest.mark.parametrize(
    "consignment", [c for c in MANIFEST.consignments if c.actions], ids=lambda entry: entry.id
)
def test_the_customs_actions_lead_to_the_planned_outcome(consignment: Consignment) -> None:
    now = DAYS[0] + timedelta(hours=1)
    coo = consignment.reading(DAYS[0]).document
    assert coo is not None
    assert consignment.outcome is not None
    used: dict[int, Decimal] = {}
    status = UtilisationStatus.RECEIVED
    for number, action in enumerate(consignment.actions, start=1):
        subject = known(coo, used)
        facts = Facts(Point.USE, now, consignment.receiver, register=RegisterFacts(subject=subject))
        found = check(response_of(action, coo, number, used, now), COMESA, facts)
        refused = {item.rule for item in found if item.severity is Severity.ERROR}
        assert refused == set(action.refused_with), (
            action.status,
            [item.message.en for item in found],
        )
        if not refused:
            status = action.status
            for item in action.items:
                used[item.number] = used.get(item.number, Decimal(0)) + item.quantity
    assert status is consignment.outcome.status
    assert used == {item.number: item.quantity for item in consignment.outcome.items}
