"""The customs response: what the importing customs did with a certificate (Art. 11)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.documents.base import (
    Code,
    CountryCode,
    Day,
    Identifier,
    LongText,
    Moment,
    Money,
    Name,
    Quantity,
    Record,
    ShortText,
)
from gateway.documents.codes import Language, UtilisationStatus
from gateway.documents.parties import Authority


class CertificateReference(Record):
    """Names the certificate answered: who issued it, under which number, on which day."""

    serial_number: Identifier
    issued_on: Day
    issuing_country: CountryCode


class Declaration(Record):
    """Is the import declaration that used the certificate."""

    number: Identifier
    declared_on: Day
    office_code: Identifier | None = None


class Officer(Record):
    """Is the customs officer who decided."""

    identifier: Identifier
    name: Name | None = None
    role: Name


class Reason(Record):
    """Is one reason for a decision (Art. 11.2(j): detailed and exhaustive).

    Attributes:
        item_number: goods item concerned; absent when the whole certificate is.
        path: datum concerned, in the notation of findings.
    """

    code: Code
    text: LongText
    item_number: Annotated[int, Field(ge=1, le=99_999)] | None = None
    path: ShortText | None = None


class UtilisedItem(Record):
    """Is what one goods item has been used for.

    Attributes:
        number: number of the goods item on the certificate.
        quantity: written off by this response.
        cumulative: written off by this and every earlier response.
    """

    number: Annotated[int, Field(ge=1, le=99_999)]
    quantity: Quantity
    cumulative: Quantity


class Security(Record):
    """Is the security taken for goods released while a doubt is open (Art. 11.2(k))."""

    reference: Identifier
    amount: Money | None = None


class CustomsResponse(Record):
    """Is one response of the importing customs to one certificate.

    Attributes:
        response_number: number given by the responding customs, unique there.
        sequence_number: 1 for the first response to this certificate, then without gap.
        items: every item written off so far, with cumulative totals, so that a lost
            response cannot corrupt the ledger (design decision 9).
    """

    agreement: Code
    test: bool = False
    response_number: Identifier
    language: Language
    issued_at: Moment
    customs_authority: Authority
    officer: Officer
    recipient_authority: Authority
    certificate: CertificateReference
    sequence_number: Annotated[int, Field(ge=1, le=99_999)]
    status: UtilisationStatus
    decided_at: Moment
    reasons: tuple[Reason, ...] = ()
    items: tuple[UtilisedItem, ...] = ()
    declaration: Declaration | None = None
    security: Security | None = None
    remarks: LongText | None = None
