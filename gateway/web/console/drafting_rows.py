"""Buttons of a form that change its rows: what they ask for is done to the fields."""

from __future__ import annotations

from typing import Final

from gateway.agreements import Agreement
from gateway.errors import InputError
from gateway.web.console.drafting_fields import NAME, Kind, Typed, general, within
from gateway.web.console.drafting_filling import new_item, new_row
from gateway.web.console.drafting_nodes import id_of
from gateway.web.console.drafting_reading import compacted
from gateway.web.console.drafting_sheet import ITEMS, fields, repeated

_NO_BUTTON: Final = "the form has no such button"


def changed(typed: Typed, step: str, agreement: Agreement, country: str) -> tuple[Typed, str]:
    """Return the fields after a row was added or removed, or a picture dropped.

    Args:
        step: ``add:items``, ``remove:items[2]``, ``drop:stamp``.

    Returns:
        The fields, and the id of the element that is to have the focus.

    Raises:
        InputError: there is no such button, or no more rows are taken.
    """
    deed, _, path = step.partition(":")
    if not NAME.fullmatch(path):
        raise InputError(_NO_BUTTON)
    if deed == "add":
        return _added(typed, path, agreement, country)
    if deed == "remove" and path.endswith("]") and general(path) in repeated():
        kept = {name: text for name, text in typed.items() if not within(name, path)}
        return compacted(kept), f"add-{id_of(path[: path.rindex('[')])}"
    known = fields().get(path)
    if deed == "drop" and known is not None and known.kind is Kind.PICTURE:
        return {**typed, path: ""}, id_of(path)
    raise InputError(_NO_BUTTON)


def _added(typed: Typed, path: str, agreement: Agreement, country: str) -> tuple[Typed, str]:
    rows = repeated().get(f"{general(path)}[]")
    row = path[: path.rindex("]") + 1] if "]" in path else ""
    if rows is None or (row and not any(within(name, row) for name in typed)):
        raise InputError(_NO_BUTTON)
    place = len({name[len(path) :].split("]")[0] for name in typed if name.startswith(f"{path}[")})
    if place >= rows.most:
        raise InputError(f"a form takes at most {rows.most} rows of {rows.word}")
    if rows.path == ITEMS:
        added = new_item(agreement, country, place, str(_next_number(typed)))
    else:
        added = new_row(path, place)
    focus = next(name for name in added if not name.endswith(".number") or rows.path != ITEMS)
    return {**typed, **added}, id_of(focus)


def _next_number(typed: Typed) -> int:
    numbers = (text for name, text in typed.items() if general(name) == f"{ITEMS}.number")
    known = [int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) < 6]
    return max(known, default=0) + 1
