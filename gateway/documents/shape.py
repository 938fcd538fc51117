"""Reading documents from JSON: every shape error becomes a finding with its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.documents.acknowledgement import Acknowledgement
from gateway.documents.base import Record
from gateway.documents.books_statement import BooksStatement
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import DocumentType, Severity
from gateway.documents.customs_response import CustomsResponse
from gateway.documents.findings import Finding, LocalisedText
from gateway.errors import InvalidDocumentError

Document = CertificateOfOrigin | CustomsResponse | Acknowledgement | BooksStatement
AnyRecord = TypeVar("AnyRecord", bound=Record)

MODELS: Mapping[DocumentType, type[Document]] = {
    DocumentType.CERTIFICATE_OF_ORIGIN: CertificateOfOrigin,
    DocumentType.CUSTOMS_RESPONSE: CustomsResponse,
    DocumentType.ACKNOWLEDGEMENT: Acknowledgement,
    DocumentType.BOOKS_STATEMENT: BooksStatement,
}


def document_type_of(document: Document) -> DocumentType:
    """Return the type of ``document``."""
    return DocumentType(type(document).__name__)


def document_number_of(document: Document) -> str:
    """Return the number that the document's author gave it."""
    if isinstance(document, CertificateOfOrigin):
        return document.serial_number
    if isinstance(document, CustomsResponse):
        return document.response_number
    if isinstance(document, BooksStatement):
        return document.statement_number
    return document.acknowledgement_number


def from_json(model: type[AnyRecord], raw: bytes | str) -> AnyRecord:
    """Return the document written in ``raw`` as JSON.

    Raises:
        InvalidDocumentError: with one finding for each thing that does not fit.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as exc:
        raise _invalid(model, exc) from exc


def from_values(model: type[AnyRecord], values: Mapping[str, object]) -> AnyRecord:
    """Return the document built from Python values; the same checks as ``from_json``.

    Raises:
        InvalidDocumentError: with one finding for each thing that does not fit.
    """
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        raise _invalid(model, exc) from exc


def shape_finding(path: str, reason: str) -> Finding:
    """Return the finding that says ``reason`` about the datum at ``path``."""
    return Finding(
        rule="SHAPE",
        severity=Severity.ERROR,
        path=path[:300],
        message=LocalisedText(
            en=f"The value does not fit: {reason}",
            fr=f"La valeur ne convient pas : {reason}",
            ar=f"القيمة غير مناسبة: {reason}",
        ),
        remedy=LocalisedText(
            en="Correct the value as the document description says.",
            fr="Corrigez la valeur selon la description du document.",
            ar="صحّح القيمة وفق وصف المستند.",
        ),
    )


def _invalid(model: type[Record], exc: ValidationError) -> InvalidDocumentError:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    findings = [shape_finding(_path(error), error["msg"][:400]) for error in errors]
    return InvalidDocumentError(
        f"{model.__name__}: {len(findings)} value(s) do not fit the document's shape",
        findings=findings,
    )


def _path(error: ErrorDetails) -> str:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path
