"""What the envelope and the peer's profile say: who sends to whom, when, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gateway.agreements.rulebook import ERROR, WARNING, Case, Complaint, R, S, at, complain, rule
from gateway.agreements.rules.identity import BUSINESS, COO
from gateway.agreements.rules.trust import author_country
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.customs_response import CustomsResponse


@rule("V8", COO, at(WARNING, S), article="18.4")
def destination_takes_electronic_certificates(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The destination takes electronic certificates of this kind today; else paper must travel."""
    if case.facts.wire is not None and case.facts.wire.destination_live is False:
        yield complain("destination_country", value=coo.destination_country)


@rule("V83", BUSINESS, at(ERROR, R))
def message_id_is_unique(
    _document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """A sender uses a message id for one content only."""
    if case.facts.wire is not None and case.facts.wire.message_id_reused:
        yield complain("")


@rule("V85", BUSINESS, at(ERROR, R), article="1")
def sender_speaks_for_itself(
    document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """The message is for this country, and its sender, signer and author are one country."""
    wire = case.facts.wire
    if wire is None:
        return
    if wire.receiver_country != wire.own_country:
        yield complain("", value=wire.receiver_country, expected=wire.own_country)
    if wire.signer_country is not None and wire.signer_country != wire.sender_country:
        yield complain("", "signer", value=wire.signer_country, expected=wire.sender_country)
    author = author_country(document)
    if author != wire.sender_country:
        path = (
            "exporting_country"
            if isinstance(document, CertificateOfOrigin)
            else "customs_authority.country"
        )
        yield complain(path, "author", value=author, expected=wire.sender_country)


@rule("V86", BUSINESS, at(WARNING, R))
def message_is_fresh(
    _document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """The message was made neither in the future nor longer ago than the agreement allows."""
    wire, limits = case.facts.wire, case.agreement.limits
    if wire is None or wire.created_at is None:
        return
    if wire.created_at > case.facts.now + timedelta(minutes=limits.skew_minutes):
        yield complain("", "future", value=wire.created_at, now=case.facts.now)
    oldest = case.facts.now - timedelta(days=limits.message_age_days)
    if wire.created_at < oldest and not wire.marked_late:
        yield complain("", value=wire.created_at, days=limits.message_age_days)
