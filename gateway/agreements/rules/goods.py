"""Goods items: numbering, tariff codes, descriptions, packages, quantities and masses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice

from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import ERROR, WARNING, Case, Complaint, I, R, at, complain, rule
from gateway.agreements.rules.identity import COO
from gateway.documents.base import Quantity
from gateway.documents.certificate_of_origin import CertificateOfOrigin, GoodsItem
from gateway.documents.codelists import code_list
from gateway.documents.hs import has_goods_chapter, is_hs_form

_AS_PER_INVOICE = re.compile(
    r"\b(as per|see|refer to|according to)\b.{0,20}\binvoice|"
    r"\b(selon|voir|suivant)\b.{0,20}\bfacture|"
    "(حسب|وفق|انظر).{0,20}(الفاتورة|فاتورة)",
    re.IGNORECASE,
)
_INVOICE_STEMS = ("nvo", "facture", "فاتورة")
"""One stands in whatever the pattern finds (an İ or ı may begin INVOICE); the search is slow."""

_PER_CENT = Decimal(100)


@rule("V31", COO, at(ERROR, I, R), box=BoxField.GOODS)
def number_of_items_is_within_limits(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """There is at least one goods item, and no more than the agreement allows."""
    limit = case.agreement.limits.maximum_items
    if not coo.items:
        yield complain("items")
    elif len(coo.items) > limit:
        yield complain("items", "many", count=len(coo.items), limit=limit)


@rule("V32", COO, at(ERROR, I, R), box=BoxField.GOODS)
def items_are_numbered_without_gap(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """Goods items are numbered 1 to n in order."""
    for index, item in enumerate(coo.items):
        if item.number != index + 1:
            yield complain(f"items[{index}].number", value=item.number, expected=index + 1)


@rule("V33", COO, at(ERROR, I, R), box=BoxField.HS_CODE)
def hs_code_has_its_form(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """A tariff code has six digits, or eight to ten with a national part."""
    for index, item in enumerate(coo.items):
        if not is_hs_form(item.hs_code):
            yield complain(f"items[{index}].hs_code", value=item.hs_code)


@rule("V34", COO, at(ERROR, I, R), box=BoxField.HS_CODE)
def hs_code_exists(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A tariff code exists in a permitted edition of the Harmonized System."""
    editions = {edition.edition: edition for edition in case.facts.hs}
    for index, item in enumerate(coo.items):
        edition = editions.get(item.hs_edition)
        if item.hs_edition not in case.agreement.hs_editions:
            allowed = ", ".join(case.agreement.hs_editions)
            yield complain(
                f"items[{index}].hs_edition", "edition", value=item.hs_edition, allowed=allowed
            )
        if not is_hs_form(item.hs_code):
            continue
        if not has_goods_chapter(item.hs_code):
            yield complain(f"items[{index}].hs_code", "chapter", value=item.hs_code)
        elif edition is not None and item.hs_code not in edition:
            yield complain(f"items[{index}].hs_code", value=item.hs_code, edition=edition.edition)


