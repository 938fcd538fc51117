"""Exporter, consignee and what the copy of the exporter registry says about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import (
    ERROR,
    QUERY,
    WARNING,
    Case,
    Complaint,
    I,
    R,
    at,
    complain,
    rule,
)
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import CertificateKind, Language

NUMBER = "exporter.registration_number"
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


@rule("V20", COO, at(ERROR, I, R), box=BoxField.REGISTRATION_NUMBER, article="6.2(i)")
def registration_number_has_its_form(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The exporter's registration number is there and has the agreed form."""
    number = coo.exporter.registration_number
    example = case.agreement.registration_number.example
    if number is None:
        if coo.kind is not CertificateKind.SIMPLIFIED:
            yield complain(NUMBER, "missing", example=example)
    elif case.agreement.registration_country(number) is None:
        yield complain(NUMBER, value=number, example=example)


@rule("V21", COO, at(ERROR, I, R), box=BoxField.REGISTRATION_NUMBER, article="6.2(i)")
def registration_number_is_of_the_exporting_country(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The country in the registration number is the exporting country."""
    number = coo.exporter.registration_number
    country = None if number is None else case.agreement.registration_country(number)
    if country is not None and country != coo.exporting_country:
        yield complain(NUMBER, value=number, expected=coo.exporting_country)


@rule("V22", COO, at(ERROR, I) | at(QUERY, R), box=BoxField.REGISTRATION_NUMBER, article="8.2(d)")
def exporter_is_in_the_registry(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The registration number stands in the copy of the exporter registry."""
    registry = case.facts.registry
    if registry is not None and not registry.known and coo.exporter.registration_number:
        yield complain(NUMBER, value=coo.exporter.registration_number)


@rule("V23", COO, at(ERROR, I) | at(QUERY, R), box=BoxField.REGISTRATION_NUMBER, article="7.2")
def registration_held_on_the_date_of_issue(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The exporter's registration had begun and not lapsed on the date of issue."""
    registry, day = case.facts.registry, coo.issued_at.date()
    if registry is None or not registry.known:
        return
    number = coo.exporter.registration_number
    if registry.valid_from is not None and day < registry.valid_from:
        yield complain(NUMBER, value=number, day=registry.valid_from)
    if registry.valid_until is not None and day > registry.valid_until:
        yield complain(NUMBER, "lapsed", value=number, day=registry.valid_until)


@rule("V24", COO, at(ERROR, I) | at(QUERY, R), box=BoxField.REGISTRATION_NUMBER, article="7.6")
def registration_was_not_revoked(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The registration was not revoked on the date of issue; a later revocation has no effect."""
    registry = case.facts.registry
    if registry is None or registry.revoked_on is None:
        return
    if registry.revoked_on <= coo.issued_at.date():
        yield complain(NUMBER, value=coo.exporter.registration_number, day=registry.revoked_on)


@rule("V27", COO, at(WARNING, I, R), box=BoxField.EXPORTER, article="9.1(b)")
def exporter_has_the_registered_name(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The exporter's name is the one in the registry."""
    registry = case.facts.registry
    if registry is None or registry.name is None:
        return
    if _plain(registry.name) != _plain(coo.exporter.name):
        yield complain("exporter.name", value=coo.exporter.name, expected=registry.name)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.sub(r"[^\w\s]", " ", letters).split())


@rule("V28", COO, at(ERROR, I), box=BoxField.EXPORTER, article="6.1")
def exporter_sits_in_the_exporting_country(
    coo: CertificateOfOrigin, _case: Case
) -> Iterator[Complaint]:
    """The exporter's address lies in the exporting country."""
    if coo.exporter.address.country != coo.exporting_country:
        yield complain(
            "exporter.address.country",
            value=coo.exporter.address.country,
            expected=coo.exporting_country,
        )


@rule("V29", COO, at(ERROR, I), box=BoxField.CONSIGNEE)
def consignee_sits_in_the_destination(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """The consignee's country is the destination, unless the goods travel to order."""
    country = coo.consignee.address.country
    if country == coo.destination_country:
        return
    variant = "order" if coo.consignee.to_order else None
    yield complain(
        "consignee.address.country",
        variant,
        severity=WARNING if coo.consignee.to_order else None,
        value=country,
        expected=coo.destination_country,
    )


@rule("V71", COO, at(ERROR, I), box=BoxField.EXPORTER, article="12")
def small_trader_is_identified(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """A small-scale trader has some number: a registration number or a personal one."""
    exporter = coo.exporter
    if coo.kind is CertificateKind.SIMPLIFIED and not (
        exporter.registration_number or exporter.trader_id
    ):
        yield complain("exporter.trader_id")


@rule("V80", COO, at(WARNING, I), article="2.5")
def names_can_be_read_at_the_destination(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Names in Arabic script carry a Latin form where the destination does not read Arabic."""
    member = case.agreement.member(coo.destination_country, coo.issued_at.date())
    if member is None or Language.ARABIC in member.languages:
        return
    for path, name, box in (
        ("exporter.name", coo.exporter.name, BoxField.EXPORTER),
        ("consignee.name", coo.consignee.name, BoxField.CONSIGNEE),
    ):
        if _ARABIC.search(name) and not _LATIN.search(name):
            yield complain(path, box=box, value=name, country=coo.destination_country)
