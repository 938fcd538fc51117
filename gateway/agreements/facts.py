"""The facts about one document that the business rules judge beside the document itself.

Everything here is a plain value that the caller looked up: no rule opens a database, reads a
clock or verifies a signature.  A part that is ``None`` is unknown, and what is unknown is not
judged: a dry run without a register simply says nothing about the register.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from gateway.documents.hs import HsEdition


class SpecimenMatch(StrEnum):
    """Says how a picture on a document compares with the specimens circulated.

    ``UNLISTED``: specimens of the authority are known, but none of this office or officer held
    on the date of issue.
    """

    EQUAL = "EQUAL"
    DIFFERENT = "DIFFERENT"
    UNLISTED = "UNLISTED"


class Point(StrEnum):
    """Names the moments at which a document is judged (I, S, R and C of the rule table)."""

    ISSUE = "ISSUE"
    SEND = "SEND"
    RECEIPT = "RECEIPT"
    USE = "USE"


@dataclass(frozen=True)
class WireFacts:
    """Holds what the envelope and the peer's profile say about the delivery.

    Attributes:
        sender_country: country of the gateway that the header names as sender.
        receiver_country: country of the gateway that the header names as receiver.
        own_country: country of this gateway.
        signer_country: country of the verified envelope signer, None before verification.
        created_at: when the envelope says it was made, None before it is made.
        marked_late: the sender says that the message is knowingly late.
        message_id_reused: the sender used this message id before for other content.
        document_type_agreed: the document type stands in the peer's profile.
        destination_live: the peer takes certificates of this kind today.
    """

    sender_country: str
    receiver_country: str
    own_country: str
    signer_country: str | None = None
    created_at: datetime | None = None
    marked_late: bool = False
    message_id_reused: bool = False
    document_type_agreed: bool | None = None
    destination_live: bool | None = None


@dataclass(frozen=True)
class SignatureFacts:
    """Holds what verification and the directory of authorities say about the document.

    Attributes:
        error_code: wire code of the trust error, None when the signature holds.
        signer_country: country for which the signer is registered.
        signer_subject: subject of the signing certificate, for the reader.
        authority_registered: the issuing authority was in the directory on the date of issue.
        officer_registered: the officer was active in that office on the date of issue.
        exporter_signed: the exporter's own digital signature is there and holds.
        stamp: how the picture of the stamp compares; None where nothing is known of the
            authority, or there is no picture.
        signature: the same of the picture of the officer's signature.
    """

    error_code: str | None = None
    signer_country: str | None = None
    signer_subject: str | None = None
    authority_registered: bool | None = None
    officer_registered: bool | None = None
    exporter_signed: bool = False
    stamp: SpecimenMatch | None = None
    signature: SpecimenMatch | None = None


@dataclass(frozen=True)
class RegistryFacts:
    """Holds what the copy of the exporter registry says about the exporter's number.

    Attributes:
        known: the number stands in the copy.
        valid_from: first day on which the registration holds.
        valid_until: last day on which it holds.
        revoked_on: day from which it is revoked (Art. 7.6: for the future only).
        name: the exporter's name as registered.
    """

    known: bool
    valid_from: date | None = None
    valid_until: date | None = None
    revoked_on: date | None = None
    name: str | None = None


@dataclass(frozen=True)
class KnownItem:
    """Is one goods item of a registered certificate with its running totals.

    Attributes:
        number: number of the item on the certificate.
        unit: unit of every quantity here (Rec 20).
        certified: quantity certified.
        used: written off so far by importing customs.
        reexported: covered so far by re-export certificates.
        hs_code: tariff code as certified, where the register keeps it.
        country_of_origin: origin as certified, where the register keeps it.
    """

    number: int
    unit: str
    certified: Decimal
    used: Decimal = Decimal(0)
    reexported: Decimal = Decimal(0)
    hs_code: str | None = None
    country_of_origin: str | None = None

    @property
    def remaining(self) -> Decimal:
        """The quantity neither used nor re-exported; negative after over-use."""
        return self.certified - self.used - self.reexported


@dataclass(frozen=True)
class KnownCertificate:
    """Is a certificate of origin as the register knows it.

    Attributes:
        state: value of the register's state enumeration, as ``AVAILABLE`` or ``CANCELLED``.
        content_sha256: digest of the registered document's signed bytes.
        same_content: the document under judgement has that very digest.
        last_sequence: highest customs-response sequence number applied, 0 before the first.
        received_from_country: country whose gateway delivered it; None when issued here.
        open_grounds: reason codes of the queries still open about it.
    """

    serial_number: str
    issuing_country: str
    issued_on: date
    valid_until: date
    destination_country: str
    state: str
    content_sha256: str
    same_content: bool
    items: tuple[KnownItem, ...]
    last_sequence: int = 0
    received_from_country: str | None = None
    open_grounds: tuple[str, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether any quantity has been written off or re-exported."""
        return any(item.used > 0 or item.reexported > 0 for item in self.items)

    @property
    def is_dead(self) -> bool:
        """Whether the register holds it cancelled, replaced, rejected, withdrawn or expired."""
        return self.state in _DEAD_STATES


_DEAD_STATES = frozenset({"CANCELLED", "REPLACED", "REJECTED", "WITHDRAWN", "EXPIRED"})


@dataclass(frozen=True)
class RegisterFacts:
    """Holds the registered certificates that the document touches; None means not known.

    Attributes:
        same_serial: carries the same serial number of the same issuing country.
        original: the first country's certificate behind a re-export.
        replaced: the certificate that this one replaces.
        subject: the certificate that a customs response answers.
    """

    same_serial: KnownCertificate | None = None
    original: KnownCertificate | None = None
    replaced: KnownCertificate | None = None
    subject: KnownCertificate | None = None


@dataclass(frozen=True)
class Facts:
    """Holds everything that ``check`` may know beside document and agreement.

    Attributes:
        now: the moment of judgement, aware.
        own_country: country of this gateway.
        hs: imported editions of the Harmonized System, if the operator has any.
    """

    point: Point
    now: datetime
    own_country: str
    wire: WireFacts | None = None
    signature: SignatureFacts | None = None
    register: RegisterFacts | None = None
    registry: RegistryFacts | None = None
    hs: tuple[HsEdition, ...] = ()
