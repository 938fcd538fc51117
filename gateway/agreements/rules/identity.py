"""What a document says it is: agreement, kind, countries, serial number, dates."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import timedelta

from gateway.agreements.calendar_days import add_months
from gateway.agreements.parts import BoxField, Preference
from gateway.agreements.rulebook import (
    ERROR,
    WARNING,
    C,
    Case,
    Complaint,
    I,
    R,
    S,
    at,
    complain,
    rule,
)
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import Purpose
from gateway.documents.customs_response import CustomsResponse

COO = (CertificateOfOrigin,)
BUSINESS: tuple[type[CertificateOfOrigin | CustomsResponse], ...] = (
    CertificateOfOrigin,
    CustomsResponse,
)


@rule("V1", BUSINESS, at(ERROR, I, R))
def agreement_is_known_and_active(
    document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """The document names this agreement, and the agreement was in force on the date of issue."""
    if document.agreement != case.agreement.id:
        yield complain("agreement", value=document.agreement, expected=case.agreement.id)
        return
    issued_on = document.issued_at.date()
    if not case.agreement.is_active(issued_on):
        yield complain("agreement", "inactive", value=document.agreement, day=issued_on)


@rule("V2", COO, at(ERROR, I, R), article="4.1")
def kind_exists(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The kind of certificate exists in the agreement."""
    if coo.kind not in case.agreement.kinds:
        yield complain("kind", value=coo.kind.value)


@rule("V3", COO, at(ERROR, I, S), article="4.2")
def certificate_is_preferential(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A certificate that calls itself non-preferential never travels under the agreement."""
    marks = [_plain(mark) for mark in case.agreement.non_preferential_marks]
    places = [("certification.statement", coo.certification.statement)]
    places += [(f"endorsements[{i}].text", e.text) for i, e in enumerate(coo.endorsements)]
    places += [("remarks", coo.remarks or "")]
    for path, text in places:
        if any(mark in _plain(text) for mark in marks):
            yield complain(path, agreement=case.agreement.id)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@rule("V4", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION, article="9.1(g)")
def issuing_country_is_a_member(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The exporting country is a member state, and the issuing authority is that state's."""
    if case.agreement.member(coo.exporting_country, coo.issued_at.date()) is None:
        yield complain(
            "exporting_country", value=coo.exporting_country, agreement=case.agreement.id
        )
    if coo.issuing_authority.country != coo.exporting_country:
        yield complain(
            "issuing_authority.country",
            "authority",
            value=coo.issuing_authority.country,
            expected=coo.exporting_country,
        )


@rule("V7", COO, at(ERROR, I, R), box=BoxField.CONSIGNEE, article="6.1")
def destination_is_another_member(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The destination is a member state other than the exporting one."""
    if coo.destination_country == coo.exporting_country:
        yield complain("destination_country", "same", value=coo.destination_country)
    elif case.agreement.member(coo.destination_country, coo.issued_at.date()) is None:
        yield complain(
            "destination_country", value=coo.destination_country, agreement=case.agreement.id
        )


@rule("V9", COO, at(WARNING, I))
def narrower_union_has_its_own_certificate(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Between partners of a customs union within the agreement, the union's form is expected."""
    for union in case.agreement.customs_unions:
        if {coo.exporting_country, coo.destination_country} <= set(union.members):
            yield complain("agreement", union=union.name, value=coo.agreement)


@rule("V10", COO, at(WARNING, I, C))
def actual_preference_is_shown(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Where the importing state does not grant the full preference, the reader is told."""
    member = case.agreement.member(coo.destination_country, coo.issued_at.date())
    if member is not None and member.preference is not Preference.FULL and member.note is not None:
        yield complain("destination_country", value=coo.destination_country, note=member.note)


@rule("V18", COO, at(ERROR, I, R), box=BoxField.SERIAL_NUMBER, article="9.1(d)")
def serial_number_agrees_with_the_document(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The serial number has the agreed form and names the date of issue and the country."""
    parts = case.agreement.serial_parts(coo.serial_number)
    if parts is None:
        example = case.agreement.serial_number.example
        yield complain("serial_number", value=coo.serial_number, example=example)
        return
    if parts.day != coo.issued_at.date():
        yield complain(
            "serial_number", "date", value=coo.serial_number, expected=coo.issued_at.date()
        )
    if parts.country != coo.exporting_country:
        yield complain(
            "serial_number", "country", value=coo.serial_number, expected=coo.exporting_country
        )


@rule("V19", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION)
def date_of_issue_is_plausible(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The date of issue lies neither in the future nor before the application."""
    skew = timedelta(minutes=case.agreement.limits.skew_minutes)
    if coo.issued_at > case.facts.now + skew:
        yield complain("issued_at", value=coo.issued_at, now=case.facts.now)
    if coo.retrospective is not None and coo.retrospective.applied_on > coo.issued_at.date():
        yield complain(
            "retrospective.applied_on",
            "application",
            value=coo.retrospective.applied_on,
            day=coo.issued_at.date(),
        )
    if coo.declaration.signed_at > coo.issued_at + skew:
        yield complain(
            "declaration.signed_at",
            "declaration",
            severity=WARNING,
            box=BoxField.DECLARATION,
            value=coo.declaration.signed_at,
            day=coo.issued_at,
        )


@rule("V72", COO, at(ERROR, I, R))
def validity_is_as_agreed(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The validity ends the agreed number of months after the date of issue."""
    issued_on = coo.issued_at.date()
    expected = add_months(issued_on, case.agreement.validity_months)
    if coo.valid_until < coo.valid_from:
        yield complain("valid_until", "reversed", value=coo.valid_until, start=coo.valid_from)
    elif coo.valid_until != expected:
        yield complain(
            "valid_until",
            severity=WARNING,
            value=coo.valid_until,
            expected=expected,
            months=case.agreement.validity_months,
        )
    if coo.valid_from < issued_on:
        yield complain("valid_from", "early", severity=WARNING, value=coo.valid_from, day=issued_on)


@rule("V75", COO, at(ERROR, I, R), article="9.1(f)")
def replacement_names_what_it_replaces(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A replacement names the old serial number, is another certificate, and comes before use."""
    if coo.purpose is Purpose.REPLACEMENT and coo.replaces is None:
        yield complain("replaces")
    if coo.replaces is None:
        return
    if coo.purpose is Purpose.ORIGINAL:
        yield complain("purpose", "purpose", value=coo.replaces.serial_number)
    if coo.replaces.serial_number == coo.serial_number:
        yield complain("replaces.serial_number", "itself", value=coo.serial_number)
    if case.facts.register is None:
        return
    old = case.facts.register.replaced
    if old is None:
        yield complain(
            "replaces.serial_number",
            "unknown",
            severity=WARNING,
            value=coo.replaces.serial_number,
        )
    elif old.is_used:
        yield complain("replaces.serial_number", "used", value=coo.replaces.serial_number)


@rule("V76", COO, at(ERROR, I, R))
def cancellation_has_a_reason_and_comes_before_use(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """A cancellation gives its reason, refers to a known certificate and comes before any use."""
    if coo.purpose is not Purpose.CANCELLATION:
        if coo.cancellation_reason is not None:
            yield complain("cancellation_reason", "purpose")
        return
    if coo.cancellation_reason is None:
        yield complain("cancellation_reason")
    if case.facts.register is None:
        return
    known = case.facts.register.same_serial
    if known is None:
        yield complain("serial_number", "unknown", value=coo.serial_number)
    elif known.is_used:
        yield complain("serial_number", "used", value=coo.serial_number)
