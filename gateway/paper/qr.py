"""QR symbols as drawings: error correction M, modules large enough for a hand scanner.

Source: ISO/IEC 18004:2015, 6.3.8 (quiet zone of four modules) and table 7 (capacity).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import segno

from gateway.errors import InputError

LARGEST: Final = 46.0
"""Longest side in millimetres for which the form has room, quiet zone included."""

MODULE: Final = 0.42
SMALLEST_MODULE: Final = 0.33
"""Size of a module in millimetres: as printed if there is room, and never less than the second."""

_QUIET: Final = 4

_MASK: Final = 1
"""Weighing all eight masks takes longer than setting the whole form, and what a signed summary
holds looks like chance: any mask spreads it well.  Readers find the mask in the symbol."""


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
    try:
        code = segno.make(text, error="m", boost_error=False, micro=False, mask=_MASK)
    except segno.DataOverflowError as exc:
        raise InputError("the text is too long for any QR code") from exc
    side = code.symbol_size(border=_QUIET)[0]
    module = min(MODULE, LARGEST / side)
    if module < SMALLEST_MODULE:
        raise InputError(
            f"a QR code of {side} modules does not fit into {LARGEST:g} mm: its modules would "
            f"be smaller than {SMALLEST_MODULE} mm"
        )
    out = io.BytesIO()
    code.save(out, kind="svg", border=_QUIET, xmldecl=False, svgns=True, dark="#000")
    return Symbol(
        svg=out.getvalue().decode("ascii"),
        version=int(code.version),
        module=module,
        millimetres=round(side * module, 3),
    )
