"""The rows of a mapping table, as the message guide and forms show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.documents.findings import LocalisedText


class RowKind(StrEnum):
    """Says what a row does."""

    VALUE = "value"
    """Carries one field of the document, both ways."""

    DERIVED = "derived"
    """Writes an official code that follows from a field; reading checks it."""

    CONSTANT = "constant"
    """Writes the same text in every message; reading checks it."""


@dataclass(frozen=True)
class Row:
    """Is one row of a mapping table.

    Attributes:
        field: path in the document, as ``items[].packages.kind``; empty for a constant.
        xml: path in the message below the root, with prefixes and constant predicates.
        form: how the value is written: ``text``, ``decimal``, ``date-102`` …
        constant: the text of a constant row.
        attributes: constant attributes of the element, as ``schemeID``.
        box: box of the paper form, where there is one; an agreement profile may override it.
        label: what people call the field; None for constants and derived codes.
        article: article of the regulation that demands the field.
        line: line of the mapping file.
    """

    kind: RowKind
    field: str
    xml: str
    form: str
    constant: str | None
    attributes: tuple[tuple[str, str], ...]
    box: str | None
    label: LocalisedText | None
    article: str | None
    line: int
