"""The table of goods: one row for each item, one column for each box that shows part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.agreements import Agreement, BoxField
from gateway.documents.base import Quantity
from gateway.documents.certificate_of_origin import GoodsItem, Invoice
from gateway.documents.codelists import code_list
from gateway.paper.boxes import Lines, Writer
from gateway.paper.pieces import Line

NARROW: Final = 9
NARROWEST: Final = 6
"""Letters that fit beside one another in a narrow column and in the narrowest, however wide."""

TARIFF: Final = 10
FIGURE: Final = 16
"""Digits of a tariff code and of a quantity that are never broken: both fit their columns."""

COLUMNS: Final = (
    BoxField.GOODS,
    BoxField.HS_CODE,
    BoxField.CRITERION,
    BoxField.WEIGHT,
    BoxField.INVOICE,
)


def cell_lines(writer: Writer, item: GoodsItem, shown: tuple[BoxField, ...]) -> Lines:
    """Return the lines of one cell of the table."""
    found: Lines = []
    for each in shown:
        write = _WRITERS.get(each)
        found += [] if write is None else [line for line in write(writer, item) if line.runs]
    return found


def total_lines(writer: Writer, shown: tuple[BoxField, ...]) -> Lines:
    """Return the lines of one cell of the row of totals."""
    document, said = writer.document, writer.words
    if BoxField.GOODS in shown and document.total_packages is not None:
        return [writer.line().label(said.packages).code(str(document.total_packages))]
    if BoxField.WEIGHT in shown and document.total_gross_weight is not None:
        return [writer.line().label(said.gross).quantity(document.total_gross_weight)]
    return []


def legend(writer: Writer, agreement: Agreement) -> Line:
    """Return what the codes in the table mean: origin criteria and units of measure."""
    items = writer.document.items
    meanings: dict[str, str] = {}
    for code in sorted({item.criterion.code for item in items}):
        criterion = agreement.criterion(code)
        if criterion is not None:
            meanings[code] = criterion.name.in_language(writer.language)
    units = code_list("units")
    for code in sorted({each.unit for item in items for each in _quantities(item)}):
        name = units.name(code, writer.language)
        if name != code:
            meanings[code] = name
    line = writer.line()
    for code, name in meanings.items():
        line = line.semicolon() if line.runs else line.label(writer.words.codes)
        line = line.code(code).say(" = ").value(name)
    return line


def _quantities(item: GoodsItem) -> list[Quantity]:
    found = (item.quantity, item.gross_weight, item.net_weight)
    return [each for each in found if each is not None]


def _goods(writer: Writer, item: GoodsItem) -> Lines:
    said, packages = writer.words, item.packages
    lines = [writer.line().strong(item.description)]
    lines += [
        writer.line().value(each.text)
        for each in item.translations
        if each.language is writer.language
    ]
    packed = writer.line().label(said.packages)
    if packages.count is not None:
        packed = packed.code(str(packages.count)).say(" ")
    lines.append(packed.named("packages", packages.kind))
    if packages.marks is not None:
        lines.append(writer.line().label(said.marks).value(packages.marks))
    lines.append(writer.line().label(said.origin).country(item.country_of_origin))
    if item.producer is not None:
        line = writer.line().label(said.producer).value(item.producer.name)
        if item.producer.identifier is not None:
            line = line.say(" ").code(item.producer.identifier)
        lines.append(line)
    return lines


def _hs_code(writer: Writer, item: GoodsItem) -> Lines:
    codes = (item.hs_code, f"HS {item.hs_edition}")
    return [Line(writer.language, narrow=TARIFF).code(code) for code in codes]


def _criterion(writer: Writer, item: GoodsItem) -> Lines:
    criterion = item.criterion
    lines = [_narrow(writer).strong(criterion.code)]
    if criterion.percentage is not None:
        lines.append(_narrow(writer).code(f"{format(criterion.percentage, 'f')} %"))
    if criterion.remark is not None:
        lines.append(Line(writer.language, narrow=NARROWEST).value(criterion.remark))
    return lines


def _weight(writer: Writer, item: GoodsItem) -> Lines:
    said = writer.words
    pairs = (
        (said.quantity, item.quantity),
        (said.gross, item.gross_weight),
        (said.net, item.net_weight),
    )
    return [
        Line(writer.language, narrow=FIGURE).label(word).quantity(quantity)
        for word, quantity in pairs
        if quantity is not None
    ]


def _invoice(writer: Writer, item: GoodsItem) -> Lines:
    found: Lines = []
    for invoice in item.invoices or writer.document.invoices:
        found += _one_invoice(writer, invoice)
    return found


def _one_invoice(writer: Writer, invoice: Invoice) -> Lines:
    lines = [_narrow(writer).value(invoice.number), _narrow(writer).day(invoice.issued_on)]
    if invoice.issuer_name is not None:
        line = _narrow(writer).label(writer.words.third_country_invoice).value(invoice.issuer_name)
        if invoice.issuer_country is not None:
            line = line.comma().country(invoice.issuer_country)
        lines.append(line)
    return lines


def _narrow(writer: Writer) -> Line:
    return Line(writer.language, narrow=NARROW)


_WRITERS: Final[Mapping[BoxField, Callable[[Writer, GoodsItem], Lines]]] = {
    BoxField.GOODS: _goods,
    BoxField.HS_CODE: _hs_code,
    BoxField.CRITERION: _criterion,
    BoxField.WEIGHT: _weight,
    BoxField.INVOICE: _invoice,
}
