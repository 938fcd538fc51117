"""YAML read with line marks, every scalar as text, so that load errors name file and line.

``Y``, ``NO`` and ``007`` stay what they are: nothing is guessed to be a boolean or number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from gateway.xml.national.mistakes import Complaints, FaultyMapping, Mistake, visible

MAX_BYTES = 256_000
MAX_DEPTH = 30


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

    def error(self, problem: str, remedy: str) -> FaultyMapping:
        """Return the error that names file, line, row, problem and remedy."""
        return FaultyMapping([self.mistake(problem, remedy)])

    def mistake(self, problem: str, remedy: str) -> Mistake:
        """Return what is wrong here."""
        return Mistake(
            self.file, self.line, visible(problem), visible(remedy), row=visible(self.row)
        )

    def text(self) -> str:
        """Return the scalar written here.

        Raises:
            FaultyMapping: it is a list or a mapping.
        """
        if not isinstance(self.value, str):
            raise self.error("a single value is expected here", "Write one plain value")
        return self.value

    def items(self) -> tuple[Marked, ...]:
        """Return the members of the list written here.

        Raises:
            FaultyMapping: it is no list.
        """
        if not isinstance(self.value, tuple):
            raise self.error("a list is expected here", "Write one entry per line after a dash")
        return tuple(self._inherit(item) for item in self.value)

    def mapping(self) -> dict[str, Marked]:
        """Return the keys and values written here.

        Raises:
            FaultyMapping: it is no mapping.
        """
        if not isinstance(self.value, dict):
            raise self.error("keys with values are expected here", 'Write "key: value" lines')
        return {key: self._inherit(value) for key, value in self.value.items()}

    def keys(self, allowed: frozenset[str], required: tuple[str, ...] = ()) -> dict[str, Marked]:
        """Return the mapping, whose keys must be known.

        Raises:
            FaultyMapping: keys are unknown or missing; it names each.
        """
        found = self.mapping()
        if wrong := self.wrong_keys(allowed, required):
            raise FaultyMapping(wrong)
        return found

    def known_keys(
        self, complaints: Complaints, allowed: frozenset[str], required: tuple[str, ...] = ()
    ) -> dict[str, Marked]:
        """Return the keys that are known; those unknown or missing become complaints."""
        found = complaints.attempt(self.mapping) or {}
        if isinstance(self.value, dict):
            complaints.note(*self.wrong_keys(allowed, required))
        return {key: value for key, value in found.items() if key in allowed}

    def texts(self) -> tuple[str, ...]:
        """Return one value or a list of values as a tuple."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(item.text() for item in self.items())

    def flag(self) -> bool:
        """Return a yes or a no.

        Raises:
            FaultyMapping: it is neither.
        """
        if self.value not in ("yes", "no"):
            raise self.error("yes or no is expected here", 'Write "yes" or "no"')
        return self.value == "yes"

    def named(self, row: str) -> Marked:
        """Return the same node as part of the mapping row ``row``."""
        return Marked(self.file, self.line, self.value, row)

    def wrong_keys(
        self, allowed: frozenset[str], required: tuple[str, ...] = ()
    ) -> tuple[Mistake, ...]:
        """Return a mistake for each key that is unknown or missing.

        Raises:
            FaultyMapping: this is no mapping.
        """
        return tuple(self._wrong_keys(allowed, required))

    def _wrong_keys(self, allowed: frozenset[str], required: tuple[str, ...]) -> Iterator[Mistake]:
        found = self.mapping()
        for key, value in found.items():
            if key not in allowed:
                known = ", ".join(sorted(allowed))
                yield value.mistake(f'"{key}" is no known key here', f"Use one of: {known}")
        for key in required:
            if key not in found:
                yield self.mistake(f'the key "{key}" is missing', f'Add "{key}:"')

    def _inherit(self, other: Marked) -> Marked:
        return other.named(self.row) if self.row else other


def read_marked(raw: bytes, file: str, complaints: Complaints) -> Marked:
    """Return the content of a YAML file with its line marks.

    Anchors, doubled keys and characters that are no text become complaints.

    Args:
        file: name of the file, as mistakes call it.

    Raises:
        FaultyMapping: it is too long, nested too deeply, no UTF-8 or no YAML.
    """
    start = Marked(visible(file), 1, "")
    if len(raw) > MAX_BYTES:
        raise start.error(f"the file is longer than {MAX_BYTES} bytes", "Shorten it")
    source = _decoded(raw, start)
    try:
        root = _composed(source, start, complaints)
    except yaml.YAMLError as exc:
        raise _no_yaml(exc, source, start) from exc
    if root is None:
        raise start.error("the file is empty", "Start with format:")
    return _marked(start.file, root, complaints)


def _composed(source: str, start: Marked, complaints: Complaints) -> yaml.Node | None:
    loader = _Loader(source, start.file, complaints)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError) as exc:  # an escape or a directive beyond all bounds
        here = Marked(start.file, loader.line + 1, "")
        raise here.error("no YAML", "Correct the escape or number") from exc
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Composes nodes without following anchors, and not beyond ``MAX_DEPTH``."""

    def __init__(self, source: str, file: str, complaints: Complaints) -> None:
        super().__init__(source)
        self._file = file
        self._complaints = complaints
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node; an alias becomes a complaint and an empty value."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        here = Marked(self._file, event.start_mark.line + 1, "")
        if self.check_event(yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            self._complaints.note(
                here.mistake("anchors are not read", 'Name shared codes under "tables:"')
            )
            return yaml.ScalarNode("", "", event.start_mark, event.end_mark)
        if self._depth >= MAX_DEPTH:
            raise here.error("the file is nested too deeply", "Correct the brackets")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _decoded(raw: bytes, start: Marked) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        here = Marked(start.file, line, "")
        raise here.error("this is no UTF-8", "Save the file in UTF-8") from exc


def _no_yaml(exc: yaml.YAMLError, source: str, start: Marked) -> FaultyMapping:
    mark = getattr(exc, "problem_mark", None)
    position = getattr(exc, "position", None)
    line = 1
    if mark is not None:
        line = mark.line + 1
    elif isinstance(position, int):
        line = source.count("\n", 0, position) + 1
    problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or "no YAML"
    return Marked(start.file, line, "").error(problem, "Correct the indentation or quoting")


def _marked(file: str, node: yaml.Node, complaints: Complaints) -> Marked:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Marked(file, line, dict(_pairs(file, node, complaints)))
    if isinstance(node, yaml.SequenceNode):
        return Marked(file, line, tuple(_marked(file, item, complaints) for item in node.value))
    found = Marked(file, line, str(node.value))
    if any("\ud800" <= char <= "\udfff" or char == "\x00" for char in found.text()):
        complaints.note(found.mistake("a character here is no text", "Remove the escape"))
        return Marked(file, line, "")
    return found


def _pairs(
    file: str, node: yaml.MappingNode, complaints: Complaints
) -> Iterator[tuple[str, Marked]]:
    seen: set[str] = set()
    for key, value in node.value:
        name = _marked(file, key, complaints)
        if not isinstance(name.value, str):
            complaints.note(name.mistake("a key must be one plain text", "Quote it"))
        elif name.value in seen:
            complaints.note(name.mistake(f'"{name.value}" is written twice', "Keep one of the two"))
        else:
            seen.add(name.value)
            yield name.value, _marked(file, value, complaints)
