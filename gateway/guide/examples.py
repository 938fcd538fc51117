"""The examples of the guide: documents of the demonstration, rendered by the product itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from gateway.agreements import Facts, Point, check, load_agreements
from gateway.demo.manifest import Consignment, load_manifest
from gateway.documents import (
    Acknowledgement,
    BooksStatement,
    CertificateKind,
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Purpose,
    Verdict,
    document_type_of,
    from_json,
    verdict_of,
)
from gateway.documents.base import Record
from gateway.documents.certificate_of_origin import ReplacedCertificate
from gateway.documents.codelists import code_list
from gateway.envelope import Header, wrap
from gateway.errors import ConfigError, InvalidDocumentError
from gateway.xml.annotated import Line, annotated, lines_of
from gateway.xml.mapping import load_tables

NOW: Final = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
_PAPERS: Final = Path(__file__).with_name("papers")
_MESSAGE_ID: Final = "urn:uuid:018f2c1e-6f5e-7b77-9f7a-2b1d3c4e5f60"
_BAD: Final = "bad-hs-chapter-77"
_CANCELLED: Final = "The consignment was never shipped."
_MISTAKE: Final = "The number of packages of item 1 was stated wrongly."
Paper = TypeVar("Paper", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Example:
    """Is one message as the product writes it.

    Attributes:
        json_text: the document in canonical JSON, for people to read; empty for an envelope.
    """

    title: str
    note: str
    lines: tuple[Line, ...]
    json_text: str = ""


@cache
def examples(kind: DocumentType) -> tuple[Example, ...]:
    """Return the examples of a type of message.

    Raises:
        ConfigError: a consignment of the demonstration that an example rests on is missing.
    """
    makers = {
        DocumentType.CERTIFICATE_OF_ORIGIN: _certificates,
        DocumentType.CUSTOMS_RESPONSE: _responses,
        DocumentType.ACKNOWLEDGEMENT: _acknowledgements,
        DocumentType.BOOKS_STATEMENT: _statements,
    }
    return tuple(makers[kind]())


def envelope_example() -> Example:
    """Return the envelope around the first example, as it is before it is signed."""
    table = load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN]
    header = Header(
        message_id=_MESSAGE_ID,
        sender="ZM-SW",
        sender_country="ZM",
        receiver="KE-SW",
        receiver_country="KE",
        document_type=table.document_type,
        document_version=table.version,
        created_at=NOW,
        conversation_id="urn:uuid:018f2c1e-0000-7b77-9f7a-2b1d3c4e5f60",
        test=False,
    )
    payload = table.render(_first(CertificateKind.STANDARD)[1])
    return Example(
        title="An envelope",
        note="What carries the standard certificate above; the payload is base64.",
        lines=lines_of(wrap(header, payload)),
    )


def _example(title: str, note: str, document: Document) -> Example:
    return Example(
        title=title,
        note=note,
        lines=annotated(load_tables()[document_type_of(document)], document),
        json_text=document.model_dump_json(exclude_none=True, indent=2),
    )


def _certificates() -> Iterator[Example]:
    for kind in CertificateKind:
        consignment, document = _first(kind)
        yield _example(f"{kind.value.capitalize()} certificate", consignment.story.en, document)
    _, standard = _first(CertificateKind.STANDARD)
    replaced = ReplacedCertificate(
        serial_number=standard.serial_number,
        issued_on=standard.issued_at.date(),
        reason=_MISTAKE,
    )
    number = standard.serial_number
    changed = {
        "purpose": Purpose.REPLACEMENT,
        "serial_number": f"{number[:-3]}{int(number[-3:]) + 1:03d}",
        "replaces": replaced,
    }
    yield _example(
        "Replacement",
        "A new certificate takes the place of another one, which it names with the reason.",
        standard.model_copy(update=changed),
    )
    yield _example(
        "Cancellation",
        "The certificate as issued, sent once more with another purpose and the reason.",
        standard.model_copy(
            update={"purpose": Purpose.CANCELLATION, "cancellation_reason": _CANCELLED}
        ),
    )


def _first(kind: CertificateKind) -> tuple[Consignment, CertificateOfOrigin]:
    for consignment in load_manifest().consignments:
        document = consignment.reading(NOW).document if consignment.submission.accepted else None
        if isinstance(document, CertificateOfOrigin) and document.kind is kind:
            return consignment, document
    raise ConfigError(f"the demonstration has no accepted certificate of the kind {kind.value}")


def _responses() -> Iterator[Example]:
    yield _example(
        "Customs used part of the goods",
        "Quantities of this response, and totals with all responses before it.",
        _paper(CustomsResponse, "response-partial.json"),
    )
    yield _example(
        "Customs rejected the certificate",
        "Reasons are obligatory; the security that the trader gave is named.",
        _paper(CustomsResponse, "response-rejected.json"),
    )


def _statements() -> Iterator[Example]:
    yield _example(
        "What was sent on one day",
        "The sender states the day's messages and totals; the receiver answers in the same form.",
        _paper(BooksStatement, "books-statement.json"),
    )


def _acknowledgements() -> Iterator[Example]:
    good = _first(CertificateKind.STANDARD)[1]
    yield _example(
        "The receiver took the document", "The receipt: proof of delivery.", _receipt(good, good)
    )
    (bad,) = (each for each in load_manifest().consignments if each.id == _BAD)
    refused = bad.reading(NOW).document
    if not isinstance(refused, CertificateOfOrigin):
        raise ConfigError(f"the consignment {_BAD} of the demonstration cannot be read")
    yield _example(
        "The receiver refused the document",
        "Every finding in three languages, with path, box and article.",
        _receipt(refused, refused),
    )


def _receipt(document: CertificateOfOrigin, judged: CertificateOfOrigin) -> Acknowledgement:
    agreement = load_agreements()[judged.agreement]
    facts = Facts(point=Point.RECEIPT, now=NOW, own_country=judged.destination_country)
    findings = check(judged, agreement, facts)
    verdict = verdict_of(findings)
    return Acknowledgement(
        acknowledgement_number="KE-ACK-2026-000789",
        issued_at=NOW,
        sender="KE-SW",
        sender_country="KE",
        receiver="ZM-SW",
        receiver_country="ZM",
        message_id=_MESSAGE_ID,
        envelope_sha256=_digest(),
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_number=document.serial_number,
        received_at=NOW,
        verdict=verdict,
        code=InvalidDocumentError.code if verdict is Verdict.REFUSED else None,
        findings=findings,
    )


def _paper(model: type[Paper], name: str) -> Paper:
    """Return an example written as canonical JSON, with what follows from others put in."""
    certificate = _first(CertificateKind.STANDARD)[1]
    issued_on: date = certificate.issued_at.date()
    text = (_PAPERS / name).read_text(encoding="utf-8")
    for place, value in (
        ("{serial}", certificate.serial_number),
        ("{issued_on}", issued_on.isoformat()),
        ("{reason}", next(iter(code_list("response-reasons"))).code),
        ("{digest}", _digest()),
    ):
        text = text.replace(place, value)
    return from_json(model, text.encode())


def _digest() -> str:
    return hashlib.sha256(_MESSAGE_ID.encode()).hexdigest()
