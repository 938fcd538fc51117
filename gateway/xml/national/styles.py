"""How dates, moments and decimals are written: the keys of a mapping file, checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from gateway.xml.national.conversions import DecimalStyle
from gateway.xml.national.marks import Marked
from gateway.xml.national.times import DayStyle, MomentStyle, TimePattern

_DAY = ("yyyy", "mm", "dd")


def day_style(marked: Marked) -> DayStyle:
    """Return the style of dates written here.

    Raises:
        FaultyMapping: the pattern lacks a part of the date, or names a time of day.
    """
    return DayStyle(_pattern(marked, _DAY, ()))


def moment_style(marked: Marked, offset: Callable[[], Marked]) -> MomentStyle:
    """Return the style of moments written here.

    Args:
        offset: gives the offset of the national clock; asked only where no zone is written.

    Raises:
        FaultyMapping: the pattern lacks a part of the moment, or the offset is none.
    """
    pattern = _pattern(marked, (*_DAY, "hh", "mi"), ("ss", "zone"))
    if "zone" in pattern.tokens:
        return MomentStyle(pattern, None)
    written = offset()
    found = re.fullmatch(r"([+-])([0-9]{2}):([0-5][0-9])", written.text())
    if found is None or int(found[2]) > 14:
        raise written.error(f'"{written.text()}" is no offset', 'Write it as "+02:00"')
    shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return MomentStyle(pattern, -shift if found[1] == "-" else shift)


def decimal_style(marked: Marked) -> DecimalStyle:
    """Return the style of decimals written here.

    Raises:
        FaultyMapping: the two marks are not two different single characters.
    """
    keys = marked.keys(frozenset({"point", "thousands"}), ("point",))
    point = keys["point"].text()
    thousands = keys["thousands"].text() if "thousands" in keys else ""
    marks_are_plain = not any(char.isalnum() or char in "+-" for char in point + thousands)
    if len(point) != 1 or len(thousands) > 1 or point == thousands or not marks_are_plain:
        raise marked.error(
            "decimal mark and thousands mark must be two different single characters",
            'Write as { point: ",", thousands: "." } or leave thousands out',
        )
    return DecimalStyle(point, thousands)


def _pattern(marked: Marked, needed: tuple[str, ...], allowed: tuple[str, ...]) -> TimePattern:
    pattern = TimePattern(marked.text())
    tokens = pattern.tokens
    if sorted(set(tokens)) != sorted(tokens) or not set(needed) <= set(tokens):
        raise marked.error(
            f'"{pattern.written}" does not name each of {" ".join(needed)} exactly once',
            "Use yyyy mm dd hh mi ss zone and the characters between them",
        )
    if set(tokens) - set(needed) - set(allowed):
        raise marked.error(
            f'"{pattern.written}" names a time of day, but the field is a date',
            "Use yyyy, mm and dd only",
        )
    return pattern
