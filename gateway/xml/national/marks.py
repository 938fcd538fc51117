"""YAML read with line marks, every scalar as text, so that load errors name file and line.

``Y``, ``NO`` and ``007`` stay what they are: nothing is guessed to be a boolean or number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from gateway.errors import MappingError


@dataclass(frozen=True)
class Marked:
    """Is one node of a mapping file with the line it stands on.

    Attributes:
        row: the mapping row it belongs to, as errors name it; empty outside rows.
    """

    file: str
    line: int
    value: str | tuple[Marked, ...] | dict[str, Marked]
    row: str = ""

    def error(self, problem: str, remedy: str) -> MappingError:
        """Return the error that names file, line, row, problem and remedy."""
        row = f", row {self.row}" if self.row else ""
        return MappingError(f"{self.file}, line {self.line}{row}: {problem}. {remedy}.")

    def text(self) -> str:
        """Return the scalar written here.

        Raises:
            MappingError: it is a list or a mapping.
        """
        if not isinstance(self.value, str):
            raise self.error("a single value is expected here", "Write one plain value")
        return self.value

    def items(self) -> tuple[Marked, ...]:
        """Return the members of the list written here.

        Raises:
            MappingError: it is no list.
        """
        if not isinstance(self.value, tuple):
            raise self.error("a list is expected here", "Write one entry per line after a dash")
        return tuple(self._inherit(item) for item in self.value)

    def mapping(self) -> dict[str, Marked]:
        """Return the keys and values written here.

        Raises:
            MappingError: it is no mapping.
        """
        if not isinstance(self.value, dict):
            raise self.error("keys with values are expected here", 'Write "key: value" lines')
        return {key: self._inherit(value) for key, value in self.value.items()}

    def keys(self, allowed: frozenset[str], required: tuple[str, ...] = ()) -> dict[str, Marked]:
        """Return the mapping, whose keys must be known.

        Raises:
            MappingError: a key is unknown or missing.
        """
        found = self.mapping()
        for key, value in found.items():
            if key not in allowed:
                known = ", ".join(sorted(allowed))
                raise value.error(f'"{key}" is no known key here', f"Use one of: {known}")
        for key in required:
            if key not in found:
                raise self.error(f'the key "{key}" is missing', f'Add "{key}:"')
        return found

    def texts(self) -> tuple[str, ...]:
        """Return one value or a list of values as a tuple."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(item.text() for item in self.items())

    def flag(self) -> bool:
        """Return a yes or a no.

        Raises:
            MappingError: it is neither.
        """
        if self.value not in ("yes", "no"):
            raise self.error("yes or no is expected here", 'Write "yes" or "no"')
        return self.value == "yes"

    def named(self, row: str) -> Marked:
        """Return the same node as part of the mapping row ``row``."""
        return Marked(self.file, self.line, self.value, row)

    def _inherit(self, other: Marked) -> Marked:
        return other.named(self.row) if self.row else other


def load_marked(path: Path) -> Marked:
    """Return the content of a YAML file with its line marks.

    Raises:
        MappingError: the file cannot be read, is no YAML, or uses anchors or doubled keys.
    """
    try:
        source = path.read_text(encoding="utf-8")
        events = list(yaml.parse(source, Loader=yaml.SafeLoader))
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as exc:
        raise MappingError(f"{path.name}: cannot be read ({type(exc).__name__}).") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(exc, "problem", None) or "no YAML"
        raise MappingError(
            f"{path.name}, line {line}: {problem}. Correct the indentation or quoting."
        ) from exc
    _refuse_anchors(path.name, events)
    if root is None:
        raise MappingError(f"{path.name}, line 1: the file is empty. Start with format:.")
    return _marked(path.name, root)


def _refuse_anchors(file: str, events: list[yaml.Event]) -> None:
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise MappingError(
                f"{file}, line {line}: anchors are not read. Name shared codes under tables:."
            )


def _marked(file: str, node: yaml.Node) -> Marked:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Marked(file, line, dict(_pairs(file, node)))
    if isinstance(node, yaml.SequenceNode):
        return Marked(file, line, tuple(_marked(file, item) for item in node.value))
    return Marked(file, line, str(node.value))


def _pairs(file: str, node: yaml.MappingNode) -> Iterator[tuple[str, Marked]]:
    seen: set[str] = set()
    for key, value in node.value:
        name = _marked(file, key)
        if name.text() in seen:
            raise name.error(f'"{name.text()}" is written twice', "Keep one of the two")
        seen.add(name.text())
        yield name.text(), _marked(file, value)
