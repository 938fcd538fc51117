"""Cutting a stream of bytes into lines, at bounded cost, so that reading may go on anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BREAK = b"\n"


@dataclass(frozen=True)
class SourceLine:
    """Is one physical line of a file.

    Attributes:
        start, end: its place in the file; ``end`` lies behind its line break.
        content: without the line break; None where the line is longer than allowed.
    """

    number: int
    start: int
    end: int
    content: bytes | None

    @property
    def is_blank(self) -> bool:
        """Whether nothing but white space stands there."""
        return self.content is not None and not self.content.strip()


def lines_of(
    pieces: Iterable[bytes], *, start: int = 0, number: int = 1, most: int
) -> Iterator[SourceLine]:
    """Yield the lines of a stream that begins at byte ``start`` with line ``number``.

    Args:
        most: bytes of a line; a longer one is passed over without being kept.
    """
    rest, dropped = bytearray(), 0
    for piece in pieces:
        begun = 0
        while (found := piece.find(_BREAK, begun)) >= 0:
            rest += piece[begun:found]
            end = start + dropped + len(rest) + 1
            yield _line(number, start, end, rest, most, dropped)
            start, number, begun, dropped = end, number + 1, found + 1, 0
            rest.clear()
        rest += piece[begun:]
        if len(rest) > most + 1:  # one more for a carriage return
            dropped += len(rest)
            rest.clear()
    if rest or dropped:
        yield _line(number, start, start + dropped + len(rest), rest, most, dropped)


def _line(
    number: int, start: int, end: int, rest: bytearray, most: int, dropped: int
) -> SourceLine:
    content = bytes(rest).removesuffix(b"\r")
    whole = not dropped and len(content) <= most
    return SourceLine(number, start, end, content if whole else None)
