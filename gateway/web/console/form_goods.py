"""What the goods boxes of the form show of one item; every value is escaped and isolated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from gateway.agreements import BoxField
from gateway.documents.base import Quantity
from gateway.documents.certificate_of_origin import GoodsItem, Invoice
from gateway.documents.codelists import code_list
from gateway.web.console.words import Words, plain


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Is one line of a box.

    Attributes:
        label: key among the texts ``form``, None where the value speaks for itself.
        picture: address of a picture that stands in the box.
    """

    value: Markup
    label: str | None = None
    picture: str | None = None


def _quantity(quantity: Quantity, words: Words) -> Markup:
    return Markup("{} {}").format(words.number(quantity.value), unit_name(quantity.unit, words))


def unit_name(unit: str, words: Words) -> Markup:
    """Return a unit by its code, its name for whoever does not know the code."""
    name = code_list("units").name(unit, words.language)
    return Markup('<abbr title="{}">{}</abbr>').format(name, words.code(unit))


def _goods(item: GoodsItem, words: Words) -> Iterator[Entry]:
    yield Entry(value=plain(item.description))
    for each in item.translations:
        yield Entry(value=plain(each.text))
    packages = item.packages
    kind = plain(code_list("packages").name(packages.kind, words.language))
    if packages.count is not None:
        kind = Markup("{} × {}").format(words.number(packages.count), kind)
    yield Entry(label="packages", value=kind)
    if packages.marks is not None:
        yield Entry(label="marks", value=plain(packages.marks))
    yield Entry(label="origin", value=words.country(item.country_of_origin))
    if item.producer is not None:
        yield Entry(label="producer", value=plain(item.producer.name))


def _hs_code(item: GoodsItem, words: Words) -> Iterator[Entry]:
    yield Entry(value=words.code(item.hs_code))


def _criterion(item: GoodsItem, words: Words) -> Iterator[Entry]:
    yield Entry(value=words.code(item.criterion.code))
    if item.criterion.percentage is not None:
        yield Entry(value=Markup("{}").format(words.percent(item.criterion.percentage / 100)))
    if item.criterion.remark is not None:
        yield Entry(value=plain(item.criterion.remark))


def _weight(item: GoodsItem, words: Words) -> Iterator[Entry]:
    pairs = (
        ("quantity", item.quantity),
        ("gross", item.gross_weight),
        ("net", item.net_weight),
    )
    for label, quantity in pairs:
        if quantity is not None:
            yield Entry(label=label, value=_quantity(quantity, words))


def _invoice(item: GoodsItem, words: Words) -> Iterator[Entry]:
    for invoice in item.invoices:
        yield from _one_invoice(invoice, words)


def _one_invoice(invoice: Invoice, words: Words) -> Iterator[Entry]:
    yield Entry(value=words.code(invoice.number))
    if invoice.issued_on is not None:
        yield Entry(value=Markup("{}").format(words.day(invoice.issued_on)))
    if invoice.issuer_name is not None:
        yield Entry(label="third_country", value=plain(invoice.issuer_name))


ITEM_WRITERS: Final[Mapping[BoxField, Callable[[GoodsItem, Words], Iterator[Entry]]]] = {
    BoxField.GOODS: _goods,
    BoxField.HS_CODE: _hs_code,
    BoxField.CRITERION: _criterion,
    BoxField.WEIGHT: _weight,
    BoxField.INVOICE: _invoice,
}
