"""Documents of a CSV file one after the other, without the file being in memory.

What begins a document is for the mapping to say, as ``gateway.xml.national.csv_carrier`` reads
it.  Lines of one document stand together here: a key that comes again after another one begins
a document of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from gateway.xml.national.carrier import SourceFile, decoded
from gateway.xml.national.csv_carrier import CsvCarrier
from gateway.xml.national.csv_lines import NAMING, CsvReading
from gateway.xml.national.formats import NationalFormat, NationalReading
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Section
from gateway.xml.national.source_lines import SourceLine
from gateway.xml.national.texts import Problem, UnfitError
from gateway.xml.national.tree import Node

NamedLine = tuple[int, bytes]


@dataclass(frozen=True)
class LineGroup:
    """Is the lines of one document.

    Attributes:
        lines: None where they are more bytes than allowed.
        names: the rows of column names in force for them.
        end: byte at which the next document begins; ``next_number`` is its line.
        next_names: rows of column names in force there.
    """

    number: int
    lines: tuple[NamedLine, ...] | None
    names: tuple[NamedLine, ...]
    end: int
    next_number: int
    next_names: tuple[NamedLine, ...]


def is_streamable(found: NationalFormat) -> bool:
    """Return whether files of this format can be read line by line: CSV, ASCII below."""
    carrier = found.carrier
    return isinstance(carrier, CsvCarrier) and all(
        "A;\n".encode(name) == b"A;\n" for name in carrier.encodings
    )


def read_group(found: NationalFormat, group: LineGroup) -> tuple[NationalReading, ...]:
    """Return what stands in the lines of one document, each under its own number."""
    carrier = found.carrier
    if not isinstance(carrier, CsvCarrier):
        raise TypeError(f"{found.name} is no CSV format")
    standing = (*group.names, *(group.lines or ()))
    portion = _Portion(carrier, tuple(number for number, _ in standing))
    return replace(found, carrier=portion).read(b"\n".join(line for _, line in standing))


@dataclass(frozen=True)
class _Portion:
    """Reads lines that stand at other places of the file than one behind the other."""

    kind: ClassVar[str] = "csv"
    carrier: CsvCarrier
    numbers: tuple[int, ...]

    def check(self, mark: Marked, section: Section) -> None:
        """Refuse what the carrier itself refuses."""
        self.carrier.check(mark, section)

    def read(self, raw: bytes, section: Section) -> SourceFile:
        """Return one record per document."""
        text = decoded(raw, self.carrier.encodings)
        if "\x00" in text:
            raise UnfitError(Problem.UNREADABLE, reason="NUL")
        reading = CsvReading(self.carrier, section, self.carrier.declared(section))
        for number, line in zip(self.numbers, text.split("\n"), strict=True):
            reading.take(number, line)
        return SourceFile(tuple(reading.records()))

    def write(self, nodes: Sequence[Node], section: Section) -> bytes:
        """Return the file that the carrier itself writes."""
        return self.carrier.write(nodes, section)


class CsvGroups:
    """Gathers lines into documents; ``names`` are rows of column names read before."""

    def __init__(
        self, found: NationalFormat, *, most_bytes: int, names: Sequence[NamedLine] = ()
    ) -> None:
        carrier = found.carrier
        if not isinstance(carrier, CsvCarrier):
            raise TypeError(f"{found.name} is no CSV format")
        self._carrier = carrier
        self._section = found.certificate
        self._most = most_bytes
        self._names: dict[str, NamedLine] = {}
        self._column: int | None = None
        for number, line in names:
            self._take_names(number, line)

    def groups(self, lines: Iterable[SourceLine]) -> Iterator[LineGroup]:
        """Yield the documents in the order in which they stand."""
        begun: _Begun | None = None
        key: str | None = None
        last: SourceLine | None = None
        for line in lines:
            last = line
            if line.is_blank or self._took_names(line):
                continue
            own = self._key(line)
            if begun is None or (own is not None and own != key) or (own == ""):
                if begun is not None:
                    yield begun.ended(line.start, line.number, self._standing())
                begun, key = _Begun(line.number, self._standing(), self._most), own
            begun.take(line)
        if begun is not None and last is not None:
            yield begun.ended(last.end, last.number + 1, self._standing())

    def _key(self, line: SourceLine) -> str | None:
        """Return what tells documents apart: "" begins one, None goes on with the present one."""
        if line.content is None:
            return None
        cells = self._cells(line.content)
        if cells is None:
            return None
        section, typed = self._section, self._carrier.is_typed(self._section)
        index = self._key_index(cells)
        cell = cells[index].strip() if index < len(cells) else ""
        if typed:
            return "" if section.record_types.get(cell) == "." else None
        return f"={cell}"

    def _key_index(self, cells: list[str]) -> int:
        if self._carrier.names == "first-row":
            return self._column if self._column is not None else len(cells)
        if self._carrier.is_typed(self._section):
            return 0
        names = self._carrier.declared(self._section)[""]
        key = self._section.layout["key"]
        return names.index(key) if key in names else len(cells)

    def _took_names(self, line: SourceLine) -> bool:
        if line.content is None:
            return False
        return self._take_names(line.number, line.content)

    def _take_names(self, number: int, content: bytes) -> bool:
        """Whether the line named columns."""
        if self._carrier.names == "first-row" and not self._names:
            self._names[""] = (number, content)
            names = [cell.strip() for cell in self._cells(content) or []]
            wanted = self._section.layout.get("type_column") or self._section.layout.get("key", "")
            self._column = names.index(wanted) if wanted in names else None
            return True
        if self._carrier.names == "type-rows":
            cells = self._cells(content) or [""]
            if cells[0].strip().startswith(NAMING):
                self._names[cells[0].strip()] = (number, content)
                return True
        return False

    def _cells(self, content: bytes) -> list[str] | None:
        try:
            text = decoded(content, self._carrier.encodings)
        except UnfitError:
            text = content.decode(self._carrier.encodings[0], errors="replace")
        return self._carrier.cells(text)

    def _standing(self) -> tuple[NamedLine, ...]:
        return tuple(self._names.values())


class _Begun:
    """Is a document of which lines are being gathered."""

    def __init__(self, number: int, names: tuple[NamedLine, ...], most: int) -> None:
        self._number = number
        self._names = names
        self._left = most
        self._lines: list[NamedLine] | None = []

    def take(self, line: SourceLine) -> None:
        self._left -= line.end - line.start
        if line.content is None or self._left < 0:
            self._lines = None
        elif self._lines is not None:
            self._lines.append((line.number, line.content))

    def ended(self, end: int, next_number: int, next_names: tuple[NamedLine, ...]) -> LineGroup:
        lines = None if self._lines is None else tuple(self._lines)
        return LineGroup(self._number, lines, self._names, end, next_number, next_names)
