"""Text that fits the window: columns whose cells wrap, and Arabic that keeps to its own cell."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

_ISOLATE, _POP = "\u2068", "\u2069"
_TURNING = frozenset({"R", "AL", "AN"})
_GAP: Final = "  "
_NARROWEST, _WIDEST, _UNKNOWN = 60, 200, 100
_PIECES = re.compile("[^ ./_]*[./_]+|[^ ./_]+| +")


def window() -> int:
    """Return how many columns a line may have: those of the window, within reason."""
    return min(max(shutil.get_terminal_size((_UNKNOWN, 24)).columns, _NARROWEST), _WIDEST)


def isolated(text: str) -> str:
    """Return text of a sample so that its direction cannot turn the line around it."""
    if any(unicodedata.bidirectional(char) in _TURNING for char in text):
        return f"{_ISOLATE}{text}{_POP}"
    return text


def width_of(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    return sum(_width(char) for char in text)


def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Return ``text`` in lines of at most ``width`` columns.

    They break at white space, behind the signs that part a path, and elsewhere only where
    nothing shorter is left.
    """
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and width_of(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
        while width_of(line.rstrip()) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    return (*lines, line.rstrip()) if line.strip() or not lines else tuple(lines)


def hanging(first: str, text: str, width: int) -> Iterator[str]:
    """Yield ``text`` behind ``first``, its further lines as far to the right as the first one."""
    indent = " " * width_of(first)
    for index, line in enumerate(wrapped(text, max(width - len(indent), _NARROWEST // 2))):
        yield (indent if index else first) + isolated(line)


class Columns:
    """Lays out rows of cells; a cell may have several lines, each of which wraps."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> None:
        """Make columns as wide as their content, or as narrow as ``width`` asks for."""
        self._headings = headings
        cells = zip(headings, *rows, strict=True)
        self._widths = _shares([_widest(column) for column in cells], width)

    def heading(self) -> Iterator[str]:
        """Yield the headings and the rule below them."""
        yield from self.row(self._headings)
        yield _GAP.join("─" * width for width in self._widths)

    def row(self, cells: Sequence[str]) -> Iterator[str]:
        """Yield the lines of one row."""
        columns = [
            [part for line in cell.split("\n") for part in _continued(line, width)]
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        for line in zip_longest(*columns, fillvalue=""):
            yield _GAP.join(
                isolated(part) + " " * (width - width_of(part))
                for part, width in zip(line, self._widths, strict=True)
            ).rstrip()


def _continued(line: str, width: int) -> Iterator[str]:
    """Yield one line of a cell, wrapped below its own indent."""
    indent = line[: len(line) - len(line.lstrip())]
    for part in wrapped(line.lstrip(), max(width - len(indent), 1)):
        yield indent + part


def _widest(cells: Sequence[str]) -> int:
    return max((width_of(line) for cell in cells for line in cell.split("\n")), default=0)


def _shares(wanted: Sequence[int], width: int) -> list[int]:
    """Return a width for each column: what it wants, as long as the others get their share."""
    left = width - len(_GAP) * (len(wanted) - 1)
    found = list(wanted)
    order = sorted(range(len(wanted)), key=lambda column: wanted[column])
    for place, column in enumerate(order):
        found[column] = min(wanted[column], left // (len(order) - place))
        left -= found[column]
    return found


def _head(line: str, width: int) -> str:
    """Return as much of ``line`` as ``width`` columns hold, one character at least."""
    used = 0
    for index, char in enumerate(line):
        used += _width(char)
        if used > width and index:
            return line[:index]
    return line


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
