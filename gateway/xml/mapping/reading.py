"""From the plan of a message to a reader: one pass over the elements, values out.

Nothing that a message says is passed over: an element or attribute without a place in the
table, a constant with another text, a datum that stands twice, a derived code that contradicts
its field — each becomes a finding.  Whether the values make a document is decided by the
document model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lxml import etree

from gateway.xml.mapping import complaints
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.attributes import AttributeReader
from gateway.xml.mapping.plan import FORMATS, Constant, Node, Wrapper
from gateway.xml.mapping.slots import VERBATIM_TYPES, Reading, Slot, collapsed
from gateway.xml.namespaces import DS_NS

Handler = Callable[[etree._Element, Reading, dict[str, Any], str], None]
"""Reads one element into the record whose document path is the last argument."""

Put = Callable[[Reading, dict[str, Any], str, str], None]
"""Stores the text of one element in the record whose document path is the third argument."""

_SIGNATURE: Final = f"{{{DS_NS}}}Signature"


def compile_reader(root: Node, anatomy: Anatomy) -> Callable[[etree._Element], Reading]:
    """Return the function that reads a message's root element.

    Signatures below the root are passed over; they are the business of ``gateway.trust``.
    """
    handlers = _handlers(root, anatomy)
    handlers[_SIGNATURE] = _pass_over
    read_children = _children_reader("", handlers)
    empty = _without_members(root, anatomy)

    def read(element: etree._Element) -> Reading:
        reading = Reading(values=dict(empty))
        read_children(element, reading, reading.values, "")
        reading.settle()
        return reading

    return read


def _handlers(node: Node, anatomy: Anatomy) -> dict[str, Handler]:
    """Return what reads the children of ``node``, by tag."""
    by_tag: dict[str, list[Node]] = {}
    for child in node.children:
        by_tag.setdefault(child.step.tag, []).append(child)
    return {
        tag: _handler(nodes[0], anatomy)
        if len(nodes) == 1 and not nodes[0].step.predicates
        else _chooser(node.path, nodes, anatomy)
        for tag, nodes in by_tag.items()
    }


def _handler(node: Node, anatomy: Anatomy) -> Handler:
    attributes = AttributeReader(node)
    if node.text is not None:
        element = _text_reader(node, attributes)
    elif node.constant is not None:
        element = _constant_reader(node, node.constant, attributes)
    else:
        element = _container_reader(node, attributes, _handlers(node, anatomy))
    return _member_reader(node, element, anatomy) if node.group else element


def _chooser(parent: str, nodes: list[Node], anatomy: Anatomy) -> Handler:
    """Return the handler that tells elements of one name apart by their constant parts."""
    choices = [(node.step.predicates, _handler(node, anatomy)) for node in nodes]

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        for predicates, handler in choices:
            for predicate in predicates:
                subject = predicate.subject
                by_attribute = predicate.is_attribute
                found = element.get(subject) if by_attribute else element.findtext(subject)
                if found is None or collapsed(found) != predicate.value:
                    break
            else:
                handler(element, reading, record, prefix)
                return
        _refuse(parent, element, reading, prefix)

    return read


def _children_reader(path: str, handlers: Mapping[Any, Handler]) -> Handler:
    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        for child in element:
            handler = handlers.get(child.tag)
            if handler is None:
                _refuse(path, child, reading, prefix)
            else:
                handler(child, reading, record, prefix)

    return read


def _container_reader(
    node: Node, attributes: AttributeReader, handlers: Mapping[Any, Handler]
) -> Handler:
    expected, path = attributes.expected, node.path

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        written = element.items()
        if written and written != expected:
            attributes.read(written, reading, record, prefix)
        for child in element:
            handler = handlers.get(child.tag)
            if handler is None:
                _refuse(path, child, reading, prefix)
            else:
                handler(child, reading, record, prefix)

    return read


def _text_reader(node: Node, attributes: AttributeReader) -> Handler:
    if node.text is None:
        raise ValueError(node.path)
    put = Slot(node.text, verbatim=node.declaration.type_name in VERBATIM_TYPES).put
    expected, path = attributes.expected, node.path
    if node.wrapper:
        return _wrapped_text_reader(node, node.wrapper, attributes, put)

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        written = element.items()
        if written != expected:
            attributes.read(written, reading, record, prefix)
        if len(element):
            _refuse(path, element[0], reading, prefix)
        put(reading, record, prefix, element.text or "")

    return read


def _wrapped_text_reader(
    node: Node, wrapper: Wrapper, attributes: AttributeReader, put: Put
) -> Handler:
    text_of = _wrapped_text(node, wrapper)
    expected = attributes.expected

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        written = element.items()
        if written != expected:
            attributes.read(written, reading, record, prefix)
        text = text_of(element, reading, prefix)
        if text is not None:
            put(reading, record, prefix, text)

    return read


def _wrapped_text(
    node: Node, wrapper: Wrapper
) -> Callable[[etree._Element, Reading, str], str | None]:
    path = node.path
    form = FORMATS.get(node.text.codec) if node.text else None
    attributes = [("format", form)] if form else []
    wanted = wrapper.name + (f" format={form}" if form else "")

    def text_of(element: etree._Element, reading: Reading, prefix: str) -> str | None:
        inner = element[0] if len(element) == 1 else None
        fits = inner is not None and inner.tag == wrapper.tag and not len(inner)
        if inner is not None and fits and inner.items() == attributes:
            return inner.text or ""
        shown = "–" if inner is None else _spelled(inner) + _shown_format(inner)
        reading.complain(complaints.WRONG_CONSTANT, prefix, path, wanted, shown)
        return None

    return text_of


def _constant_reader(node: Node, constant: Constant, attributes: AttributeReader) -> Handler:
    wanted, accepts, expected, path = (
        constant.text,
        constant.accepts,
        attributes.expected,
        node.path,
    )

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        written = element.items()
        if written != expected:
            attributes.read(written, reading, record, prefix)
        if len(element):
            _refuse(path, element[0], reading, prefix)
        text = element.text or ""
        if text != wanted:
            text = collapsed(text)
            if text != wanted and not (accepts and accepts.fullmatch(text)):
                reading.complain(complaints.WRONG_CONSTANT, prefix, path, wanted, text)

    return read


def _member_reader(node: Node, element_reader: Handler, anatomy: Anatomy) -> Handler:
    """Return the handler that appends one member of a repetition."""
    *parents, key = node.group_steps
    shown = ".".join(node.group_steps)
    empty = _without_members(node, anatomy)
    are_values = not anatomy.is_record(node.anchor)

    def read(
        element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        for parent in parents:
            record = record.setdefault(parent, {})
        members = record.get(key)
        if not members:
            members = record[key] = []
            reading.repeated.append((record, key))
        member: dict[str, Any] = dict(empty)
        path = f"{prefix}{shown}[{len(members)}]."
        members.append(member)
        element_reader(element, reading, member, path)
        if are_values:
            members[-1] = member.get("", "")

    return read


def _without_members(node: Node, anatomy: Anatomy) -> dict[str, Any]:
    """Return the empty tuples that a record has before its elements are read."""
    return dict.fromkeys(anatomy.required_tuples(node.anchor), ())


def _pass_over(
    element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
) -> None:
    """Read nothing."""


def _refuse(path: str, child: etree._Element, reading: Reading, prefix: str) -> None:
    name = f"{path}/{_spelled(child)}".lstrip("/")
    reading.complain(complaints.UNREAD_ELEMENT, prefix, name[-80:])


def _spelled(element: etree._Element) -> str:
    return etree.QName(element).localname


def _shown_format(element: etree._Element) -> str:
    form = element.get("format")
    return f" format={form}" if form else ""
