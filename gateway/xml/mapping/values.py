"""How one value is written as XML text and read back.

Every codec is exact: ``decode(encode(value)) == value``.  ``encode`` returns text that is not
yet escaped; ``decode`` raises ``ValueError`` for text that is not of its kind.  Bounds (length,
range) are the document model's business, not the codec's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from gateway.documents.findings import LocalisedText

_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)
_MOMENT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([+-])([0-9]{2})([0-5][0-9])", re.ASCII
)
_SHA256_URI: Final = re.compile(r"ni:///sha-256;([A-Za-z0-9_-]{43})", re.ASCII)
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Codec:
    """Is one way to write values of one type.

    Attributes:
        name: what mapping tables and the message guide call it.
        kind: what the text must be, in words that end a sentence.
        plain: encoded text can never need escaping.
    """

    name: str
    kind: LocalisedText
    encode: Callable[[Any], str]
    decode: Callable[[str], Any]
    plain: bool = True


def _same(value: str) -> str:
    return str(value)


def _fixed_point(value: Decimal) -> str:
    return format(value, "f")


def _matching(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match


def _read_integer(text: str) -> int:
    return int(_matching(_INTEGER, text)[0])


def _read_decimal(text: str) -> Decimal:
    return Decimal(_matching(_DECIMAL, text)[0])


def _write_date(value: date) -> str:
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


def _read_date(text: str) -> date:
    year, month, day = _matching(_DATE, text).groups()
    return date(int(year), int(month), int(day))


def _write_moment(value: datetime) -> str:
    offset = value.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"{_write_date(value)}{value.hour:02d}{value.minute:02d}{sign}{hours:02d}{rest:02d}"


def _read_moment(text: str) -> datetime:
    year, month, day, hour, minute, sign, east_hours, east_minutes = _matching(
        _MOMENT, text
    ).groups()
    offset = timedelta(hours=int(east_hours), minutes=int(east_minutes))
    zone = timezone(-offset if sign == "-" else offset) if offset else UTC
    return datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=zone)


def _write_boolean(value: bool) -> str:
    return "true" if value else "false"


def _read_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip(" \t\r\n")]
    except KeyError as exc:
        raise ValueError(text) from exc


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _read_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as exc:
        raise ValueError(text) from exc


def _write_sha256_uri(value: str) -> str:
    digest = base64.urlsafe_b64encode(bytes.fromhex(value)).decode("ascii")
    return f"ni:///sha-256;{digest.rstrip('=')}"


def _read_sha256_uri(text: str) -> str:
    digest = base64.urlsafe_b64decode(_matching(_SHA256_URI, text)[1] + "=").hex()
    if _write_sha256_uri(digest) != text:
        raise ValueError(text)
    return digest


TEXT: Final = Codec(
    "text", LocalisedText(en="text", fr="un texte", ar="نصًا"), _same, _same, plain=False
)
INTEGER: Final = Codec(
    "integer",
    LocalisedText(en="a whole number", fr="un nombre entier", ar="عددًا صحيحًا"),
    str,
    _read_integer,
)
DECIMAL: Final = Codec(
    "decimal",
    LocalisedText(
        en="a decimal number such as 12000.50",
        fr="un nombre décimal tel que 12000.50",
        ar="عددًا عشريًا مثل 12000.50",
    ),
    _fixed_point,
    _read_decimal,
)
DATE_102: Final = Codec(
    "date-102",
    LocalisedText(
        en="a day written CCYYMMDD (format 102)",
        fr="un jour écrit SSAAMMJJ (format 102)",
        ar="تاريخًا بصيغة CCYYMMDD (الصيغة 102)",
    ),
    _write_date,
    _read_date,
)
MOMENT_205: Final = Codec(
    "moment-205",
    LocalisedText(
        en="a time written CCYYMMDDHHMM+HHMM (format 205)",
        fr="un instant écrit SSAAMMJJHHMM+HHMM (format 205)",
        ar="وقتًا بصيغة CCYYMMDDHHMM+HHMM (الصيغة 205)",
    ),
    _write_moment,
    _read_moment,
)
INDICATOR: Final = Codec(
    "indicator",
    LocalisedText(en="true or false", fr="true ou false", ar="true أو false"),
    _write_boolean,
    _read_boolean,
)
BASE64: Final = Codec(
    "base64",
    LocalisedText(en="base64 text", fr="un texte en base64", ar="نصًا بترميز base64"),
    _write_base64,
    _read_base64,
)
SHA256_URI: Final = Codec(
    "sha256-uri",
    LocalisedText(
        en="a digest URI that begins ni:///sha-256;",
        fr="un URI d'empreinte commençant par ni:///sha-256;",
        ar="معرّف بصمة يبدأ بـ ni:///sha-256;",
    ),
    _write_sha256_uri,
    _read_sha256_uri,
)


def coded(codes: Mapping[Any, str]) -> Codec:
    """Return the codec that writes each value as its code."""
    values = {code: value for value, code in codes.items()}
    listed = ", ".join(values)

    def decode(text: str) -> Any:
        try:
            return values[text]
        except KeyError as exc:
            raise ValueError(text) from exc

    kind = LocalisedText(en=f"one of {listed}", fr=f"l'un de {listed}", ar=f"من بين {listed}")
    return Codec("code", kind, codes.__getitem__, decode, plain=False)


def enumerated(enum: type[StrEnum]) -> Codec:
    """Return the codec that writes members of ``enum`` as their values."""
    return coded({member: member.value for member in enum})


def default_codec(python_type: type[Any]) -> Codec:
    """Return the codec for values of ``python_type`` where a table names none."""
    if issubclass(python_type, StrEnum):
        return enumerated(python_type)
    return _DEFAULTS[python_type]


_DEFAULTS: Final[Mapping[type[Any], Codec]] = {
    str: TEXT,
    int: INTEGER,
    bool: INDICATOR,
    Decimal: DECIMAL,
    date: DATE_102,
    datetime: MOMENT_205,
    bytes: BASE64,
}
NAMED_CODECS: Final[Mapping[str, Codec]] = {
    codec.name: codec
    for codec in (TEXT, INTEGER, DECIMAL, DATE_102, MOMENT_205, INDICATOR, BASE64, SHA256_URI)
}
