"""What is asked to be printed: a certificate, what is known of it, and how it is marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.agreements import Agreement
from gateway.documents import CertificateOfOrigin, Language


class Standing(StrEnum):
    """Says what a certificate is worth at the moment of printing."""

    VALID = "VALID"
    NOT_YET = "NOT_YET"
    PARTLY_USED = "PARTLY_USED"
    USED = "USED"
    UNDER_QUERY = "UNDER_QUERY"
    REFUSED = "REFUSED"
    ENDING = "ENDING"
    CANCELLED = "CANCELLED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"

    @property
    def proves(self) -> bool:
        """Whether goods may still be cleared with the certificate."""
        return self in _PROVES


_PROVES = frozenset({Standing.VALID, Standing.PARTLY_USED, Standing.UNDER_QUERY})


@dataclass(frozen=True, kw_only=True)
class SignatureNote:
    """Is what was found about the digital signature when the document was looked at.

    Attributes:
        holds: the signature was verified and the signer may sign.
        subject: distinguished name of the signing certificate; None if the signer is unknown.
        fingerprint: SHA-256 of the signing certificate's DER form.
        signed_at: the moment that the document states.
        code: wire code of what does not hold.
    """

    holds: bool
    subject: str | None
    fingerprint: str | None
    signed_at: datetime
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class PrintOrder:
    """Is everything that one print needs.

    Attributes:
        xml: the signed document, byte for byte; goes into the file as it is.
        sha256: its digest, lower-case hex.
        printed_at: the moment of printing, aware; also the date of the file.
        printer: who prints, as the name of the gateway's operator.
        copy_number: from 1; the original is electronic, so every print is a copy.
        code: text of the QR code, None for a print without one.
        address: where the certificate may be checked online, for people to read.
    """

    document: CertificateOfOrigin
    agreement: Agreement
    xml: bytes
    sha256: str
    standing: Standing
    signature: SignatureNote
    language: Language
    printed_at: datetime
    printer: str
    copy_number: int = 1
    code: str | None = None
    address: str | None = None
