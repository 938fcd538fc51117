"""Foreign text as it may stand on paper: nothing invisible, nothing that reorders its neighbours.

A character that turns the order of others (bidirectional controls), that cannot be seen, or that
no font has a picture for is printed as its number, ``[U+202E]``.  Every value stands in an
isolate of its own, so that Arabic beside Latin text changes neither.

Source: Unicode Standard Annex #9 (UAX 9), 2.4 and 3.3.2.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gateway.paper.fonts import shown_characters

ISOLATE: Final = "\u2068"
END: Final = "\u2069"

_BREAK: Final = "\u200b"
_JOINERS: Final = frozenset("\u200c\u200d")
"""Arabic spelling needs them, and they move nothing."""

_MARKS: Final = frozenset("\u200e\u200f\u061c\u00ad")
"""Direction marks and soft hyphens: left out, the isolate says what they said."""

_MOST_STACKED: Final = 3
"""Signs above or below one letter; more would cover the lines beside it."""

_PIECE: Final = 4
"""Letters that stay together in a word that is broken: a line takes as many pieces as fit."""

_MOST_NUMBERS: Final = 8

_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
_TURNED: Final = _RIGHT_TO_LEFT | {"AN"}
_LONG_RUN: Final = re.compile(r"[^\s\u0590-\u08ff\ufb1d-\ufefc]{2,}")
_BREAKS_AFTER: Final = re.compile(r"(?<=[/,;:_.@])(?=[^\s\u200b])")


def shown(text: str, *, longest: int = 22) -> str:
    """Return a foreign text as it is printed.

    Args:
        longest: letters of a word that is never broken.
    """
    is_plain = text.isascii() and text.isprintable()
    visible = text if is_plain else "".join(_runs(text))
    return _LONG_RUN.sub(lambda run: _breakable(run[0], longest), visible)


def isolated(text: str) -> str:
    """Return a printed text so that it orders nothing beside it, nor is ordered by it."""
    return f"{ISOLATE}{text}{END}"


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter with a direction is Hebrew, Arabic or the like."""
    if text.isascii():
        return False
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L":
            return False
        if direction in _RIGHT_TO_LEFT:
            return True
    return False


def holds_right_to_left(text: str) -> bool:
    """Return whether any letter or figure of the text reads from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(each) in _TURNED for each in text)


def _runs(text: str) -> list[str]:
    found: list[str] = []
    numbers: list[str] = []
    stacked = 0
    for character in unicodedata.normalize("NFC", text):
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        kept = _kept(character) if stacked <= _MOST_STACKED else None
        if kept is None:
            numbers.append(f"U+{ord(character):04X}")
            continue
        found += _numbered(numbers)
        numbers = []
        found.append(kept)
    return found + _numbered(numbers)


def _numbered(numbers: list[str]) -> list[str]:
    """Return what stands for a row of characters that are printed as numbers."""
    if not numbers:
        return []
    rest = f" +{len(numbers) - _MOST_NUMBERS}" if len(numbers) > _MOST_NUMBERS else ""
    return [f"[{' '.join(numbers[:_MOST_NUMBERS])}{rest}]"]


def _kept(character: str) -> str | None:
    """Return what stands for a character; None for one that is printed as its number."""
    if character in _MARKS:
        return ""
    if character in "\t\u00a0\u202f" or unicodedata.category(character) == "Zs":
        return " "
    if character in "\n\u2028\u2029":
        return "\n"
    if character in _JOINERS:
        return character
    if unicodedata.category(character)[0] == "C":
        return None
    return character if ord(character) in shown_characters() else None


def _breakable(run: str, longest: int) -> str:
    """Return a run without spaces, with places to break where it is too long for a line."""
    if len(run) <= longest:
        return run
    pieces: list[str] = []
    for piece in _BREAKS_AFTER.split(run):
        pieces += [piece[at : at + _PIECE] for at in range(0, len(piece), _PIECE)]
    return _BREAK.join(pieces)
