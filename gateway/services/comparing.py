"""Comparing a certificate of origin with an import declaration, datum by datum, with the reason.

A difference in form only (letters, spaces, dashes, a national subheading, tonnes for kilograms)
never justifies a refusal; a real one has to be explained or asked about.

Source: regulation Art. 11.2(g)(ii) (slight discrepancies).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from gateway.documents import CertificateOfOrigin
from gateway.documents.certificate_of_origin import GoodsItem
from gateway.services.declared import Declared, DeclaredItem
from gateway.store import CertificateItem, canonical_key


class Likeness(StrEnum):
    """Says how what is declared compares with what is certified."""

    EQUAL = "EQUAL"
    FORM = "FORM"
    DIFFERS = "DIFFERS"
    MISSING = "MISSING"


class Explanation(StrEnum):
    """Names the sentence that explains a comparison."""

    SAME = "SAME"
    SPELLING = "SPELLING"
    HS_SUBHEADING = "HS_SUBHEADING"
    HS_OTHER = "HS_OTHER"
    ORIGIN_OTHER = "ORIGIN_OTHER"
    NAME_OTHER = "NAME_OTHER"
    INVOICE_OTHER = "INVOICE_OTHER"
    NOT_DECLARED = "NOT_DECLARED"
    NO_SUCH_ITEM = "NO_SUCH_ITEM"
    ITEM_NOT_DECLARED = "ITEM_NOT_DECLARED"
    UNIT_OTHER = "UNIT_OTHER"
    UNIT_CONVERTED = "UNIT_CONVERTED"
    ALL_THAT_REMAINS = "ALL_THAT_REMAINS"
    WITHIN_REMAINDER = "WITHIN_REMAINDER"
    BEYOND_REMAINDER = "BEYOND_REMAINDER"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Is one datum on both papers.

    Attributes:
        datum: ``exporter``, ``consignee``, ``invoice``, ``hs``, ``origin``, ``quantity`` or
            ``item``.
        item: number of the goods item, None for the whole certificate.
        values: what the explanation names.
    """

    datum: str
    certified: str
    declared: str
    likeness: Likeness
    explanation: Explanation
    item: int | None = None
    values: Mapping[str, Any] | None = None


_GRAMS: Final[Mapping[str, Decimal]] = {
    "GRM": Decimal(1),
    "KGM": Decimal(1_000),
    "DTN": Decimal(100_000),
    "TNE": Decimal(1_000_000),
}
"""Units of mass of Recommendation 20 that say the same in other figures."""
_HS_DIGITS: Final = 6


def compare(
    document: CertificateOfOrigin, items: Iterable[CertificateItem], declared: Declared
) -> tuple[Comparison, ...]:
    """Return every comparison, of the whole first, then item by item."""
    books = {each.number: each for each in items}
    goods = {each.number: each for each in document.items}
    found = [*_whole(document, declared)]
    for line in declared.items:
        item, book = goods.get(line.number), books.get(line.number)
        if item is None or book is None:
            found.append(_odd(Explanation.NO_SUCH_ITEM, Likeness.DIFFERS, line.number))
        else:
            found += _one_item(item, book, line)
    if declared.items:
        named = {line.number for line in declared.items}
        found += [
            _odd(Explanation.ITEM_NOT_DECLARED, Likeness.MISSING, number)
            for number in sorted(goods.keys() - named)
        ]
    return tuple(found)


def _whole(document: CertificateOfOrigin, declared: Declared) -> Iterator[Comparison]:
    other = Explanation.NAME_OTHER
    yield _text("exporter", (document.exporter.name,), declared.exporter, other)
    yield _text("consignee", (document.consignee.name,), declared.consignee, other)
    invoices = [*document.invoices, *(each for item in document.items for each in item.invoices)]
    numbers = tuple(dict.fromkeys(each.number for each in invoices))
    yield _text("invoice", numbers, declared.invoice, Explanation.INVOICE_OTHER)