@rule("V35", COO, at(WARNING, R), box=BoxField.HS_CODE)
def hs_edition_is_the_importers(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The edition of the Harmonized System is the one that the importing state uses."""
    member = case.agreement.member(coo.destination_country, coo.issued_at.date())
    if member is None or member.hs_edition is None:
        return
    for index, item in enumerate(coo.items):
        if item.hs_edition != member.hs_edition:
            yield complain(
                f"items[{index}].hs_edition",
                value=item.hs_edition,
                expected=member.hs_edition,
                country=coo.destination_country,
            )


@rule("V36", COO, at(WARNING, I), box=BoxField.GOODS, article="9.1(b)")
def description_identifies_the_goods(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A description is long enough to identify the goods, and more than a tariff heading."""
    editions = {edition.edition: edition for edition in case.facts.hs}
    minimum = case.agreement.limits.minimum_description
    for index, item in enumerate(coo.items):
        path = f"items[{index}].description"
        edition = editions.get(item.hs_edition)
        heading = None if edition is None else edition.description(item.hs_code)
        if _refers_to_invoice(item.description):
            yield complain(path, "invoice")
        elif not _has_letters(item.description, minimum):
            yield complain(path, minimum=minimum)
        elif heading is not None and _plain(heading) == _plain(item.description):
            yield complain(path, "heading")


def _refers_to_invoice(text: str) -> bool:
    folded = text.casefold()
    return any(stem in folded for stem in _INVOICE_STEMS) and bool(_AS_PER_INVOICE.search(text))


def _has_letters(text: str, minimum: int) -> bool:
    """Return whether so many letters and digits stand in the text, reading no more of it."""
    return sum(1 for _ in islice(filter(str.isalnum, text), minimum)) == minimum


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\W", " ", text.casefold()).split())


@rule("V38", COO, {}, box=BoxField.HS_CODE)
def items_share_one_chapter(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """All tariff codes of one certificate lie in one chapter (where the agreement says so)."""
    first = coo.items[0].hs_code[:2] if coo.items else ""
    for index, item in enumerate(coo.items):
        if item.hs_code[:2] != first:
            yield complain(f"items[{index}].hs_code", value=item.hs_code, expected=first)


@rule("V51", COO, at(ERROR, I, R), box=BoxField.WEIGHT)
def quantities_are_positive(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """Quantities and masses are positive, and goods not in bulk state how many packages."""
    for index, item in enumerate(coo.items):
        for name in ("quantity", "gross_weight", "net_weight"):
            amount: Quantity | None = getattr(item, name)
            if amount is not None and amount.value <= 0:
                yield complain(f"items[{index}].{name}.value", value=amount.value)
        if item.packages.count is None and not _is_bulk(item.packages.kind):
            yield complain(
                f"items[{index}].packages.count",
                "count",
                box=BoxField.GOODS,
                value=item.packages.kind,
            )
    if coo.total_gross_weight is not None and coo.total_gross_weight.value <= 0:
        yield complain("total_gross_weight.value", value=coo.total_gross_weight.value)


@cache
def _is_bulk(kind: str) -> bool:
    entry = code_list("packages").entry(kind)
    return entry is not None and entry.attributes.get("bulk") == "yes"


@cache
def _factor(unit: str) -> Decimal | None:
    entry = code_list("units").entry(unit)
    factor = None if entry is None else entry.attributes.get("kilograms")
    return None if factor is None else Decimal(factor)


def _kilograms(mass: Quantity | None) -> Decimal | None:
    factor = None if mass is None else _factor(mass.unit)
    return None if mass is None or factor is None else mass.value * factor


@rule("V52", COO, at(WARNING, I, R), box=BoxField.WEIGHT)
def masses_and_packages_add_up(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Gross mass is not below net mass, and items add up to the totals within the tolerance."""
    for index, item in enumerate(coo.items):
        gross, net = _kilograms(item.gross_weight), _kilograms(item.net_weight)
        if gross is not None and net is not None and gross < net:
            yield complain(f"items[{index}].gross_weight", "net", gross=gross, net=net)
    yield from _total_mass(coo, case.agreement.limits.mass_tolerance_percent)
    counts = [item.packages.count for item in coo.items]
    packages = sum(count for count in counts if count is not None)
    if coo.total_packages is not None and None not in counts and packages != coo.total_packages:
        yield complain(
            "total_packages", "packages", box=BoxField.GOODS, value=coo.total_packages, sum=packages
        )


def _total_mass(coo: CertificateOfOrigin, tolerance: Decimal) -> Iterator[Complaint]:
    total = _kilograms(coo.total_gross_weight)
    masses = [_gross(item) for item in coo.items]
    known = [mass for mass in masses if mass is not None]
    if total is None or not masses or len(known) < len(masses):
        return
    added = sum(known, Decimal(0))
    if abs(added - total) * _PER_CENT > abs(total) * tolerance:
        yield complain("total_gross_weight", value=total, sum=added, tolerance=tolerance)


def _gross(item: GoodsItem) -> Decimal | None:
    return _kilograms(item.gross_weight)
