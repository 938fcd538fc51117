"""Closed vocabularies of the business documents (values are what travels on the wire).

Open code lists (countries, units, packages …) are data: see ``gateway.documents.codelists``.
"""

from __future__ import annotations

from enum import StrEnum


class DocumentType(StrEnum):
    """Names every business document that a payload can be."""

    CERTIFICATE_OF_ORIGIN = "CertificateOfOrigin"
    CUSTOMS_RESPONSE = "CustomsResponse"
    ACKNOWLEDGEMENT = "Acknowledgement"
    BOOKS_STATEMENT = "BooksStatement"


class Language(StrEnum):
    """Lists the official languages of the trade area (regulation Art. 2.5)."""

    ENGLISH = "en"
    FRENCH = "fr"
    ARABIC = "ar"


class CertificateKind(StrEnum):
    """Lists the kinds of certificate (regulation Art. 4.1)."""

    STANDARD = "STANDARD"
    RETROSPECTIVE = "RETROSPECTIVE"
    REEXPORT = "REEXPORT"
    SIMPLIFIED = "SIMPLIFIED"


class Purpose(StrEnum):
    """Says why a certificate is sent (UN/EDIFACT 1225)."""

    ORIGINAL = "9"
    REPLACEMENT = "5"
    CANCELLATION = "1"


class ValueBasis(StrEnum):
    """Names the basis on which goods are valued."""

    EX_WORKS = "EXW"
    FREE_ON_BOARD = "FOB"
    COST_INSURANCE_FREIGHT = "CIF"


class UtilisationStatus(StrEnum):
    """Says what the importing customs did with a certificate (regulation Art. 11)."""

    RECEIVED = "RECEIVED"
    ACCEPTED = "ACCEPTED"
    ACCEPTED_MINOR = "ACCEPTED_MINOR"
    PARTIAL = "PARTIAL"
    FULL = "FULL"
    UNDER_QUERY = "UNDER_QUERY"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED_UNUSED = "EXPIRED_UNUSED"

    @property
    def needs_reason(self) -> bool:
        """Whether detailed reasons are obligatory (Art. 11.2(j))."""
        return self in _NEEDS_REASON

    @property
    def uses_goods(self) -> bool:
        """Whether the response writes quantities off."""
        return self in (UtilisationStatus.PARTIAL, UtilisationStatus.FULL)


_NEEDS_REASON = frozenset(
    {
        UtilisationStatus.UNDER_QUERY,
        UtilisationStatus.PENDING,
        UtilisationStatus.REJECTED,
        UtilisationStatus.WITHDRAWN,
    }
)


class Verdict(StrEnum):
    """Is the receiving gateway's signed answer to a delivered message."""

    ACCEPTED = "ACCEPTED"
    ACCEPTED_WITH_WARNINGS = "ACCEPTED_WITH_WARNINGS"
    REFUSED = "REFUSED"


class BooksStatus(StrEnum):
    """Says what a books statement amounts to."""

    STATED = "STATED"
    AGREED = "AGREED"
    DIFFERENCES = "DIFFERENCES"


class BooksOutcome(StrEnum):
    """Says how one entry of an answer compares with the statement it answers.

    UNKNOWN_HERE: stated, but the answering side does not hold it.  MISSING_THERE: the
    answering side holds it, but it was not stated.
    """

    MATCHED = "MATCHED"
    UNKNOWN_HERE = "UNKNOWN_HERE"
    OTHER_DIGEST = "OTHER_DIGEST"
    OTHER_VERDICT = "OTHER_VERDICT"
    OTHER_TOTAL = "OTHER_TOTAL"
    MISSING_THERE = "MISSING_THERE"


class Severity(StrEnum):
    """Orders findings: errors refuse, queries route to an officer, warnings inform."""

    ERROR = "ERROR"
    QUERY = "QUERY"
    WARNING = "WARNING"
