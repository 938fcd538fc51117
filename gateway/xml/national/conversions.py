"""Conversions between what stands in a national file and the value of a document field.

A ``Conversion`` is a chain of reversible text steps (prefix, removed characters, code table)
and one typed end (text, whole number, decimal, date, moment, flag, code, picture).  Both ends
raise ``UnfitError`` for what does not fit; nothing is guessed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Protocol

from gateway.xml.national.texts import Problem, UnfitError

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


class TextStep(Protocol):
    """Is one reversible change of a text."""

    def read(self, text: str) -> str:
        """Return the text nearer to the document."""

    def write(self, text: str) -> str:
        """Return the text nearer to the national file."""


class TypedEnd(Protocol):
    """Turns text into the value of a field and back."""

    def read(self, text: str) -> object:
        """Return the value written as ``text``."""

    def write(self, value: Any) -> str:
        """Return ``value`` as text."""


@dataclass(frozen=True)
class Conversion:
    """Is the whole way of one value between file and document, both directions."""

    steps: tuple[TextStep, ...]
    end: TypedEnd

    def read(self, text: str) -> object:
        """Return the document value of a source text.

        Raises:
            UnfitError: the text does not fit.
        """
        for step in self.steps:
            text = step.read(text)
        return self.end.read(text)

    def write(self, value: object) -> str:
        """Return the source text of a document value.

        Raises:
            UnfitError: the national side has no way to write it.
        """
        text = self.end.write(value)
        for step in reversed(self.steps):
            text = step.write(text)
        return text


@dataclass(frozen=True)
class Prefix:
    """Adds on reading a prefix that the national side leaves out."""

    prefix: str

    def read(self, text: str) -> str:
        """Return the text with the prefix."""
        return self.prefix + text

    def write(self, text: str) -> str:
        """Return the text without the prefix, which it must have."""
        if not text.startswith(self.prefix):
            raise UnfitError(Problem.PREFIX, shown=text, expected=self.prefix)
        return text[len(self.prefix) :]


@dataclass(frozen=True)
class SourcePrefix:
    """Takes off on reading a prefix that only the national side writes."""

    prefix: str

    def read(self, text: str) -> str:
        """Return the text without the prefix, which it must have."""
        return Prefix(self.prefix).write(text)

    def write(self, text: str) -> str:
        """Return the text with the prefix."""
        return self.prefix + text


@dataclass(frozen=True)
class Removal:
    """Drops separating characters on reading, as the dots of 5205.12; writes none."""

    characters: str

    def read(self, text: str) -> str:
        """Return the text without the characters."""
        return "".join(char for char in text if char not in self.characters)

    def write(self, text: str) -> str:
        """Return the text unchanged."""
        return text


@dataclass(frozen=True)
class WesternDigits:
    """Reads Arabic-Indic digits as 0 to 9; writes 0 to 9."""

    def read(self, text: str) -> str:
        """Return the text with western digits."""
        return text.translate(_DIGITS)

    def write(self, text: str) -> str:
        """Return the text unchanged."""
        return text


@dataclass(frozen=True)
class CodeTable:
    """Translates codes both ways; where two national codes mean one of ours the first is written.

    Attributes:
        keep_unknown: codes outside the table pass unchanged, for the business rules to judge.
    """

    name: str
    codes: Mapping[str, str]
    keep_unknown: bool = False

    def read(self, text: str) -> str:
        """Return our code for the national one."""
        return self._look_up(self.codes, text)

    def write(self, text: str) -> str:
        """Return the national code for ours."""
        reverse: dict[str, str] = {}
        for national, ours in self.codes.items():
            reverse.setdefault(ours, national)
        return self._look_up(reverse, text)

    def _look_up(self, table: Mapping[str, str], text: str) -> str:
        if text in table:
            return table[text]
        if self.keep_unknown:
            return text
        raise UnfitError(Problem.UNKNOWN_CODE, shown=text, expected=self.name)


class PlainText:
    """Is the end of text fields."""

    def read(self, text: str) -> str:
        """Return the text."""
        return text

    def write(self, value: str) -> str:
        """Return the text."""
        return value


class WholeNumber:
    """Is the end of integer fields."""

    def read(self, text: str) -> int:
        """Return the number; plain digits with an optional sign, at most eighteen."""
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise UnfitError(Problem.NOT_AN_INTEGER, shown=text)
        return int(text)

    def write(self, value: int) -> str:
        """Return the digits."""
        return str(value)


class Flag:
    """Is the end of boolean fields: the texts ``true`` and ``false``, mostly behind a table."""

    def read(self, text: str) -> bool:
        """Return the truth of ``true`` or ``false``."""
        if text not in ("true", "false"):
            raise UnfitError(Problem.NOT_LISTED, shown=text, expected="true, false")
        return text == "true"

    def write(self, value: bool) -> str:
        """Return ``true`` or ``false``."""
        return "true" if value else "false"


@dataclass(frozen=True)
class Choice:
    """Is the end of fields with a closed vocabulary."""

    vocabulary: type[StrEnum]

    def read(self, text: str) -> StrEnum:
        """Return the member of the vocabulary written as ``text``."""
        try:
            return self.vocabulary(text)
        except ValueError as exc:
            known = ", ".join(member.value for member in self.vocabulary)
            raise UnfitError(Problem.NOT_LISTED, shown=text, expected=known) from exc

    def write(self, value: StrEnum) -> str:
        """Return the value of the member."""
        return value.value


class Picture:
    """Is the end of binary fields: base64, line breaks allowed on reading."""

    def read(self, text: str) -> bytes:
        """Return the bytes."""
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise UnfitError(Problem.NOT_BASE64) from exc

    def write(self, value: bytes) -> str:
        """Return the base64 without line breaks."""
        return base64.b64encode(value).decode("ascii")


@dataclass(frozen=True)
class DecimalStyle:
    """Is the end of decimal fields, with the decimal mark and the grouping stated.

    Attributes:
        point: the decimal mark.
        thousands: the mark between groups of three digits; empty where none is written.
    """

    point: str
    thousands: str = ""

    def read(self, text: str) -> Decimal:
        """Return the number; grouping must be complete where there is any."""
        if not self._pattern().fullmatch(text):
            raise UnfitError(Problem.NOT_A_DECIMAL, shown=text, expected=self.example)
        plain = text.replace(self.thousands, "") if self.thousands else text
        try:
            return Decimal(plain.replace(self.point, "."))
        except InvalidOperation as exc:  # pragma: no cover - the pattern admits decimals only
            raise UnfitError(Problem.NOT_A_DECIMAL, shown=text, expected=self.example) from exc

    def write(self, value: Decimal) -> str:
        """Return the number in this style."""
        whole, _, fraction = format(value, "f").partition(".")
        if self.thousands:
            whole = f"{int(whole):,}".replace(",", self.thousands)
            whole = "-" + whole if value.is_signed() and not whole.startswith("-") else whole
        return whole + (self.point + fraction if fraction else "")

    @property
    def example(self) -> str:
        """The number 12000.5 in this style."""
        return self.write(Decimal("12000.5"))

    def _pattern(self) -> re.Pattern[str]:
        group = re.escape(self.thousands)
        whole = f"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,4}}|[0-9]{{1,15}})"
        if not group:
            whole = "[0-9]{1,15}"
        return re.compile(f"-?{whole}(?:{re.escape(self.point)}[0-9]{{1,6}})?")
