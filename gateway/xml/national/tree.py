"""The neutral tree between a national file and the mapping rows, and the paths into it.

Every carrier (JSON, XML, CSV) turns one certificate of its file into a tree of ``Node``;
rows select from it when reading and place into it when writing.  Nothing here knows a
carrier, a document model or a conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class NodeKind(StrEnum):
    """Says what a node of the source is; text carriers know ``TEXT`` and ``GROUP`` only."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    GROUP = "group"


@dataclass(frozen=True)
class Location:
    """Is where something stands in a national file: a line, a pointer, or both."""

    line: int | None = None
    pointer: str = ""

    def below(self, name: str) -> Location:
        """Return the location of the part called ``name`` below this one."""
        if not self.pointer:
            return Location(self.line, name)
        return Location(self.line, f"{self.pointer.removesuffix('/')}/{name}")


@dataclass
class Node:
    """Is one value or group of the source, mutable while one file is read or written.

    Attributes:
        text: the value as written; None for a group.
        children: parts by name, in order of appearance; a repeated part has several.
        used: a row, or the condition of a path, has taken notice of the value.
        repeated: the part is one of a list, even if it is the only one.
    """

    name: str
    kind: NodeKind = NodeKind.GROUP
    text: str | None = None
    location: Location = Location()
    children: dict[str, list[Node]] = field(default_factory=dict)
    used: bool = False
    repeated: bool = False

    def add(self, child: Node) -> Node:
        """Append ``child`` and return it."""
        self.children.setdefault(child.name, []).append(child)
        return child

    def is_blank(self) -> bool:
        """Whether there is nothing to read here: null, empty or white space, no parts."""
        return not self.children and (self.text is None or not self.text.strip())

    def scalars(self, prefix: str = "") -> Iterator[tuple[str, Node]]:
        """Yield every value below this node with its path of names."""
        for name, nodes in self.children.items():
            path = f"{prefix}/{name}" if prefix else name
            for node in nodes:
                if node.text is not None:
                    yield path, node
                yield from node.scalars(path)


@dataclass(frozen=True)
class Step:
    """Is one step of a path: a name, and perhaps the value that one of its parts must have."""

    name: str
    where: tuple[str, str] | None = None

    def select(self, node: Node) -> list[Node]:
        """Return the parts of ``node`` that this step names, marking conditions as used."""
        return [child for child in node.children.get(self.name, ()) if self._admits(child)]

    def append(self, node: Node) -> Node:
        """Add a new part to ``node`` that satisfies this step, and return it."""
        child = node.add(Node(self.name))
        if self.where is not None:
            name, value = self.where
            child.add(Node(name, NodeKind.TEXT, value))
            child.repeated = True
        return child

    def _admits(self, node: Node) -> bool:
        if self.where is None:
            return True
        name, value = self.where
        matching = [child for child in node.children.get(name, ()) if child.text == value]
        for child in matching:
            child.used = True
        return bool(matching)


_STEP = re.compile(r"(?P<name>[^/\[\]=]+)(\[(?P<part>[^/\[\]=]+)=(?P<value>[^\[\]=]+)\])?")


@dataclass(frozen=True)
class SourcePath:
    """Is a path into the source, as ``Partie[@Role=EXP]/Nom``.

    A slash enters a part, ``@`` an XML attribute, ``[part=value]`` picks among parts of one
    name, ``.`` is the repeated part itself, a leading slash starts at the certificate.
    """

    written: str
    absolute: bool
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, written: str) -> SourcePath:
        """Return the path.

        Raises:
            ValueError: it does not follow the notation.
        """
        if written == ".":
            return cls(written, absolute=False, steps=())
        body = written.removeprefix("/")
        matches: list[re.Match[str]] = []
        position = 0
        while match := _STEP.match(body, position):
            matches.append(match)
            position = match.end() + 1
            if body[match.end() : position] != "/":
                break
        if not matches or position <= len(body):
            raise ValueError(f'"{written}" is no path')
        return cls(written, written.startswith("/"), tuple(_step(match) for match in matches))

    def select(self, node: Node, top: Node) -> list[Node]:
        """Return what the path names, seen from ``node`` inside the certificate ``top``."""
        found = [top if self.absolute else node]
        for step in self.steps:
            found = [child for parent in found for child in step.select(parent)]
        return found

    def place(self, node: Node, top: Node) -> Node:
        """Return the node that the path names, creating what is not yet there."""
        here = top if self.absolute else node
        for step in self.steps:
            existing = step.select(here)
            here = existing[0] if existing else step.append(here)
        return here

    def append(self, node: Node, top: Node) -> Node:
        """Return a new node at the path's end, creating what leads to it."""
        head = SourcePath(self.written, self.absolute, self.steps[:-1])
        return self.steps[-1].append(head.place(node, top))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steps without conditions."""
        return tuple(step.name for step in self.steps)


def _step(match: re.Match[str]) -> Step:
    part, value = match["part"], match["value"]
    return Step(match["name"], None if part is None else (part, value))
