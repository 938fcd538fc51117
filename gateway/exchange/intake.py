"""Reading what a national system hands over, in whichever form it speaks.

Canonical JSON, our message XML (signed or not), or a national format by name.  One file may
hold many certificates; a bad one harms no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.documents import (
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Finding,
    from_json,
)
from gateway.errors import GatewayError, InputError, InvalidDocumentError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.examine import message_type
from gateway.exchange.outbound import read_signed
from gateway.exchange.trust_findings import finding_of
from gateway.xml.namespaces import DS_NS, ECO_BASE
from gateway.xml.national import FormatMark, NationalFormat
from gateway.xml.parsing import parse

CANONICAL_JSON = "json"
MESSAGE_XML = "xml"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Is one document read from what was handed over.

    Attributes:
        reference: what the caller will recognise it by (serial number, line).
        document: None where it could not be read; then ``findings`` say why.
        signed: the bytes as signed by the authority, to be forwarded untouched.
        mapping: the mapping file of the national format that it was read with, if any.
    """

    reference: str
    document: Document | None
    findings: tuple[Finding, ...] = ()
    signed: bytes | None = None
    mapping: FormatMark | None = None


def read_certificates(
    desk: Desk, raw: bytes, form: str | None, national: Mapping[str, NationalFormat]
) -> tuple[Reading, ...]:
    """Return every certificate of origin in ``raw``.

    Args:
        form: ``json`` (canonical), ``xml`` (our message), the name of a national format, or
            None to tell ``json`` and ``xml`` apart by themselves.

    Raises:
        NotFoundError: no format has this name.
        InputError: the form is not given and cannot be told.
    """
    chosen = form or recognised(raw)
    if chosen == CANONICAL_JSON:
        return (_from_json(raw),)
    if chosen == MESSAGE_XML:
        return (_from_xml(desk, raw),)
    format_ = national_format(chosen, national)
    return tuple(
        Reading(
            reference=found.reference,
            document=found.document,
            findings=found.findings,
            mapping=format_.mark,
        )
        for found in format_.read(raw)
    )


def national_format(name: str, national: Mapping[str, NationalFormat]) -> NationalFormat:
    """Return the national format called ``name``.

    Raises:
        NotFoundError: there is none; the detail lists those there are.
    """
    found = national.get(name)
    if found is None:
        known = ", ".join((CANONICAL_JSON, MESSAGE_XML, *sorted(national)))
        raise NotFoundError(f"no format is called {name!r}; known: {known}")
    return found


def recognised(raw: bytes) -> str:
    """Return ``json`` or ``xml`` for what is plainly the one or the other form of ours.

    Raises:
        InputError: it is neither; the caller must name the format.
    """
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<" and ECO_BASE.encode() in raw:
        return MESSAGE_XML
    if start == b"{" and _looks_canonical(raw):
        return CANONICAL_JSON
    raise InputError("the format cannot be told from the content; name it with --format")


def read_message(desk: Desk, raw: bytes) -> tuple[Document, bool]:
    """Return the document of our own message XML, and whether it is signed.

    The signature is not verified here.

    Raises:
        GatewayError: the bytes are no message of ours.
    """
    root = parse(raw)
    desk.schemas.require_valid(root)
    document_type = message_type(root)
    signed = root.find(f"{{{DS_NS}}}Signature") is not None
    return desk.tables[document_type].read(root), signed


def read_any_json(raw: bytes) -> Document:
    """Return the certificate or customs response written in canonical JSON.

    Raises:
        InvalidDocumentError: it is neither, with a finding for each thing that does not fit.
    """
    if b'"response_number"' in raw:
        return from_json(CustomsResponse, raw)
    return from_json(CertificateOfOrigin, raw)


def _from_json(raw: bytes) -> Reading:
    try:
        document = from_json(CertificateOfOrigin, raw)
    except InvalidDocumentError as exc:
        return Reading(reference="document", document=None, findings=exc.findings)
    return Reading(reference=document.serial_number, document=document)


def _from_xml(desk: Desk, raw: bytes) -> Reading:
    try:
        document, signed = read_message(desk, raw)
        if signed:
            document = read_signed(desk, raw)
    except GatewayError as exc:
        if exc.retryable:
            raise
        return Reading(
            reference="document", document=None, findings=exc.findings or (finding_of(exc),)
        )
    if not isinstance(document, CertificateOfOrigin):
        raise InputError(f"a {DocumentType.CERTIFICATE_OF_ORIGIN} is expected here")
    return Reading(
        reference=document.serial_number, document=document, signed=raw if signed else None
    )


def _looks_canonical(raw: bytes) -> bool:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "agreement" in value and "items" in value
