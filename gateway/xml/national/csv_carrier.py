"""National files in CSV: header and goods lines told apart by a column, or one line per item.

Every record is one physical line, so a damaged line harms only the document it belongs to.
Line breaks inside a text are written as ``newline``; a cell that a spreadsheet would execute is
refused on reading and written behind an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from gateway.xml.national.carrier import (
    LIMITS,
    SourceFile,
    decoded,
    encodings_of,
    refuse_keys,
)
from gateway.xml.national.csv_lines import NAMING, CsvReading, looks_dangerous
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, UnfitError
from gateway.xml.national.tree import Node

KEYS = frozenset({"kind", "delimiter", "encodings", "bom", "newline", "names"})

# Pictures in base64 stand in cells; the file as a whole is bounded by ``LIMITS``.
csv.field_size_limit(LIMITS.max_bytes)


@dataclass(frozen=True)
class CsvCarrier:
    """Is the CSV carrier.

    Section keys, one of two layouts: ``type_column`` and ``types`` (type of line to repeated
    part; ``.`` is the line that begins a document), or ``key`` and ``lines`` (one line per
    member of the part ``lines``; lines with the same key are one document).

    Attributes:
        names: where column names stand: ``first-row`` of the file, ``type-rows`` (one row per
            type of line, its type behind ``#``), or ``mapping`` (``columns:`` of the section).
    """

    kind: ClassVar[str] = "csv"
    keys: ClassVar[frozenset[str]] = KEYS
    delimiter: str = ","
    encodings: tuple[str, ...] = ("utf-8",)
    bom: bool = False
    newline: str = "\\n"
    names: str = "first-row"

    @classmethod
    def load(cls, marked: Marked) -> Self:
        """Return the carrier that ``carrier:`` describes.

        Raises:
            FaultyMapping: a key or its value is not known.
        """
        keys = marked.keys(cls.keys, ("kind", "delimiter", "names"))
        delimiter = {"tab": "\t"}.get(keys["delimiter"].text(), keys["delimiter"].text())
        if len(delimiter) != 1 or delimiter in "\"'\r\n" or delimiter.isalnum():
            raise keys["delimiter"].error(
                "the delimiter must be one character that texts do not use", 'Write ";" or tab'
            )
        if keys["names"].text() not in ("first-row", "type-rows", "mapping"):
            raise keys["names"].error(
                f'"{keys["names"].text()}" is no place of column names',
                "Write first-row, type-rows or mapping",
            )
        if "newline" in keys and not keys["newline"].text():
            raise keys["newline"].error("newline: is empty", "Write a text that no value holds")
        return cls(
            delimiter,
            encodings_of(keys.get("encodings")),
            "bom" in keys and keys["bom"].flag(),
            keys["newline"].text() if "newline" in keys else "\\n",
            keys["names"].text(),
        )

    def check(self, mark: Marked, section: Section) -> None:
        """Refuse what CSV does not know, and a section that is neither of the two layouts."""
        refuse_keys(mark, ("record", "root", "around"), self.kind)
        layout = section.layout
        typed = "type_column" in layout and bool(section.record_types)
        if typed == ("key" in layout and "lines" in layout):
            raise mark.error(
                "one of two layouts is needed", "Write type_column: and types:, or key: and lines:"
            )
        if typed and list(section.record_types.values()).count(".") != 1:
            raise mark.error("exactly one type of line begins a document", 'Give it "."')
        if not typed and self.names == "type-rows":
            raise mark.error("there are no types of line", "Use first-row or mapping")
        parts = {layout["lines"]} if not typed else set(section.record_types.values()) - {"."}
        for name in set(section.columns) - {""} - parts:
            raise mark.error(f'no line carries the part "{name}"', "Add it to types:")
        if self.names == "mapping" and not set(self.line_types(section)) <= set(
            section.listed_columns
        ):
            raise mark.error("columns: must list the names of each type of line", "Add columns:")

    def read(self, raw: bytes, section: Section) -> SourceFile:
        """Return one record per document."""
        text = decoded(raw, self.encodings)
        if "\x00" in text:
            raise UnfitError(Problem.UNREADABLE, reason="NUL")
        reading = CsvReading(self, section, self.declared(section))
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            if line.strip(self.delimiter + " \t\r"):
                reading.take(number, line)
        return SourceFile(tuple(reading.records()))

    def write(self, nodes: Sequence[Node], section: Section) -> bytes:
        """Return the lines of the documents, with the rows of names that the format has."""
        buffer = io.StringIO()
        writer = csv.writer(
            buffer, delimiter=self.delimiter, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL
        )
        writer.writerows(self._rows(nodes, section))
        text = ("\ufeff" if self.bom else "") + buffer.getvalue()
        return text.encode(self.encodings[0], errors="strict")

    def cells(self, line: str) -> list[str] | None:
        """Return the cells of one line, or None when its quotation marks do not pair."""
        try:
            rows = list(csv.reader([line], delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None
        return rows[0] if rows else []

    def is_typed(self, section: Section) -> bool:
        """Whether a column tells the type of each line."""
        return "type_column" in section.layout

    def line_types(self, section: Section) -> tuple[str, ...]:
        """Return the types of line, the empty one where there is but one."""
        return tuple(section.record_types) if self.is_typed(section) else ("",)

    def declared(self, section: Section) -> dict[str, tuple[str, ...]]:
        """Return the column names that the mapping lists, by type of line."""
        if self.names != "mapping":
            return {}
        return {name: section.listed_columns[name] for name in self.line_types(section)}

    def _rows(self, nodes: Sequence[Node], section: Section) -> Iterator[list[str]]:
        columns = self._written_columns(section)
        if self.names == "first-row":
            yield list(dict.fromkeys(name for names in columns.values() for name in names))
        if self.names == "type-rows":
            for kind, names in columns.items():
                yield [NAMING + kind, *names[1:]]
        for node in nodes:
            for kind, line in self._lines(node, section):
                yield [self._cell(line, name, kind, section) for name in columns[kind]]

    def _written_columns(self, section: Section) -> dict[str, tuple[str, ...]]:
        if self.names == "mapping":
            return dict(section.listed_columns)
        if not self.is_typed(section):
            line = section.columns.get(section.layout["lines"], ())
            return {"": tuple(dict.fromkeys((*section.columns[""], *line)))}
        type_column = section.layout["type_column"]
        found = {}
        for kind, part in section.record_types.items():
            listed = section.columns.get(part.strip("."), ())
            found[kind] = tuple(dict.fromkeys((type_column, *listed)))
        if self.names == "first-row":
            union = tuple(dict.fromkeys(name for names in found.values() for name in names))
            return dict.fromkeys(found, union)
        return found

    def _lines(self, node: Node, section: Section) -> Iterator[tuple[str, Node]]:
        if not self.is_typed(section):
            for line in node.children.get(section.layout["lines"]) or [Node("")]:
                yield "", Node("", children={**node.children, **line.children})
            return
        for kind, part in section.record_types.items():
            for line in [node] if part == "." else node.children.get(part, []):
                yield kind, line

    def _cell(self, line: Node, name: str, kind: str, section: Section) -> str:
        if kind and name == section.layout["type_column"]:
            return kind
        found = line.children.get(name, ())
        text = found[0].text if found and found[0].text is not None else ""
        text = text.replace("\r\n", "\n").replace("\n", self.newline)
        return "'" + text if looks_dangerous(text.lstrip("'")) else text
