"""The certificate of origin: every box of the form and every datum that travels with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.documents.base import (
    Amount,
    Code,
    CountryCode,
    Day,
    Identifier,
    LongText,
    MediaType,
    Moment,
    Money,
    Name,
    Quantity,
    Record,
    Sha256,
    ShortText,
)
from gateway.documents.codes import CertificateKind, Language, Purpose, ValueBasis
from gateway.documents.parties import (
    Authority,
    Consignee,
    DocumentReference,
    Exporter,
    Image,
    Place,
    Producer,
    Signatory,
)

Count = Annotated[int, Field(ge=0, le=999_999_999)]


class Endorsement(Record):
    """Is an official endorsement in a box, as ``ISSUED RETROSPECTIVELY`` in box 5."""

    box: Identifier
    text: ShortText


class TransportDocument(Record):
    """Is a bill of lading, air waybill, road or rail consignment note (UN/EDIFACT 1001)."""

    type_code: Code
    number: Identifier
    issued_on: Day | None = None


class TransportEquipment(Record):
    """Is a container or trailer with its seals."""

    identifier: Identifier
    seals: tuple[Identifier, ...] = ()


class Transport(Record):
    """Holds the particulars of transport.

    Attributes:
        mode: UN/ECE Recommendation 19 (1 sea, 2 rail, 3 road, 4 air …).
        journey_id: voyage, flight or trip number.
        means_type: UN/ECE Recommendation 28, four digits.
        means_id: registration of the truck, IMO number of the vessel …
        departed_on: day of departure, which is the day of exportation (Art. 8.4(b)).
        route: the itinerary in words.
        transit: places passed outside exporting and importing country, in order.
    """

    mode: Code
    journey_id: Identifier | None = None
    means_type: Code | None = None
    means_id: Identifier | None = None
    means_name: Name | None = None
    departed_on: Day | None = None
    route: ShortText | None = None
    loading_place: Place | None = None
    unloading_place: Place | None = None
    transit: tuple[Place, ...] = ()
    equipment: tuple[TransportEquipment, ...] = ()
    documents: tuple[TransportDocument, ...] = ()


class Invoice(Record):
    """Is a commercial invoice of box 10; issuer only where a third country invoices (V55)."""

    number: Identifier
    issued_on: Day | None = None
    issuer_name: Name | None = None
    issuer_country: CountryCode | None = None


class Packages(Record):
    """Is number and kind of packages (Rec 21); goods in bulk have no count."""

    kind: Code
    count: Count | None = None
    marks: ShortText | None = None


class OriginCriterion(Record):
    """Is the origin criterion of box 8 with the percentage it rests on.

    Attributes:
        code: letter of the agreement's list (P, M, V, X, Y for COMESA).
        percentage: material content or value added, in per cent.
    """

    code: Code
    percentage: Amount | None = None
    remark: ShortText | None = None


class TranslatedText(Record):
    """Is a further description in another language."""

    language: Language
    text: LongText


class GoodsItem(Record):
    """Is one line of goods.

    Attributes:
        quantity: the quantity certified; utilisation is counted against it.
        hs_code: 6 to 10 digits, the first six of the Harmonized System.
        hs_edition: year of the edition, as ``2022``.
    """

    number: Annotated[int, Field(ge=1, le=99_999)]
    packages: Packages
    description: LongText
    translations: tuple[TranslatedText, ...] = ()
    hs_code: Code
    hs_edition: Code
    country_of_origin: CountryCode
    criterion: OriginCriterion
    producer: Producer | None = None
    quantity: Quantity
    gross_weight: Quantity | None = None
    net_weight: Quantity | None = None
    value: Money | None = None
    invoices: tuple[Invoice, ...] = ()


class RetrospectiveIssue(Record):
    """Says why a certificate was issued after exportation (Art. 8.4)."""

    applied_on: Day
    reason_code: Code
    reason: LongText


class OriginalCertificate(Record):
    """Names the first country's certificate behind a re-export (Art. 8.3(d))."""

    serial_number: Identifier
    issued_on: Day
    country: CountryCode
    import_declaration: DocumentReference
    customs_control: LongText | None = None


class ReplacedCertificate(Record):
    """Names the certificate that this one replaces, and why (Art. 9.1(f))."""

    serial_number: Identifier
    issued_on: Day
    reason: LongText


class Attachment(Record):
    """Is a supporting document that stays with the issuer and is named by its digest.

    Attributes:
        type_code: UN/EDIFACT 1001 (380 invoice, 271 packing list …).
        size: length in bytes.
    """

    identifier: Identifier
    type_code: Code
    file_name: Name
    media_type: MediaType
    size: Annotated[int, Field(ge=1, le=10_000_000_000)]
    sha256: Sha256


class CertificateOfOrigin(Record):
    """Is a certificate of origin as issued (Art. 4.1, 8, 9; messages in docs/messages.md).

    Attributes:
        agreement: id of the agreement profile, as ``COMESA``.
        serial_number: number given by the issuing authority, unique for ever (Art. 9.1(d)).
        exporting_country: the state whose authority issues; for a re-export the intermediate
            state, while ``items[].country_of_origin`` names the first.
        consent_to_publication: exporter agrees that names may be shown publicly (Art. 13.4).
        test: the document belongs to a test and proves nothing.
    """

    agreement: Code
    kind: CertificateKind
    purpose: Purpose = Purpose.ORIGINAL
    version: Annotated[int, Field(ge=1, le=999)] = 1
    test: bool = False
    serial_number: Identifier
    language: Language
    issued_at: Moment
    valid_from: Day
    valid_until: Day
    exporting_country: CountryCode
    destination_country: CountryCode
    issuing_authority: Authority
    exporter: Exporter
    consignee: Consignee
    transport: Transport
    endorsements: tuple[Endorsement, ...] = ()
    remarks: LongText | None = None
    items: Annotated[tuple[GoodsItem, ...], Field(max_length=10_000)]
    total_gross_weight: Quantity | None = None
    total_packages: Count | None = None
    value_basis: ValueBasis | None = None
    invoices: tuple[Invoice, ...] = ()
    export_declaration: DocumentReference | None = None
    retrospective: RetrospectiveIssue | None = None
    original_certificate: OriginalCertificate | None = None
    replaces: ReplacedCertificate | None = None
    cancellation_reason: LongText | None = None
    attachments: tuple[Attachment, ...] = ()
    consent_to_publication: bool
    stamp: Image | None = None
    declaration: Signatory
    certification: Signatory
