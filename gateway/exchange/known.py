"""What the register knows about the certificates that a document touches, as facts for rules."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.agreements import KnownCertificate, RegisterFacts
from gateway.documents import (
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Purpose,
)
from gateway.errors import ConflictError
from gateway.exchange.context import Desk
from gateway.register import register
from gateway.store import CertificateRow, Side, certificates
from gateway.xml.parsing import parse


def facts_about(conn: Connection, document: Document, *, outbound: bool) -> RegisterFacts:
    """Return what is known about the certificates that ``document`` touches.

    Args:
        outbound: the document is ours and on its way out; else a peer sent it.
    """
    if isinstance(document, CertificateOfOrigin):
        return _about_certificate(conn, document, Side.ISSUED if outbound else Side.RECEIVED)
    if isinstance(document, CustomsResponse):
        named = document.certificate
        side = Side.RECEIVED if outbound else Side.ISSUED
        found = register.known(conn, named.issuing_country, named.serial_number, side=side)
        return RegisterFacts(subject=found)
    return RegisterFacts()


def presumed_about(document: Document) -> RegisterFacts | None:
    """Return what the register most likely knows about what a peer sent, without asking it.

    That is nothing, for an original certificate that names no other.  None where it must be
    asked: of any other document something has to be known.
    """
    if not isinstance(document, CertificateOfOrigin) or document.purpose is not Purpose.ORIGINAL:
        return None
    names_another = document.replaces is not None or document.original_certificate is not None
    return None if names_another else RegisterFacts()


def facts_about_subject(conn: Connection, certificate: CertificateRow) -> RegisterFacts:
    """Return what is known about a certificate that customs are deciding on."""
    country, serial = certificate.issuing_country, certificate.serial_number
    return RegisterFacts(subject=register.known(conn, country, serial, side=certificate.side))


def submitted_before(conn: Connection, document: Document, known: RegisterFacts) -> str | None:
    """Return the message id under which this very certificate was submitted before.

    Args:
        known: what ``facts_about`` said of the document on its way out.
    """
    same = known.same_serial
    if same is None or not same.same_content or not isinstance(document, CertificateOfOrigin):
        return None
    row = certificates.find(conn, Side.ISSUED, document.exporting_country, document.serial_number)
    return None if row is None else row.message_id


def stored_certificate(
    desk: Desk, conn: Connection, certificate: CertificateRow
) -> CertificateOfOrigin:
    """Return the document of a registered certificate, read from its stored signed bytes."""
    table = desk.tables[DocumentType.CERTIFICATE_OF_ORIGIN]
    document = table.read(parse(certificates.content(conn, certificate)))
    if not isinstance(document, CertificateOfOrigin):
        raise ConflictError(f"{certificate.serial_number} is stored as another document")
    return document


def _about_certificate(
    conn: Connection, document: CertificateOfOrigin, side: Side
) -> RegisterFacts:
    country = document.exporting_country
    replaces, original = document.replaces, document.original_certificate
    return RegisterFacts(
        same_serial=register.known(
            conn, country, document.serial_number, side=side, document=document
        ),
        original=None
        if original is None
        else _either_side(conn, original.country, original.serial_number),
        replaced=None
        if replaces is None
        else register.known(conn, country, replaces.serial_number, side=side),
    )


def _either_side(conn: Connection, country: str, serial: str) -> KnownCertificate | None:
    """Return a re-export's original: received here, or issued here and coming back."""
    return register.known(conn, country, serial, side=Side.RECEIVED) or register.known(
        conn, country, serial, side=Side.ISSUED
    )
