"""What verification and the directory of authorities found out about the signatures.

The signatures themselves are verified elsewhere; these rules give the outcome its severity,
article and words.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.agreements.facts import SpecimenMatch
from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import (
    ERROR,
    QUERY,
    WARNING,
    C,
    Case,
    Complaint,
    I,
    R,
    at,
    complain,
    rule,
)
from gateway.agreements.rules.identity import BUSINESS, COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.customs_response import CustomsResponse
from gateway.errors import (
    AlgorithmNotAllowedError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureShapeError,
)

_SIGNATURE_CODES = frozenset(
    error.code
    for error in (
        AlgorithmNotAllowedError,
        SignatureInvalidError,
        SignatureMissingError,
        SignatureShapeError,
    )
)


def author_country(document: CertificateOfOrigin | CustomsResponse) -> str:
    """Return the country whose authority made the document."""
    if isinstance(document, CertificateOfOrigin):
        return document.exporting_country
    return document.customs_authority.country


@rule("V11", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION, article="16.4")
def authority_is_in_the_directory(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The issuing authority was in the directory, with a valid mandate, on the date of issue."""
    signature = case.facts.signature
    if signature is not None and signature.authority_registered is False:
        yield complain("issuing_authority.code", value=coo.issuing_authority.code)


@rule("V12", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION)
def officer_was_active(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The signing officer was active in that office on the date of issue."""
    signature = case.facts.signature
    if signature is not None and signature.officer_registered is False:
        officer = coo.certification
        yield complain("certification.identifier", value=officer.identifier or officer.name)


@rule("V13", BUSINESS, at(ERROR, I, R), box=BoxField.CERTIFICATION, article="1")
def signer_is_trusted(
    document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """The signing certificate is trusted for the author's country and was valid at signing."""
    signature = case.facts.signature
    if signature is None:
        return
    if signature.error_code is not None and signature.error_code not in _SIGNATURE_CODES:
        yield complain("", value=signature.error_code, signer=signature.signer_subject or "–")
    expected = author_country(document)
    if signature.signer_country is not None and signature.signer_country != expected:
        yield complain("", "country", value=signature.signer_country, expected=expected)


@rule("V14", BUSINESS, at(ERROR, R), box=BoxField.CERTIFICATION, article="5.5")
def signature_verifies(
    _document: CertificateOfOrigin | CustomsResponse, case: Case
) -> Iterator[Complaint]:
    """Digest and signature verify over the document as it was signed."""
    signature = case.facts.signature
    if signature is not None and signature.error_code in _SIGNATURE_CODES:
        yield complain("", value=signature.error_code)


@rule("V15", COO, at(ERROR, I, R), box=BoxField.DECLARATION, article="8.2(b)")
def exporter_signed_too(_coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Where the agreement demands it, the exporter signed digitally before the official."""
    signature = case.facts.signature
    if signature is None or not case.agreement.signatures.exporter:
        return
    if not signature.exporter_signed:
        yield complain("declaration")


@rule("V16", COO, at(QUERY, R, C), box=BoxField.CERTIFICATION, article="9.1(i)")
def stamp_and_signature_match_the_specimens(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The pictures of stamp and signature are there and equal the circulated specimens."""
    if coo.stamp is None:
        yield complain("stamp", "missing", severity=WARNING)
    if coo.certification.image is None:
        yield complain("certification.image", "missing", severity=WARNING)
    facts = case.facts.signature
    if facts is None:
        return
    for path, match in (("stamp", facts.stamp), ("certification.image", facts.signature)):
        if match is SpecimenMatch.DIFFERENT:
            yield complain(path)
        elif match is SpecimenMatch.UNLISTED:
            yield complain(path, "unlisted", severity=WARNING)
