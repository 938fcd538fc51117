"""What a form for a certificate is made of: fields, rows that repeat, parts that fold away.

A field's path is that of its datum in the canonical document, as ``items[].hs_code``; the same
path with ordinals is its name in the form, so that a finding leads to its field by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from gateway.documents import CertificateOfOrigin
from gateway.documents.base import Record
from gateway.documents.fields import general_path, leaves, member_type

_STEP: Final = r"[a-z][a-z0-9_]*(\[[0-9]{1,4}\])?"
NAME: Final = re.compile(rf"{_STEP}(\.{_STEP})*", re.ASCII)
"""What the name of a field looks like."""


class Kind(StrEnum):
    """Names the ways in which a datum is written.

    Attributes:
        LINE: text without line breaks.
        TEXT: text with them.
        CHOICE: one of few values, in a list that opens.
        CODE: one of many values, suggested while one types.
        LIST: several texts with commas between them.
        TICK: yes, or nothing.
        PICTURE: an uploaded picture.
        FIXED: not to be changed on the form.
    """

    LINE = "LINE"
    TEXT = "TEXT"
    CHOICE = "CHOICE"
    CODE = "CODE"
    COUNT = "COUNT"
    AMOUNT = "AMOUNT"
    DAY = "DAY"
    MOMENT = "MOMENT"
    LIST = "LIST"
    TICK = "TICK"
    PICTURE = "PICTURE"
    FIXED = "FIXED"


class Choices(StrEnum):
    """Names the lists that values are chosen from."""

    MEMBERS = "members"
    COUNTRIES = "countries"
    KINDS = "kinds"
    PURPOSES = "purposes"
    LANGUAGES = "languages"
    BASES = "bases"
    BOXES = "boxes"
    CRITERIA = "criteria"
    HS_EDITIONS = "hs-editions"
    MODES = "transport-modes"
    MEANS = "transport-means"
    PLACES = "border-posts"
    PACKAGES = "packages"
    UNITS = "units"
    CURRENCIES = "currencies"
    PAPERS = "transport-papers"
    ATTACHMENTS = "attachments"
    REASONS = "retrospective-reasons"


@dataclass(frozen=True)
class Field:
    """Is one field of the form.

    Attributes:
        longest: signs that it takes at most.
        companion: says nothing by itself, as the unit beside a quantity.
        word: key of its label, that of its last step unless given.
    """

    path: str
    kind: Kind = Kind.LINE
    longest: int = 200
    choices: Choices | None = None
    companion: bool = False
    word: str = ""

    @property
    def label(self) -> str:
        """Key of its label among the texts ``draft_field``."""
        return self.word or self.path.rpartition(".")[2].removesuffix("[]")

    @property
    def is_broad(self) -> bool:
        """Whether it takes the whole breadth of its box."""
        return self.kind is Kind.TEXT or self.label in _BROAD


_BROAD: Final = ("trader", "line_one", "route", "authority", "text", "marks", "remark")


@dataclass(frozen=True)
class Fold:
    """Is a part of a box that belongs together.

    Attributes:
        open: it is always open; else only where something stands in it.
    """

    word: str
    parts: tuple[Part, ...]
    open: bool = False


@dataclass(frozen=True)
class Rows:
    """Is a part that repeats, as packages or attached documents do.

    Attributes:
        path: of one row, as ``transport.transit[]``.
        most: rows that the form takes.
    """

    path: str
    word: str
    parts: tuple[Part, ...]
    most: int = 20


Part = Field | Fold | Rows


def fields_in(parts: tuple[Part, ...]) -> Iterator[Field]:
    """Yield the fields of some parts, those of rows and folds too, in their order."""
    for part in parts:
        if isinstance(part, Field):
            yield part
        else:
            yield from fields_in(part.parts)


def rows_in(parts: tuple[Part, ...]) -> Iterator[Rows]:
    """Yield what repeats among some parts, the outer before the inner."""
    for part in parts:
        if isinstance(part, Rows):
            yield part
        if not isinstance(part, Field):
            yield from rows_in(part.parts)


def steps_of(path: str) -> list[str | int]:
    """Return the steps to a datum: names, and ordinals of rows."""
    found: list[str | int] = []
    for name, ordinal in re.findall(r"([a-z][a-z0-9_]*)(?:\[([0-9]+)\])?", path):
        found.append(name)
        if ordinal:
            found.append(int(ordinal))
    return found


def within(path: str, whole: str) -> bool:
    """Return whether a datum is, or stands in, another."""
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


@cache
def optional_records() -> frozenset[str]:
    """Return the paths of the records that a certificate may lack."""
    return frozenset(_optional(CertificateOfOrigin, ""))


@cache
def is_needed(field: Field) -> bool:
    """Return whether every certificate has the datum (or every row, if it stands in one)."""
    leaf = leaves(CertificateOfOrigin).get(field.path)
    lacking = any(within(field.path, record) for record in optional_records())
    return leaf is not None and leaf.required and not lacking


def general(path: str) -> str:
    """Return the path of a field by the name it has in a form."""
    return general_path(path)


def _optional(model: type[Record], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        member, repeated = member_type(field.annotation)
        if not (isinstance(member, type) and issubclass(member, Record)):
            continue
        path = f"{prefix}{name}{'[]' if repeated else ''}"
        if not repeated and not field.is_required():
            yield path
        yield from _optional(member, f"{path}.")


Typed = Mapping[str, str]
"""What stands in the fields of a form, by their names."""
Tree = dict[str, Any]
"""A document as JSON holds it."""
