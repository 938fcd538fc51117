"""What must hold for a plan before it is compiled: it agrees with schema and document model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from gateway.errors import MappingError
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.entries import Place
from gateway.xml.mapping.plan import WRAPPED_CODECS, Node
from gateway.xml.namespaces import DS_NS


def check_plan(root: Node, file: Path) -> None:
    """Put children into schema order and refuse what the schema would not admit.

    Raises:
        MappingError: names file, line and element.
    """
    for node in root.walk():
        node.children.sort(key=lambda child: node.declaration.structure.position(child.step.tag))
        place = Place(file, node.line, node.path or node.step.name)
        _check_filling(node, place)
        _check_attributes(node, place)
        _check_siblings(node, file)
        _check_demands(node, place)
        _check_presence(node, file)


def check_coverage(
    anatomy: Anatomy, places: Mapping[str, Place], not_carried: Mapping[str, str], file: Path
) -> None:
    """Refuse a table that loses a field of the document without saying why.

    Raises:
        MappingError: names the field.
    """
    for field in anatomy.leaves:
        if field not in places and field not in not_carried:
            raise MappingError(f"{file}:1: mapping loses field {field!r}: no row carries it")
    for field in not_carried:
        if field not in anatomy.leaves or field in places:
            raise MappingError(f"{file}:1: not_carried: {field!r} is no field without a row")


def _check_filling(node: Node, place: Place) -> None:
    structure = node.declaration.structure
    if node.constant and not structure.has_text:
        raise place.error("the schema lets this element hold no text")
    if node.attributes and node.text is None:
        raise place.error("fields in attributes need a field in the element's text")
    if node.text is None:
        if not node.children and not node.constant:
            raise place.error("no row fills this element")
        return
    if node.text.row.kind == "value" and node.children:
        raise place.error("an element with text has no elements below it")
    if node.wrapper:
        if node.text.codec not in WRAPPED_CODECS:
            raise place.error(f"{node.text.codec.name} does not fit the element's type")
    elif not structure.has_text or node.text.codec in WRAPPED_CODECS:
        raise place.error(f"{node.text.codec.name} does not fit the element's type")


def _check_attributes(node: Node, place: Place) -> None:
    known = node.declaration.structure.attributes
    filled = [*node.attributes, *node.constants]
    for name in filled:
        if name not in known:
            raise place.error(f"the schema has no attribute {name} on {node.step.name}")
        if filled.count(name) > 1:
            raise place.error(f"the attribute {name} is both constant and a field")
    for name, required in known.items():
        if required and name not in filled and node.path:
            raise place.error(f"the schema demands the attribute {name}")


def _check_siblings(node: Node, file: Path) -> None:
    for first, second in combinations(node.children, 2):
        if not first.step.excludes(second.step):
            place = Place(file, second.line, second.path)
            raise place.error(f"cannot be told apart from the element of line {first.line}")
    counts = Counter(child.step.tag for child in node.children)
    for child in node.children:
        most = child.declaration.most
        if counts[child.step.tag] > most or (child.group and most == 1):
            place = Place(file, child.line, child.path)
            raise place.error(f"the schema admits this element {most} time(s) only")


def _check_demands(node: Node, place: Place) -> None:
    if node.wrapper:
        return
    written = {child.step.tag for child in node.children}
    for tag, declaration in node.declaration.structure.children.items():
        foreign = tag.startswith(f"{{{DS_NS}}}")
        if declaration.least > 0 and tag not in written and not foreign:
            raise place.error(f"the schema demands {tag.rpartition('}')[2]} below this element")


def _check_presence(node: Node, file: Path) -> None:
    """Refuse an optional element whose presence could not be told from its contents."""
    if not node.path or node.is_certain or node.group or node.text:
        return
    for child in node.children:
        empty = child.constant is None and child.is_certain and not child.has_certain_value
        if empty:
            place = Place(file, child.line, child.path)
            raise place.error("must stand always, but its parent's presence depends on it")
