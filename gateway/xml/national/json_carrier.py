"""National files in JSON: one object, an array of objects, or an array inside an object.

Numbers keep the digits that were written; doubled names, depth and size are checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Self

from gateway.documents.findings import Finding
from gateway.xml.national.carrier import (
    LIMITS,
    SourceFile,
    SourceRecord,
    decoded,
    encodings_of,
    refuse_keys,
)
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Section
from gateway.xml.national.texts import Problem, UnfitError, finding
from gateway.xml.national.tree import Location, Node, NodeKind
from gateway.xml.national.unread import around_findings

KEYS = frozenset({"kind", "encodings"})
_NESTING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)


_TOP = Location(None, "/")


class _Number(str):
    """Is a JSON number as written."""

    __slots__ = ()


class _Members(list[tuple[str, object]]):
    """Is a JSON object as written, doubled names included."""


@dataclass(frozen=True)
class JsonCarrier:
    """Is the JSON carrier.

    Section keys: ``record`` names the member of the outermost object that holds the array
    (left out: the outermost object or array itself); ``around`` its fixed members.
    """

    kind: ClassVar[str] = "json"
    keys: ClassVar[frozenset[str]] = KEYS
    encodings: tuple[str, ...] = ("utf-8",)

    @classmethod
    def load(cls, marked: Marked) -> Self:
        """Return the carrier that ``carrier:`` describes.

        Raises:
            FaultyMapping: a key or encoding is not known.
        """
        keys = marked.keys(cls.keys, ("kind",))
        return cls(encodings_of(keys.get("encodings")))

    def check(self, mark: Marked, section: Section) -> None:
        """Refuse what JSON does not know."""
        refuse_keys(mark, ("root", "type_column", "types", "key", "lines", "columns"), self.kind)
        if section.around and "record" not in section.layout:
            raise mark.error("around: needs record:", "Name the member that holds the documents")

    def read(self, raw: bytes, section: Section) -> SourceFile:
        """Return one record per object."""
        parsed = _parse(decoded(raw, self.encodings))
        name = section.layout.get("record")
        if name is None:
            return SourceFile(tuple(_records(parsed, _TOP)))
        if not isinstance(parsed, _Members):
            raise UnfitError(Problem.MISPLACED, expected="{ … }", found=_type_name(parsed))
        held = [value for key, value in parsed if key == name]
        others = _Members((key, value) for key, value in parsed if key != name)
        builder = _Builder()
        findings = [*around_findings(builder.build("", others, _TOP), section)]
        if len(held) > 1:
            findings.append(finding(Problem.DUPLICATE_NAME, "", _TOP, name=name))
        records = [_records(value, _TOP.below(name)) for value in held]
        return SourceFile(tuple(chain.from_iterable(records)), (*builder.findings, *findings))

    def write(self, nodes: Sequence[Node], section: Section) -> bytes:
        """Return an object per document, inside what surrounds them."""
        name = section.layout.get("record")
        listed = [_written(node) for node in nodes]
        if name is None:
            body = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
        else:
            around = [f"{_text(key)}: {_text(value)}" for key, value in section.around.items()]
            around.append(f"{_text(name)}: [{', '.join(listed)}]")
            body = "{" + ", ".join(around) + "}"
        return body.encode(self.encodings[0])


def _parse(text: str) -> object:
    _require_shallow(text)
    try:
        return json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Members,
        )
    except json.JSONDecodeError as exc:
        reason = f"JSON, line {exc.lineno}, column {exc.colno}: {exc.msg}"
        raise UnfitError(Problem.UNREADABLE, reason=reason) from exc
    except RecursionError as exc:  # pragma: no cover - the depth is bounded above
        raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_depth, what="levels") from exc


def _require_shallow(text: str) -> None:
    depth = opened = 0
    for match in _NESTING.finditer(text):
        if match[0] in "[{":
            depth, opened = depth + 1, opened + 1
        elif match[0] in "]}":
            depth -= 1
        if depth > LIMITS.max_depth:
            raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_depth, what="levels")
        if opened > LIMITS.max_nodes:
            raise UnfitError(Problem.TOO_MANY, limit=LIMITS.max_nodes, what="nodes")


def _records(value: object, location: Location) -> Iterator[SourceRecord]:
    listed = value if isinstance(value, list) and not isinstance(value, _Members) else None
    entries = [value] if listed is None else listed
    for index, entry in enumerate(entries):
        here = location if listed is None else location.below(str(index))
        if isinstance(entry, _Members):
            builder = _Builder()
            node = builder.build("", entry, here)
            yield SourceRecord(node, tuple(builder.findings))
        else:
            problem = finding(
                Problem.MISPLACED, "", here, expected="{ … }", found=_type_name(entry)
            )
            yield SourceRecord(None, (problem,))


class _Builder:
    """Builds the tree of one object and notes doubled names."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def build(self, name: str, value: object, location: Location) -> Node:
        if isinstance(value, _Members):
            return self._group(name, value, location)
        if isinstance(value, list):
            node = Node(name, location=location)
            self._add_list(node, "[]", value, location)
            return node
        kind, text = _scalar(value)
        return Node(name, kind, text, location)

    def _group(self, name: str, members: _Members, location: Location) -> Node:
        node = Node(name, location=location)
        seen: set[str] = set()
        for key, value in members:
            here = location.below(key.replace("~", "~0").replace("/", "~1"))
            if key in seen:
                self.findings.append(finding(Problem.DUPLICATE_NAME, "", here, name=key))
                continue
            seen.add(key)
            if isinstance(value, list) and not isinstance(value, _Members):
                self._add_list(node, key, value, here)
            else:
                node.add(self.build(key, value, here))
        return node

    def _add_list(self, node: Node, key: str, values: list[object], location: Location) -> None:
        for index, value in enumerate(values):
            child = node.add(self.build(key, value, location.below(str(index))))
            child.repeated = True


def _scalar(value: object) -> tuple[NodeKind, str | None]:
    if value is None:
        return NodeKind.NULL, None
    if isinstance(value, bool):
        return NodeKind.BOOLEAN, "true" if value else "false"
    if isinstance(value, _Number):
        return NodeKind.NUMBER, str(value)
    return NodeKind.TEXT, str(value)


def _type_name(value: object) -> str:
    if isinstance(value, list):
        return "{ … }" if isinstance(value, _Members) else "[ … ]"
    return _scalar(value)[0].value


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _written(node: Node) -> str:
    if node.text is not None:
        plain = node.kind in (NodeKind.NUMBER, NodeKind.BOOLEAN)
        return node.text if plain else _text(node.text)
    members = []
    for name, nodes in node.children.items():
        values = ", ".join(_written(child) for child in nodes)
        listed = nodes[0].repeated or len(nodes) > 1
        members.append(f"{_text(name)}: [{values}]" if listed else f"{_text(name)}: {values}")
    return "{" + ", ".join(members) + "}"
