"""Reading what a person writes into a field: numbers and days as the language has them.

What could mean two things is refused; nothing is guessed.  The detail of each refusal is a key
among the texts ``draft_wrong``.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from gateway.documents import Language
from gateway.errors import InputError
from gateway.web.console.drafting_fields import Field, Kind
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.words import Words, undirected

LARGEST_PICTURE: Final = 200_000
_PICTURES: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_FULL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+", re.ASCII)
_DIGITAL_DAY: Final = re.compile(r"([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})", re.ASCII)
_WORDED_DAY: Final = re.compile(r"([0-9]{1,2})\.?(?:er)? +([^0-9]+?),? +([0-9]{4})")
_OWN_SIGN: Final = {Language.ENGLISH: ".", Language.FRENCH: ",", Language.ARABIC: "."}
"""What stands before the decimals; Arabic has a sign of its own besides."""


def read_value(field: Field, written: str, lists: Lists) -> Any:
    """Return what was written into a field as JSON holds it.

    Raises:
        InputError: it cannot be read, or could mean two things.
    """
    text = undirected(written).replace("\r\n", "\n").replace("\t", " ").strip()
    if field.kind is not Kind.PICTURE and len(text) > field.longest:
        raise InputError("long")
    if any(_is_control(each) for each in text):
        raise InputError("control")
    if field.choices is not None:
        code = lists.code_in(field.choices, text)
        if code is None:
            raise InputError("choice")
        return code
    return _READERS[field.kind](text, lists.words.language)


def amount_in(text: str, language: Language) -> str:
    """Return a decimal in plain digits.

    Raises:
        InputError: it is none; or one sign before three digits leaves open what it is.
    """
    plain = "".join(_plain_sign(each) for each in text if not each.isspace())
    own = _OWN_SIGN[language]
    signs = [each for each in plain if each in ".,"]
    if len(set(signs)) == 2:  # the last one stands before the decimals
        last = signs[-1]
        plain = plain.replace("," if last == "." else ".", " ").replace(last, ".")
        if not re.fullmatch(r"-?[0-9]{1,3}( [0-9]{3})+\.[0-9]+", plain):
            raise InputError("number")
        plain = plain.replace(" ", "")
    elif len(signs) > 1:
        if not _GROUPED.fullmatch(plain.replace(signs[0], ",")):
            raise InputError("number")
        plain = plain.replace(signs[0], "")
    elif signs:
        if signs[0] != own and _GROUPED.fullmatch(plain.replace(signs[0], ",")):
            raise InputError("number_unclear")
        plain = plain.replace(signs[0], ".")
    if not _FULL.fullmatch(plain):
        raise InputError("number")
    return _shortened(plain)


def count_in(text: str, language: Language) -> int:
    """Return a whole number.

    Raises:
        InputError: it is none, or could mean two things.
    """
    plain = amount_in(text, language)
    if "." in plain or plain.startswith("-"):
        raise InputError("count")
    return int(plain)


def day_in(text: str, language: Language) -> str:
    """Return a day in the form of ISO 8601.

    Raises:
        InputError: it is none; or its digits leave open which is the month.
    """
    plain = " ".join("".join(_plain_digit(each) for each in text).split())
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", plain):
        return _day(plain)
    if match := _DIGITAL_DAY.fullmatch(plain):
        one, other, year = match.groups()
        found = {day for day in (_ymd(year, other, one), _ymd(year, one, other)) if day}
        if len(found) > 1:
            raise InputError("day_unclear")
        if found:
            return found.pop()
    if match := _WORDED_DAY.fullmatch(plain):
        month = _months(language).get(match[2].strip().rstrip(".").casefold())
        if month is not None and (named := _ymd(match[3], str(month), match[1])):
            return named
    raise InputError("day")


def moment_in(text: str, _language: Language) -> str:
    """Return a point in time, which is written in UTC.

    Raises:
        InputError: it is none.
    """
    plain = "".join(_plain_digit(each) for each in text).replace(" ", "T", 1)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:00)?Z?", plain):
        raise InputError("moment")
    day, clock = plain[:10], plain[11:16]
    try:
        return datetime.fromisoformat(f"{day}T{clock}:00").strftime("%Y-%m-%dT%H:%M:00Z")
    except ValueError as exc:
        raise InputError("moment") from exc


def picture_in(text: str, _language: Language) -> dict[str, str]:
    """Return a picture that the form carries as base64.

    Raises:
        InputError: it is none of a kind that holds nothing but a picture, or too large.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise InputError("picture") from exc
    media_type = picture_type(content)
    if media_type is None or len(content) > LARGEST_PICTURE:
        raise InputError("picture")
    return {"media_type": media_type, "content": text}


