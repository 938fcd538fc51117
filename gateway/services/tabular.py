"""Tables as CSV that no spreadsheet takes for formulas.

A cell that begins as a formula does (``=``, ``+``, ``-``, ``@``, tab, carriage return, also their
wide forms) gets an apostrophe before it.  Numbers stay numbers.  Source: OWASP, CSV injection.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BIDI: Final = dict.fromkeys(
    (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
)
_UNSEEN: Final = re.compile("^[\\s\u00ad\u200b-\u200d\u2060-\u2064\ufeff]+")
"""What a spreadsheet may drop before it looks at a cell."""

BOM: Final = "\ufeff"
"""Tells spreadsheets that the file is UTF-8."""


def csv_of(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV (RFC 4180, UTF-8 with BOM)."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([_cell(head) for head in heads])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (BOM + written.getvalue()).encode("utf-8")


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int | float | Decimal | date) and not isinstance(value, bool):
        return value
    text = str(value).translate(_BIDI).replace("\x00", "")
    begins = (text, _UNSEEN.sub("", text))
    return f"'{text}" if any(each.startswith(_BEGINNINGS) for each in begins) else text
