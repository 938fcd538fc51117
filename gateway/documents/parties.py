"""Parties, places and signatories named in the business documents."""

from __future__ import annotations

from pydantic import Field

from gateway.documents.base import (
    Code,
    Content,
    CountryCode,
    Day,
    Identifier,
    LongText,
    MediaType,
    Moment,
    Name,
    Record,
    ShortText,
)


class Address(Record):
    """Is a postal address; only the country is obligatory."""

    line_one: ShortText | None = None
    line_two: ShortText | None = None
    line_three: ShortText | None = None
    postcode: Identifier | None = None
    city: Name | None = None
    subdivision: Name | None = None
    country: CountryCode


class Contact(Record):
    """Is a person to ask, with the means to reach them."""

    name: Name
    job_title: Name | None = None
    telephone: Identifier | None = None
    email: Identifier | None = None


class Exporter(Record):
    """Is the exporter or re-exporter of box 1.

    Attributes:
        registration_number: number of the exporter registry, as ``COM-ZM000001``
            (Art. 6.2(i)); absent only for small-scale traders (V71).
        trader_id: tax number, or another personal number of a small-scale trader.
    """

    name: Name
    registration_number: Identifier | None = None
    trader_id: Identifier | None = None
    address: Address
    contact: Contact | None = None


class Consignee(Record):
    """Is the consignee of box 2.

    Attributes:
        to_order: the goods travel to order, so that the consignee's country may differ.
    """

    name: Name
    trader_id: Identifier | None = None
    address: Address
    to_order: bool = False


class Producer(Record):
    """Is the producer of one goods item; a natural or legal person (Art. 1 "Producer")."""

    name: Name
    identifier: Identifier | None = None
    address: Address | None = None


class Authority(Record):
    """Is an issuing or customs authority, with the office that acted.

    Attributes:
        code: code of the authority in its state, as ``ZM-ZRA``.
        office_code: code of the office, as ``ZM-ZRA-CHR``.
    """

    code: Identifier
    name: Name
    country: CountryCode
    city: Name | None = None
    office_code: Identifier | None = None
    office_name: Name | None = None


class Place(Record):
    """Is a port, border post or town; ``unlocode`` as ``ZMLUN`` where one exists."""

    unlocode: Code | None = None
    name: Name
    country: CountryCode


class Image(Record):
    """Is a scanned signature or stamp (*electronic signature* in the regulation, Art. 1)."""

    media_type: MediaType
    content: Content


class Signatory(Record):
    """Is who signed a box of the form, when, and with which words.

    Attributes:
        identifier: the signatory's number in the directory of officers, if any.
        image: picture of the handwritten signature (Art. 9.1(h)(i)).
    """

    name: Name
    identifier: Identifier | None = None
    signed_at: Moment
    statement: LongText
    image: Image | None = None


class DocumentReference(Record):
    """Names another document by its number and, where known, its date and office."""

    number: Identifier
    issued_on: Day | None = None
    office_code: Identifier | None = Field(default=None)
