"""Customs responses: what they answer, why, how much they use, and in time."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gateway.agreements.facts import KnownCertificate, KnownItem
from gateway.agreements.parts import Use
from gateway.agreements.rulebook import (
    ERROR,
    QUERY,
    WARNING,
    C,
    Case,
    Complaint,
    R,
    at,
    complain,
    rule,
)
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codelists import code_list
from gateway.documents.codes import UtilisationStatus
from gateway.documents.customs_response import CustomsResponse, UtilisedItem

RESPONSE = (CustomsResponse,)
_PER_CENT = Decimal(100)
_DECIDED = frozenset(
    {
        UtilisationStatus.ACCEPTED,
        UtilisationStatus.ACCEPTED_MINOR,
        UtilisationStatus.REJECTED,
        UtilisationStatus.PENDING,
    }
)


def _subject(case: Case) -> KnownCertificate | None:
    return None if case.facts.register is None else case.facts.register.subject


@rule("V73", COO, at(QUERY, C))
def certificate_is_presented_in_time(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A certificate is presented within its validity; later only for exceptional reasons."""
    today = case.facts.now.date()
    if today > coo.valid_until:
        yield complain("valid_until", value=today, last=coo.valid_until)


@rule("V73", RESPONSE, at(QUERY, C))
def declaration_was_in_time(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """The import declaration lies within the certificate's validity."""
    subject = _subject(case)
    if subject is None or response.declaration is None or not response.status.uses_goods:
        return
    day = response.declaration.declared_on
    if day > subject.valid_until:
        yield complain("declaration.declared_on", value=day, last=subject.valid_until)


@rule("V87", RESPONSE, at(ERROR, R), article="11.1")
def response_answers_a_certificate_we_sent(
    response: CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """A customs response answers a certificate issued here and sent to that customs."""
    if case.facts.register is None:
        return
    subject, named = case.facts.register.subject, response.certificate
    if subject is None:
        yield complain("certificate.serial_number", value=named.serial_number)
        return
    if subject.issued_on != named.issued_on:
        yield complain(
            "certificate.issued_on", "date", value=named.issued_on, expected=subject.issued_on
        )
    if subject.destination_country != response.customs_authority.country:
        yield complain(
            "customs_authority.country",
            "country",
            value=response.customs_authority.country,
            expected=subject.destination_country,
        )


@rule("V88", RESPONSE, at(ERROR, C) | at(WARNING, R), article="11.2(j)")
def refusal_is_explained(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """Rejection, query, suspension and withdrawal give reasons in detail."""
    if not response.status.needs_reason:
        return
    if not response.reasons:
        yield complain("reasons", value=response.status.value)
    minimum = case.agreement.limits.minimum_reason
    for index, reason in enumerate(response.reasons):
        if len(" ".join(reason.text.split())) < minimum:
            yield complain(f"reasons[{index}].text", "short", minimum=minimum)


@rule("V89", RESPONSE, at(ERROR, C))
def use_stays_within_what_is_left(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """What is written off stays within what is left; a full use leaves nothing over."""
    if response.status.uses_goods and not response.items:
        yield complain("items", "missing", value=response.status.value)
    for index, item in enumerate(response.items):
        if item.quantity.value < 0 or item.cumulative.value < item.quantity.value:
            yield complain(f"items[{index}].cumulative.value", "less", number=item.number)
    subject = _subject(case)
    if subject is None:
        return
    known = {item.number: item for item in subject.items}
    for index, item in enumerate(response.items):
        yield from _against_balance(f"items[{index}]", item, known.get(item.number))
    if response.status is UtilisationStatus.FULL:
        yield from _left_over(response, subject, case.agreement.limits.use_tolerance_percent)


def _against_balance(path: str, item: UtilisedItem, known: KnownItem | None) -> Iterator[Complaint]:
    if known is None:
        yield complain(f"{path}.number", "number", number=item.number)
        return
    if {item.quantity.unit, item.cumulative.unit} != {known.unit}:
        yield complain(
            f"{path}.quantity.unit", "unit", value=item.quantity.unit, expected=known.unit
        )
        return
    if item.cumulative.value > known.certified - known.reexported:
        yield complain(
            f"{path}.cumulative.value",
            value=item.cumulative.value,
            left=known.certified - known.reexported,
            number=item.number,
            unit=known.unit,
        )


def _left_over(
    response: CustomsResponse, subject: KnownCertificate, tolerance: Decimal
) -> Iterator[Complaint]:
    used = {item.number: item.cumulative.value for item in response.items}
    for known in subject.items:
        left = known.certified - known.reexported - used.get(known.number, known.used)
        if left * _PER_CENT > known.certified * tolerance:
            yield complain("status", "left", number=known.number, left=left, unit=known.unit)


@rule("V90", RESPONSE, at(ERROR, C))
def certificate_is_used_once(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """Where the agreement allows one use only, a certificate is used once and wholly."""
    if case.agreement.use is Use.PARTIAL or not response.status.uses_goods:
        return
    if response.status is UtilisationStatus.PARTIAL:
        yield complain("status")
    subject = _subject(case)
    if subject is None or response.sequence_number <= subject.last_sequence:
        return
    if subject.is_used:
        yield complain("certificate.serial_number", "again", value=subject.serial_number)


@rule("V91", RESPONSE, at(WARNING, C), article="11.1")
def response_is_in_time(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """A customs response is sent within the certificate's validity; a late one is still sent."""
    subject = _subject(case)
    if subject is not None and response.issued_at.date() > subject.valid_until:
        yield complain("issued_at", value=response.issued_at.date(), last=subject.valid_until)


@rule("V92", RESPONSE, at(ERROR, C))
def response_names_the_declaration(response: CustomsResponse, _case: Case) -> Iterator[Complaint]:
    """A decision names the import declaration with its date and customs office."""
    uses = response.status.uses_goods
    if not uses and response.status not in _DECIDED:
        return
    severity = None if uses else WARNING
    if response.declaration is None:
        yield complain("declaration", severity=severity)
    elif not (response.declaration.office_code or response.customs_authority.office_code):
        yield complain("declaration.office_code", "office", severity=severity)


@rule("V94", RESPONSE, at(WARNING, C))
def one_query_per_ground(response: CustomsResponse, case: Case) -> Iterator[Complaint]:
    """One certificate has one open query on one ground."""
    subject = _subject(case)
    if subject is None or response.status is not UtilisationStatus.UNDER_QUERY:
        return
    for index, reason in enumerate(response.reasons):
        if reason.code in subject.open_grounds and response.sequence_number > subject.last_sequence:
            yield complain(f"reasons[{index}].code", value=reason.code)


@rule("V98", RESPONSE, at(QUERY, C), article="11.2(g)(ii)")
def slight_discrepancies_do_not_reject(
    response: CustomsResponse, _case: Case
) -> Iterator[Complaint]:
    """Slight discrepancies alone do not make a rejection."""
    if response.status is not UtilisationStatus.REJECTED or not response.reasons:
        return
    if all(_is_minor(reason.code) for reason in response.reasons):
        yield complain("status", value=", ".join(reason.code for reason in response.reasons))


def _is_minor(code: str) -> bool:
    entry = code_list("response-reasons").entry(code)
    return entry is not None and entry.attributes.get("minor") == "yes"