def picture_type(content: bytes) -> str | None:
    """Return the media type of a picture by its first bytes, None if it is none we know."""
    return next((name for sign, name in _PICTURES.items() if content.startswith(sign)), None)


def picture_type_of(written: str) -> str | None:
    """Return the media type of a picture that a field carries, None if it carries none."""
    try:
        return picture_in(written, Language.ENGLISH)["media_type"]
    except InputError:
        return None


def _is_control(sign: str) -> bool:
    """Return whether a sign is none that a paper form could show."""
    return sign == "\ufffd" or (sign != "\n" and unicodedata.category(sign) in ("Cc", "Cs"))


def _plain_digit(sign: str) -> str:
    return str(unicodedata.digit(sign)) if sign.isdecimal() else sign


def _plain_sign(sign: str) -> str:
    return {"٫": ".", "٬": ",", "−": "-", "’": ",", "'": ","}.get(sign, _plain_digit(sign))


def _shortened(plain: str) -> str:
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    whole, _, decimals = digits.partition(".")
    whole = whole.lstrip("0") or "0"
    if len(whole) > 15 or len(decimals) > 6:
        raise InputError("number_long")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _day(written: str) -> str:
    try:
        found = date.fromisoformat(written)
    except ValueError as exc:
        raise InputError("day") from exc
    return found.isoformat()


def _ymd(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _months(language: Language) -> Mapping[str, int]:
    """Return the months by their names in any form, of the language and of English."""
    found: dict[str, int] = {}
    for each in (language, Language.ENGLISH):
        forms = Words(each).locale.months
        for names in (*forms["format"].values(), *forms["stand-alone"].values()):
            for number, name in names.items():
                if not name.isdigit() and len(name) > 1:
                    found.setdefault(name.rstrip(".").casefold(), number)
    return found


def _text(text: str, _language: Language) -> str:
    return text


def _line(text: str, _language: Language) -> str:
    return " ".join(text.split())


def _list(text: str, _language: Language) -> list[str]:
    parts = re.split(r"[,;،\n]", text)
    return [" ".join(part.split()) for part in parts if part.strip()]


_READERS: Final[Mapping[Kind, Callable[[str, Language], Any]]] = {
    Kind.LINE: _line,
    Kind.FIXED: _line,
    Kind.TEXT: _text,
    Kind.LIST: _list,
    Kind.TICK: lambda text, _language: text == "yes",
    Kind.COUNT: count_in,
    Kind.AMOUNT: amount_in,
    Kind.DAY: day_in,
    Kind.MOMENT: moment_in,
    Kind.PICTURE: picture_in,
}


def written(field: Field, value: Any) -> str:
    """Return a value of a document as it stands in its field."""
    if field.kind is Kind.TICK:
        return "yes" if value is True else ""
    if field.kind is Kind.PICTURE:
        return str(value.get("content", "")) if isinstance(value, dict) else ""
    if field.kind is Kind.LIST:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if field.kind is Kind.MOMENT:
        return _moment_written(str(value))
    return str(value)


def _moment_written(value: str) -> str:
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if found.tzinfo else value[:16]
    except (ValueError, OverflowError):
        return value
