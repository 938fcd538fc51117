"""The fonts of the printed form: where they lie, and which characters they can show.

They come as packages (OFL) beside the gateway, never from the machine it runs on, so that the
same input makes the same bytes everywhere.  A PDF/A file must not hold a character without a
picture, so what no font shows has to be known beforehand.

Source: OpenType 1.9, table ``cmap``, formats 4 and 12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import fontpkg_ibm_plex_sans_arabic as main_font
import fontpkg_noto_sans as further_font

from gateway.errors import ConfigError

FAMILIES: Final = ("IBM Plex Sans Arabic", "Noto Sans")
"""In the order in which they are asked for a character; form.typ names the same."""

_REGULAR: Final = ("IBMPlexSansArabic-Regular.ttf", "NotoSans[wdth,wght].ttf")
_BOLD: Final = ("IBMPlexSansArabic-Bold.ttf",)


def font_folders() -> tuple[Path, ...]:
    """Return the folders that hold the fonts.

    Raises:
        ConfigError: a font package is not whole.
    """
    folders = tuple(Path(each.ROOT) / "files" for each in (main_font, further_font))
    for folder, name in zip(folders, _REGULAR, strict=True):
        if not (folder / name).is_file():
            raise ConfigError(f"the font {name} is missing; install the gateway's packages again")
    return folders


@cache
def shown_characters() -> frozenset[int]:
    """Return the code points that the fonts have a picture for; read once."""
    found: set[int] = set()
    for folder, name in zip(font_folders(), _REGULAR, strict=True):
        found.update(covered((folder / name).read_bytes()))
    return frozenset(found)


def covered(font: bytes) -> frozenset[int]:
    """Return the code points that a TrueType font maps to a glyph of its own.

    Raises:
        ConfigError: the bytes are no such font.
    """
    try:
        start = _table(font, b"cmap")
        (count,) = struct.unpack_from(">H", font, start + 2)
        found: set[int] = set()
        for at in range(start + 4, start + 4 + 8 * count, 8):
            _, _, offset = struct.unpack_from(">HHL", font, at)
            found.update(_mapped(font, start + offset))
    except (struct.error, LookupError) as exc:
        raise ConfigError("a font file cannot be read") from exc
    return frozenset(found)


def _table(font: bytes, tag: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for at in range(12, 12 + 16 * count, 16):
        name, _, offset, _ = struct.unpack_from(">4sLLL", font, at)
        if name == tag:
            return int(offset)
    raise LookupError(tag)


def _mapped(font: bytes, at: int) -> Iterator[int]:
    (form,) = struct.unpack_from(">H", font, at)
    if form == 12:
        (groups,) = struct.unpack_from(">L", font, at + 12)
        for group in range(groups):
            first, last, glyph = struct.unpack_from(">LLL", font, at + 16 + 12 * group)
            yield from range(first + (glyph == 0), last + 1)
    elif form == 4:
        yield from _mapped_by_segments(font, at)


def _mapped_by_segments(font: bytes, at: int) -> Iterator[int]:
    (double,) = struct.unpack_from(">H", font, at + 6)
    ends, starts = at + 14, at + 16 + double
    deltas, ranges = starts + double, starts + 2 * double
    for step in range(0, double, 2):
        (last,) = struct.unpack_from(">H", font, ends + step)
        (first,) = struct.unpack_from(">H", font, starts + step)
        (delta,) = struct.unpack_from(">H", font, deltas + step)
        (offset,) = struct.unpack_from(">H", font, ranges + step)
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = point
            if offset:
                place = ranges + step + offset + 2 * (point - first)
                (glyph,) = struct.unpack_from(">H", font, place)
                if glyph == 0:
                    continue
            if (glyph + delta) & 0xFFFF:
                yield point
