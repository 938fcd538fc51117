"""Where the values of one reading came from, for whoever looks over the reader's shoulder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.xml.national.tree import Location, Node


class Origin(StrEnum):
    """Says where a value of a document comes from."""

    SOURCE = "SOURCE"
    CONSTANT = "CONSTANT"
    DEFAULT = "DEFAULT"
    POSITION = "POSITION"
    MODEL = "MODEL"
    """No row: what the document itself assumes where nothing is said."""


@dataclass(frozen=True)
class SourceValue:
    """Is one value of a national file with where it stood."""

    text: str
    location: Location


@dataclass
class Trace:
    """Notes where values come from, by path in the document; mutable while one is read.

    Attributes:
        sources: what stood in the file.
        given: fields that a row of the mapping file filled by itself.
        lines: of the mapping file, of the row that filled the field.
    """

    sources: dict[str, list[SourceValue]] = field(default_factory=dict)
    given: dict[str, Origin] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def read(self, path: str, nodes: Iterable[Node], line: int) -> None:
        """Note what a row found in the source."""
        found = [SourceValue(node.text, node.location) for node in nodes if node.text is not None]
        if found:
            self.sources.setdefault(path, []).extend(found)
            self.lines.setdefault(path, line)

    def give(self, path: str, origin: Origin, line: int) -> None:
        """Note that a row filled a field without the source."""
        self.given[path] = origin
        self.lines[path] = line

    def origin(self, path: str) -> Origin:
        """Return where the value at ``path`` comes from."""
        if path in self.given:
            return self.given[path]
        return Origin.SOURCE if path in self.sources else Origin.MODEL
