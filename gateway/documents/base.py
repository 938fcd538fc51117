"""Building blocks of the business documents: strict records, text, numbers, dates, bytes.

Nothing is coerced silently: a number in quotes is no number for an integer, a JSON float is
no quantity (it would lose digits), ``0`` is no date.  Values that XML could not carry back
unchanged (control characters, seconds in a minute-precise timestamp) are refused here, so
that ``read(render(document)) == document`` holds for every document that can be built.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)


class Record(BaseModel):
    """Is the frozen, strict base of every document and part of one."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        ser_json_timedelta="iso8601",
    )


# What XML 1.0 cannot carry, what a parser would normalise away (CR), and the controls that
# have no business in a form (C0/C1 but tab and newline).
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0001fffe\U0001ffff\ufdd0-\ufdef]"
)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", re.ASCII)


def printable(value: Any) -> Any:
    """Return a text with every character that XML cannot carry replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) else value


# ``str.isprintable`` is true of almost every text and never of one that the pattern finds.
def _printable(value: str) -> str:
    if not value.isprintable() and _UNPRINTABLE.search(value):
        raise ValueError("holds a control character")
    if value.isspace():
        raise ValueError("is blank")
    return value


def _single_line(value: str) -> str:
    if " " not in value and value.isprintable():  # the only printable white space is the blank
        return value
    if value != " ".join(value.split()):
        raise ValueError("has leading, trailing or repeated white space")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=512), AfterValidator(_printable)
]
LongText = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_printable)
]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=70),
    AfterValidator(_printable),
    AfterValidator(_single_line),
]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,60}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _exact_decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        if _DECIMAL.fullmatch(str(value)):  # as almost every one: no exponent, few digits
            return value
        value = format(value, "f") if value.is_finite() else "?"
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('must be a decimal in quotes, such as "12000.50" (15 + 6 digits)')
    try:
        return Decimal(value)
    except InvalidOperation as exc:  # pragma: no cover - the pattern admits decimals only
        raise ValueError("is not a decimal") from exc


Amount = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^" + _DECIMAL.pattern + "$"}),
]
"""An exact decimal: 15 digits before and 6 after the point; a string in JSON, never a float."""


def _minute_precise(value: datetime) -> datetime:
    if value.second or value.microsecond:
        raise ValueError("must be precise to the minute (format 205 carries no seconds)")
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("must state its offset from UTC")
    if offset.total_seconds() % 60 or abs(offset.total_seconds()) > 14 * 3600:
        raise ValueError("must have an offset of whole minutes within 14 hours")
    return value


def _four_digit_year(value: Any) -> Any:
    if isinstance(value, date) and not 1900 <= value.year <= 2199:
        raise ValueError("must lie between the years 1900 and 2199")
    return value


Day = Annotated[date, AfterValidator(_four_digit_year)]
"""A calendar day, 1900 to 2199; ISO 8601 in JSON."""

Moment = Annotated[datetime, AfterValidator(_minute_precise), AfterValidator(_four_digit_year)]
"""A point in time with offset, precise to the minute (UN/EDIFACT 2379 format 205)."""


def _strict_base64(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be base64 text")  # noqa: TRY004 - pydantic turns it into a finding
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("is not base64") from exc


Content = Annotated[
    bytes,
    Field(min_length=1, max_length=1_000_000),
    BeforeValidator(_strict_base64),
    PlainSerializer(
        lambda value: base64.b64encode(value).decode("ascii"), return_type=str, when_used="json"
    ),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes of a picture, at most one million; base64 in JSON and XML."""


class Quantity(Record):
    """Is a quantity with its unit (UN/ECE Recommendation 20)."""

    value: Amount
    unit: Code


class Money(Record):
    """Is an amount in a currency (ISO 4217)."""

    amount: Amount
    currency: CurrencyCode
