"""The business documents as frozen, strictly typed records; no I/O and no XML here."""

from gateway.documents.acknowledgement import Acknowledgement
from gateway.documents.books_statement import BooksStatement
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import (
    BooksOutcome,
    BooksStatus,
    CertificateKind,
    DocumentType,
    Language,
    Purpose,
    Severity,
    UtilisationStatus,
    Verdict,
)
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.findings import Finding, LocalisedText, verdict_of
from gateway.documents.shape import (
    Document,
    document_number_of,
    document_type_of,
    from_json,
    from_values,
)

__all__ = [
    "Acknowledgement",
    "BooksOutcome",
    "BooksStatement",
    "BooksStatus",
    "CertificateKind",
    "CertificateOfOrigin",
    "CustomsResponse",
    "Document",
    "DocumentType",
    "Finding",
    "Language",
    "LocalisedText",
    "Purpose",
    "Severity",
    "UtilisationStatus",
    "Verdict",
    "document_number_of",
    "document_type_of",
    "from_json",
    "from_values",
    "verdict_of",
]
