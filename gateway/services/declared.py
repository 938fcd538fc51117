"""What an import declaration says, as far as it is compared with a certificate of origin.

Read from JSON or CSV as customs systems export it, or from a form.  It is only looked at, never
stored; what cannot be read is said with line and column.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.documents.base import printable
from gateway.errors import InputError

MOST_ITEMS: Final = 1_000
_LONGEST: Final = 500
_SEPARATORS: Final = ",;\t"
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("number", "item", "line", "item_number"),
    "hs": ("hs", "hs_code", "tariff", "commodity"),
    "origin": ("origin", "country_of_origin"),
    "quantity": ("quantity", "qty", "supplementary_quantity"),
    "unit": ("unit", "uom", "unit_code"),
    "exporter": ("exporter", "consignor"),
    "consignee": ("consignee", "importer"),
    "invoice": ("invoice", "invoice_number"),
}
"""Names under which customs systems export each datum, ours first."""


@dataclass(frozen=True, kw_only=True)
class DeclaredItem:
    """Is one line of a declaration; what it does not state is blank or None.

    Attributes:
        number: of the goods item on the certificate that it is declared under.
    """

    number: int
    hs: str = ""
    origin: str = ""
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Is what a declaration states about a consignment."""

    exporter: str = ""
    consignee: str = ""
    invoice: str = ""
    items: tuple[DeclaredItem, ...] = field(default=())

    @property
    def is_blank(self) -> bool:
        """Whether nothing was stated at all."""
        return self == Declared()


def read_declared(raw: bytes) -> Declared:
    """Return what JSON (an object with ``items``) or CSV (a heading, a line per item) states.

    Raises:
        InputError: it is neither, or a quantity or number in it cannot be read.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InputError("the declaration is not UTF-8 text") from exc
    if text.lstrip().startswith("{"):
        return _from_json(text)
    return _from_csv(text)


def declared_item(place: str, number: str, values: Mapping[str, str]) -> DeclaredItem:
    """Return one line from texts.

    Args:
        place: how an error names the line.

    Raises:
        InputError: number or quantity is none.
    """
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 100_000):
        raise InputError(f"{place}: {_cut(number)!r} is no item number")
    return DeclaredItem(
        number=int(number),
        hs=values.get("hs", ""),
        origin=values.get("origin", ""),
        quantity=_figure(place, values.get("quantity", "")),
        unit=values.get("unit", ""),
    )


def _from_json(text: str) -> Declared:
    try:
        tree = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as exc:
        raise InputError("the declaration begins like JSON but is none") from exc
    lines = tree.get("items", [])
    if not isinstance(lines, list) or not all(isinstance(each, dict) for each in lines):
        raise InputError("`items` must be a list of objects")
    return _declared([_named(tree)] + [_named(each) for each in lines], first=0)


def _from_csv(text: str) -> Declared:
    heading = text.splitlines()[0] if text.strip() else ""
    separator = max(_SEPARATORS, key=heading.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as exc:
        raise InputError(f"the declaration is no CSV: {exc}") from exc
    if not rows:
        raise InputError("the declaration needs a heading and a line for each item")
    lines = [_named({key: value for key, value in row.items() if key}) for row in rows]
    if not any("hs" in line or "quantity" in line for line in lines):
        raise InputError("no column is called `hs` or `quantity`")
    whole: dict[str, str] = {}
    for line in reversed(lines):
        whole |= {key: value for key, value in line.items() if value}
    return _declared([whole, *lines], first=2)


def _declared(parts: Sequence[Mapping[str, str]], *, first: int) -> Declared:
    whole, *lines = parts
    if len(lines) > MOST_ITEMS:
        raise InputError(f"the declaration has more than {MOST_ITEMS} lines")
    items = tuple(
        declared_item(f"line {place + first}", line.get("number") or str(place + 1), line)
        for place, line in enumerate(lines)
    )
    return Declared(
        exporter=whole.get("exporter", ""),
        consignee=whole.get("consignee", ""),
        invoice=whole.get("invoice", ""),
        items=items,
    )


def _named(written: Mapping[str, Any]) -> dict[str, str]:
    return dict(_known(written))


def _known(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    folded = {str(key).strip().lower(): value for key, value in written.items()}
    for name, spellings in _NAMES.items():
        for spelling in spellings:
            value = folded.get(spelling)
            if isinstance(value, str):
                yield name, _cut(value)
                break


def _cut(value: str) -> str:
    return str(printable(value)).strip()[:_LONGEST]


def _figure(place: str, written: str) -> Decimal | None:
    if not written:
        return None
    try:
        found = Decimal(written.replace("\u00a0", "").replace(" ", ""))
    except InvalidOperation as exc:
        raise InputError(f"{place}: {_cut(written)!r} is no quantity, as 6000.5") from exc
    if not found.is_finite() or abs(found) >= Decimal(10) ** 15:
        raise InputError(f"{place}: {_cut(written)!r} is no quantity, as 6000.5")
    return found
