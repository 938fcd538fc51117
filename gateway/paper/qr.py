"""QR symbols as drawings: error correction M, modules large enough for a hand scanner.

Source: ISO/IEC 18004:2015, 6.3.8 (quiet zone of four modules) and table 7 (capacity).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import InputError
from gateway.paper.modules import modules_of

LARGEST: Final = 46.0
"""Longest side in millimetres for which the form has room, quiet zone included."""

MODULE: Final = 0.42
SMALLEST_MODULE: Final = 0.33
"""Size of a module in millimetres: as printed if there is room, and never less than the second."""

_QUIET: Final = 4

_DARK: Final = re.compile("1+")


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """Is a QR symbol.

    Attributes:
        version: 1 to 40.
        module: side of one module in millimetres.
        millimetres: side of the whole drawing, quiet zone included.
    """

    svg: str
    version: int
    module: float
    millimetres: float


def drawn(text: str) -> Symbol:
    """Return the symbol that carries ``text``.

    Raises:
        InputError: its modules would be too small to be scanned.
    """
    rows = modules_of(text)
    side = len(rows) + 2 * _QUIET
    module = min(MODULE, LARGEST / side)
    if module < SMALLEST_MODULE:
        raise InputError(
            f"a QR code of {side} modules does not fit into {LARGEST:g} mm: its modules would "
            f"be smaller than {SMALLEST_MODULE} mm"
        )
    return Symbol(
        svg=_drawing(rows, side),
        version=(len(rows) - 17) // 4,
        module=module,
        millimetres=round(side * module, 3),
    )


def _drawing(rows: list[str], side: int) -> str:
    """Return each row of dark modules that touch as one stroke, a module wide."""
    strokes = [
        f"M{run.start() + _QUIET} {number + _QUIET}.5h{run.end() - run.start()}"
        for number, row in enumerate(rows)
        for run in _DARK.finditer(row)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">'
        f'<path stroke="#000" d="{"".join(strokes)}"/></svg>'
    )
