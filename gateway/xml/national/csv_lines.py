"""Gathering the lines of a CSV file into documents; see ``gateway.xml.national.csv_carrier``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from gateway.documents.findings import Finding
from gateway.xml.national.carrier import LIMITS, SourceRecord
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, UnfitError, finding
from gateway.xml.national.tree import Location, Node, NodeKind

_HARMLESS = re.compile(r"[+-][0-9 ().,/-]*", re.ASCII)
NAMING = "#"


class CsvLayout(Protocol):
    """Is what the lines need to know of their carrier."""

    @property
    def names(self) -> str:
        """Where the names of columns stand."""

    @property
    def newline(self) -> str:
        """What stands for a line break inside a cell."""

    def cells(self, line: str) -> list[str] | None:
        """Return the cells of one line, or None when its quotation marks do not pair."""

    def is_typed(self, section: Section) -> bool:
        """Whether a column tells the type of each line."""

    def line_types(self, section: Section) -> tuple[str, ...]:
        """Return the types of line, the empty one where there is but one."""


def looks_dangerous(text: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula."""
    start = text[:1]
    return start in ("=", "@", "\t") or (start in ("+", "-") and not _HARMLESS.fullmatch(text))


@dataclass
class CsvReading:
    """Gathers the lines of one file into documents."""

    carrier: CsvLayout
    section: Section
    columns: dict[str, tuple[str, ...]]
    documents: list[tuple[Node, list[Finding]]] = field(default_factory=list)
    by_key: dict[str, tuple[Node, list[Finding]]] = field(default_factory=dict)
    orphans: list[Finding] = field(default_factory=list)
    cells_read: int = 0

    def take(self, number: int, line: str) -> None:
        """Take one line of the file."""
        here = Location(number)
        cells = self.carrier.cells(line)
        if cells is None:
            self._complain(Problem.BROKEN_LINE, here)
            return
        self.cells_read += len(cells)
        if self.cells_read > LIMITS.max_nodes or len(self.documents) > LIMITS.max_documents:
            raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_nodes, what="cells")
        if not self._names(cells, here):
            self._take_values(cells, here)

    def records(self) -> Iterator[SourceRecord]:
        """Yield what was gathered, lines without document first."""
        if self.orphans:
            yield SourceRecord(None, tuple(self.orphans))
        for node, findings in self.documents:
            yield SourceRecord(node, tuple(findings))

    def _names(self, cells: list[str], here: Location) -> bool:
        """Whether the row named columns."""
        names = tuple(cell.strip() for cell in cells)
        if self.carrier.names == "first-row" and not self.columns:
            self._require_distinct(names, here)
            self.columns = dict.fromkeys(self.carrier.line_types(self.section), names)
            return True
        if self.carrier.names == "type-rows" and names[0].startswith(NAMING):
            self._require_distinct(names, here)
            self.columns[names[0].removeprefix(NAMING)] = (
                self.section.layout["type_column"],
                *names[1:],
            )
            return True
        return False

    def _require_distinct(self, names: tuple[str, ...], here: Location) -> None:
        for name in names:
            if not name or names.count(name) > 1:
                where = f"{here.line}"
                raise UnfitError(Problem.UNREADABLE, reason=f"{where}: “{name}” × 2")

    def _take_values(self, cells: list[str], here: Location) -> None:
        kind = self._type(cells)
        known = self.carrier.line_types(self.section)
        if kind not in known:
            expected = ", ".join(known)
            self._complain(Problem.LINE_TYPE, here, shown=kind, expected=expected)
        elif kind not in self.columns:
            self._complain(Problem.UNNAMED_LINE, here, shown=kind)
        elif self.carrier.is_typed(self.section):
            part = self.section.record_types[kind]
            self._take_typed(part, self.columns[kind], cells, here)
        else:
            self._take_keyed(self.columns[kind], cells, here)

    def _type(self, cells: list[str]) -> str:
        if not self.carrier.is_typed(self.section):
            return ""
        if self.carrier.names != "first-row":
            return cells[0].strip()
        names = next(iter(self.columns.values()))
        column = self.section.layout["type_column"]
        index = names.index(column) if column in names else len(cells)
        return cells[index].strip() if index < len(cells) else ""

    def _take_typed(
        self, part: str, columns: tuple[str, ...], cells: list[str], here: Location
    ) -> None:
        if part == ".":
            node = Node("", location=here)
            self.documents.append((node, []))
        elif not self.documents:
            self._complain(Problem.ORPHAN_LINE, here)
            return
        else:
            node = self.documents[-1][0].add(Node(part, location=here, repeated=True))
        self._fill(node, columns, cells, here)
        for named in node.children.get(self.section.layout["type_column"], ()):
            named.used = True

    def _take_keyed(self, columns: tuple[str, ...], cells: list[str], here: Location) -> None:
        line = Node(self.section.layout["lines"], location=here, repeated=True)
        own = dict(zip(columns, cells, strict=False))
        key = own.get(self.section.layout["key"], "").strip()
        if key in self.by_key:
            document = self.by_key[key]
        else:
            document = self.by_key[key] = (Node("", location=here), [])
            self.documents.append(document)
        node, findings = document
        shared = set(self.section.columns[""])
        self._fill(line, columns, cells, here, findings)
        for name in [name for name in line.children if name in shared]:
            self._share(node, line.children.pop(name)[0], findings)
        if any(not cell.is_blank() for _, cell in line.scalars()):
            node.add(line)

    def _share(self, node: Node, cell: Node, findings: list[Finding]) -> None:
        """Keep a value of the whole document once; later lines may repeat it or leave it out."""
        known = node.children.get(cell.name)
        if not known or known[0].is_blank():
            node.children[cell.name] = [cell]
        elif not cell.is_blank() and (cell.text or "").strip() != (known[0].text or "").strip():
            findings.append(finding(Problem.CONTRADICTION, "", cell.location))

    def _fill(
        self,
        node: Node,
        columns: tuple[str, ...],
        cells: list[str],
        here: Location,
        findings: list[Finding] | None = None,
    ) -> None:
        target = self.documents[-1][1] if findings is None else findings
        if len(cells) != len(columns):
            target.append(
                finding(Problem.CELL_COUNT, "", here, found=len(cells), expected=len(columns))
            )
        for name, cell in zip(columns, cells, strict=False):
            place = Location(here.line, name)
            if looks_dangerous(cell):
                target.append(finding(Problem.FORMULA, "", place))
                continue
            text = cell[1:] if cell[:1] == "'" and looks_dangerous(cell.lstrip("'")) else cell
            text = text.replace(self.carrier.newline, "\n")
            node.add(Node(name, NodeKind.TEXT, text, place))

    def _complain(self, problem: Problem, here: Location, **details: object) -> None:
        said = finding(problem, "", here, **details)
        (self.documents[-1][1] if self.documents else self.orphans).append(said)
