"""The elements of a message as a tree: how often, of which type, which datum, which rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.agreements.rules.codes import CODED_VALUES
from gateway.documents.shape import MODELS, Document
from gateway.guide.limits import limits, values
from gateway.guide.touching import rules_by_datum
from gateway.xml.datatypes import DataType, prefixed
from gateway.xml.mapping import MappingTable, Row, RowKind
from gateway.xml.mapping.blueprint import UNBOUNDED, Declaration
from gateway.xml.mapping.plan import Binding, Node
from gateway.xml.mapping.values import BASE64, DECIMAL, INDICATOR, INTEGER, TEXT, Codec
from gateway.xml.namespaces import DS_NS

_AS_IN_JSON: Final = frozenset({TEXT, INTEGER, DECIMAL, INDICATOR, BASE64})
SIGNATURE: Final = f"{{{DS_NS}}}Signature"


@dataclass(frozen=True, kw_only=True)
class Datum:
    """Is one datum of the document where an element carries it.

    Attributes:
        attribute: the attribute that holds it; empty for the element's text.
        limits: what it may be in JSON; ``values``: the closed list of it, if there is one.
        written: how it is written in XML, where that is not as in JSON.
        rules: ids of the rules that complain about it.
    """

    field: str
    attribute: str
    label: str
    limits: str
    written: str
    derived: bool
    box: str | None
    article: str | None
    code_list: str | None
    values: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ElementRow:
    """Is one element of a message.

    Attributes:
        path: from the root, with prefixes and predicates.
        name: its last step, with the element inside it where its type wraps its text.
        occurs: how often it stands in its parent.
        group: path of the repetition that it begins; empty elsewhere.
        constant: the text that always stands there.
        rules: rules about the record or repetition that begins here.
        unused: elements that the type admits and this message never has there.
        demands: what the type demands of the text, where no datum says it.
    """

    depth: int
    path: str
    name: str
    occurs: str
    type_name: str
    group: str = ""
    constant: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    data: tuple[Datum, ...] = ()
    rules: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()


def message_tree(table: MappingTable) -> tuple[ElementRow, ...]:
    """Return every element of a message, in the order in which they stand."""
    return tuple(_MessageTree(table).rows())


def plain_tree(root: Declaration, types: Iterable[DataType]) -> tuple[ElementRow, ...]:
    """Return every element below ``root`` as the schema declares them, without data."""
    known = {each.name: (f"`{each.base}`", *each.facets) for each in types}
    return tuple(
        replace(row, demands=known.get(row.type_name, ())) for row in _declared(root, 0, "")
    )


class _MessageTree:
    """Walks the plan of one message beside its schema."""

    def __init__(self, table: MappingTable) -> None:
        self._model: type[Document] = MODELS[table.document_type]
        self._root = table.plan
        self._rules = rules_by_datum(self._model)
        self._lists: Mapping[str, tuple[str, object]] = CODED_VALUES.get(self._model, {})
        self._told = {row.field for row in table.rows if row.field}

    def rows(self) -> Iterator[ElementRow]:
        yield from self._below(self._root, 0)

    def _below(self, node: Node, depth: int) -> Iterator[ElementRow]:
        yield self._row(node, depth)
        for tag, declaration in node.declaration.structure.children.items():
            for child in node.children:
                if child.step.tag == tag:
                    yield from self._below(child, depth + 1)
            if tag == SIGNATURE:
                yield _plain_row(declaration, depth + 1, node.path)

    def _row(self, node: Node, depth: int) -> ElementRow:
        shown = node.path.rpartition("/")[2] if "[" not in node.path else _last_step(node.path)
        wrapper = f"/{node.wrapper.name}" if node.wrapper else ""
        constants = dict(node.constants)
        if node.wrapper is not None and node.wrapper.has_format and node.text is not None:
            constants["format"] = node.text.codec.name.rpartition("-")[2]
        return ElementRow(
            depth=depth,
            path=node.path,
            name=(shown or node.step.name) + wrapper,
            occurs=_occurs(node),
            type_name=_type_name(node.declaration),
            group=node.group or "",
            constant=None if node.constant is None else node.constant.text,
            attributes=tuple(sorted(constants.items())),
            data=tuple(self._data(node)),
            rules=tuple(self._record_rules(node)),
            unused=tuple(self._unused(node)),
        )

    def _data(self, node: Node) -> Iterator[Datum]:
        if node.text is not None:
            yield self._datum(node.text, "")
        for name, binding in node.attributes.items():
            yield self._datum(binding, name)

    def _datum(self, binding: Binding, attribute: str) -> Datum:
        row: Row = binding.row
        listed = self._lists.get(row.field)
        return Datum(
            field=row.field,
            attribute=attribute,
            label="" if row.label is None else row.label.en,
            limits=limits(self._model, row.field),
            written=_written(binding.codec),
            derived=row.kind is RowKind.DERIVED,
            box=row.box,
            article=row.article,
            code_list=None if listed is None else listed[0],
            values=values(self._model, row.field),
            rules=_ids(self._rules, row.field),
        )

    def _record_rules(self, node: Node) -> Iterator[str]:
        """Yield the rules about the whole document, or about what begins at this element."""
        if node is self._root:
            yield from _ids(self._rules, "")
        for path in self._rules:
            if path and path not in self._told and self._first_of(path) is node:
                yield from _ids(self._rules, path)

    def _first_of(self, path: str) -> Node | None:
        """Return the element at which a record begins: the group, or what holds its first datum."""
        for node in self._root.walk():
            if node.group == path:
                return node
        holding = [
            node
            for node in self._root.walk()
            for binding in (node.text, *node.attributes.values())
            if binding is not None and binding.row.field.startswith(f"{path}.")
        ]
        return holding[0] if holding else None

    def _unused(self, node: Node) -> Iterator[str]:
        written = {child.step.tag for child in node.children} | {SIGNATURE}
        if node.wrapper is not None:
            written.add(node.wrapper.tag)
        for tag in node.declaration.structure.children:
            if tag not in written:
                yield prefixed(tag)


def _written(codec: Codec) -> str:
    """Return in words how a value is written; nothing for text and plain numbers."""
    return "" if codec in _AS_IN_JSON else codec.kind.en


def _ids(rules: Mapping[str, tuple[object, ...]], path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.id for rule in rules.get(path, ())))  # type: ignore[attr-defined]


def _occurs(node: Node) -> str:
    if node.group is not None:
        return _times(node.declaration.least, node.declaration.most)
    always = node.is_certain or node.constant is not None or not node.path
    return "1" if always else "0..1"


def _times(least: int, most: int) -> str:
    bound = "n" if most == UNBOUNDED else str(most)
    return bound if str(least) == bound else f"{least}..{bound}"


def _type_name(declaration: Declaration) -> str:
    return "" if "@" in declaration.type_name else prefixed(declaration.type_name)


def _last_step(path: str) -> str:
    """Return the last step of a path whose predicates may hold slashes."""
    depth, start = 0, 0
    for place, sign in enumerate(path):
        depth += {"[": 1, "]": -1}.get(sign, 0)
        if sign == "/" and depth == 0:
            start = place + 1
    return path[start:]


def _declared(declaration: Declaration, depth: int, above: str) -> Iterator[ElementRow]:
    row = _plain_row(declaration, depth, above)
    yield row
    for child in declaration.structure.children.values():
        if child.tag == SIGNATURE:
            yield _plain_row(child, depth + 1, row.path)
        else:
            yield from _declared(child, depth + 1, row.path)


def _plain_row(declaration: Declaration, depth: int, above: str) -> ElementRow:
    name = prefixed(declaration.tag)
    structure = declaration.structure
    return ElementRow(
        depth=depth,
        path=f"{above}/{name}".lstrip("/"),
        name=name,
        occurs=_times(declaration.least, declaration.most),
        type_name=_type_name(declaration),
        attributes=tuple(
            (attribute, "" if required else "optional")
            for attribute, required in structure.attributes.items()
        ),
    )