def _one_item(item: GoodsItem, book: CertificateItem, line: DeclaredItem) -> Iterator[Comparison]:
    yield _hs(item, line)
    origin = (item.country_of_origin,)
    yield _text("origin", origin, line.origin, Explanation.ORIGIN_OTHER, item=item.number)
    yield _quantity(book, line)


def _text(
    datum: str,
    certified: tuple[str, ...],
    declared: str,
    other: Explanation,
    *,
    item: int | None = None,
) -> Comparison:
    likeness, explanation = Likeness.DIFFERS, other
    if not declared:
        likeness, explanation = Likeness.MISSING, Explanation.NOT_DECLARED
    elif declared in certified:
        likeness, explanation = Likeness.EQUAL, Explanation.SAME
    elif _bare(declared) in {_bare(each) for each in certified}:
        likeness, explanation = Likeness.FORM, Explanation.SPELLING
    return Comparison(
        datum=datum,
        certified=", ".join(certified),
        declared=declared,
        likeness=likeness,
        explanation=explanation,
        item=item,
    )


def _bare(written: str) -> str:
    """Return letters and digits alone, which is what a name or number consists of."""
    return "".join(each for each in canonical_key(written) if each.isalnum())


def _hs(item: GoodsItem, line: DeclaredItem) -> Comparison:
    certified, declared = _bare(item.hs_code), _bare(line.hs)
    likeness, explanation = Likeness.DIFFERS, Explanation.HS_OTHER
    if not declared:
        likeness, explanation = Likeness.MISSING, Explanation.NOT_DECLARED
    elif declared == certified:
        same = line.hs == item.hs_code
        likeness = Likeness.EQUAL if same else Likeness.FORM
        explanation = Explanation.SAME if same else Explanation.SPELLING
    elif declared[:_HS_DIGITS] == certified[:_HS_DIGITS] and len(declared) >= _HS_DIGITS:
        likeness, explanation = Likeness.FORM, Explanation.HS_SUBHEADING
    return Comparison(
        datum="hs",
        certified=item.hs_code,
        declared=line.hs,
        likeness=likeness,
        explanation=explanation,
        item=item.number,
    )


def _quantity(book: CertificateItem, line: DeclaredItem) -> Comparison:
    unit = canonical_key(line.unit) or book.unit
    left = {"left": book.remaining, "unit": book.unit}
    if line.quantity is None:
        likeness, said = Likeness.MISSING, Explanation.NOT_DECLARED
    else:
        quantity = _converted(line.quantity, unit, book.unit)
        if quantity is None:
            likeness, said = Likeness.DIFFERS, Explanation.UNIT_OTHER
        elif quantity > book.remaining:
            likeness, said = Likeness.DIFFERS, Explanation.BEYOND_REMAINDER
            left["over"] = quantity - book.remaining
        else:
            whole = quantity == book.remaining
            likeness = Likeness.EQUAL
            said = Explanation.ALL_THAT_REMAINS if whole else Explanation.WITHIN_REMAINDER
            if unit != book.unit:
                likeness, said = Likeness.FORM, Explanation.UNIT_CONVERTED
                left["converted"] = quantity
    stated = "" if line.quantity is None else f"{line.quantity:f} {line.unit}".strip()
    return Comparison(
        datum="quantity",
        certified=f"{book.certified.normalize():f} {book.unit}",
        declared=stated,
        likeness=likeness,
        explanation=said,
        item=book.number,
        values=left,
    )


def _converted(quantity: Decimal, unit: str, wanted: str) -> Decimal | None:
    if unit == wanted:
        return quantity
    if unit in _GRAMS and wanted in _GRAMS:
        return quantity * _GRAMS[unit] / _GRAMS[wanted]
    return None


def _odd(explanation: Explanation, likeness: Likeness, number: int) -> Comparison:
    return Comparison(
        datum="item",
        certified="",
        declared="",
        likeness=likeness,
        explanation=explanation,
        item=number,
    )
