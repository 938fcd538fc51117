"""A message line by line, each with the rows of the mapping table that wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.documents import Document
from gateway.xml.mapping import MappingTable, Row, RowKind
from gateway.xml.mapping.plan import Node
from gateway.xml.mapping.rendering import escape_attribute, escape_text
from gateway.xml.parsing import parse

_LONGEST: Final = 72


@dataclass(frozen=True, kw_only=True)
class Line:
    """Is one line of a message as the guide shows it.

    Attributes:
        rows: what of the mapping table stands in it.
        group: the repetition that begins here; empty elsewhere.
    """

    number: int
    depth: int
    text: str
    rows: tuple[Row, ...] = ()
    group: str = ""


def annotated(table: MappingTable, document: Document) -> tuple[Line, ...]:
    """Return the message that carries ``document``, one element a line, long texts cut.

    Raises:
        TypeError: the document is not of the table's type.
    """
    root = parse(table.render(document))
    return tuple(_Lines(table.rows).of(root, table.plan, 0))


def lines_of(raw: bytes) -> tuple[Line, ...]:
    """Return XML of another kind, one element a line, long texts cut."""
    return tuple(_Lines(()).of(parse(raw), None, 0))


class _Lines:
    """Writes the lines of one message."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._constants = {row.xml: row for row in rows if row.kind is RowKind.CONSTANT}
        self._number = 0

    def of(self, element: etree._Element, node: Node | None, depth: int) -> Iterator[Line]:
        children = list(element)
        wrapped = node is not None and node.wrapper is not None
        if not children or wrapped:
            yield self._line(depth, _whole(element), node)
            return
        yield self._line(depth, f"<{_opening(element)}>", node)
        for child in children:
            yield from self.of(child, _node_of(child, node), depth + 1)
        yield self._line(depth, f"</{_name(element)}>", None)

    def _line(self, depth: int, text: str, node: Node | None) -> Line:
        self._number += 1
        rows = () if node is None else tuple(self._rows(node))
        group = "" if node is None else node.group or ""
        return Line(number=self._number, depth=depth, text=text, rows=rows, group=group)

    def _rows(self, node: Node) -> Iterator[Row]:
        if node.text is not None:
            yield node.text.row
        yield from (binding.row for binding in node.attributes.values())
        if node.constant is not None and node.path in self._constants:
            yield self._constants[node.path]


def _node_of(element: etree._Element, parent: Node | None) -> Node | None:
    """Return the part of the plan that wrote an element."""
    for node in () if parent is None else parent.children:
        step = node.step
        if step.tag == element.tag and all(
            (
                element.get(each.subject)
                if each.is_attribute
                else element.findtext(etree.QName(each.subject))
            )
            == each.value
            for each in step.predicates
        ):
            return node
    return None


def _whole(element: etree._Element) -> str:
    inner = "".join(map(_whole, element)) or escape_text(_cut(element.text or ""))
    return f"<{_opening(element)}>{inner}</{_name(element)}>"


def _opening(element: etree._Element) -> str:
    declared = ""
    if element.getparent() is None:
        spaces = sorted(element.nsmap.items(), key=lambda each: each[0] or "")
        declared = "".join(f' xmlns:{prefix}="{escape_attribute(uri)}"' for prefix, uri in spaces)
    attributes = "".join(
        f' {name}="{escape_attribute(value)}"' for name, value in element.attrib.items()
    )
    return f"{_name(element)}{declared}{attributes}"


def _name(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _cut(text: str) -> str:
    """Return a text, cut where it is one long word: pictures in base64 say nothing to readers."""
    return text if " " in text or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
