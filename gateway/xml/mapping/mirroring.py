"""From the plan of a message to the mirror image of its writer: XML as we write it in, values out.

Nearly every message is spelled as the writer of the same table spells it: elements in the order
of the plan, constants to the letter, no attribute too many.  The mirror reads those in a third of
the time of ``gateway.xml.mapping.reading``, and nothing else: it complains of nothing and judges
nothing.  Of any other message it says no more than that, and ``reading`` reads it from the start.

The plan becomes Python source when the table is loaded, as for the writer.  Every repetition
becomes one function, which walks the children once in the order of the plan.  This is what
becomes of a place of transit::

    def read_2(element):
        record = dict(empty_2)
        seen = 1
        inner_0 = iter(element); child_0 = next(inner_0, end); tag_0 = child_0.tag
        if tag_0 == '{…}ID' and child_0.items() == [('schemeID', 'UNLOCODE')]:
            seen += 2
            record['unlocode'] = collapsed(child_0.text or '')
            child_0 = next(inner_0, end); tag_0 = child_0.tag
        if tag_0 == '{…}Name':
            seen += 1
            record['name'] = child_0.text or ''
            ...
        return record, seen

An element that is not as it would be written is not passed, so neither is any that follows it;
an attribute or a child that nobody expects is not looked at.  That nothing was overlooked is
shown by counting: ``seen`` is the number of elements and attributes that were read, and the mirror
answers only where the message has no more.  ``mirror_source`` returns the source for one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lxml import etree

from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.plan import FORMATS, Binding, Node, Wrapper
from gateway.xml.mapping.slots import VERBATIM_TYPES, collapsed
from gateway.xml.mapping.values import TEXT

Mirror = Callable[[etree._Element], dict[str, Any] | None]

_COUNT: Final = etree.XPath(
    "1 + count(descendant::node()) - count(descendant::text()) + count(descendant::*/@*)"
)
"""Whatever may stand in a message but text; of the root's attributes no reader takes notice."""


class _End:
    """Stands where there is no further child."""

    tag = None


def compile_mirror(root: Node, anatomy: Anatomy) -> Mirror:
    """Return the function that reads a message's root element into the values of a document.

    It returns None for a message that is spelled in another way, be it right or wrong.
    """
    source, names = mirror_source(root, anatomy)
    code = compile(source, f"<mirror of {root.step.name}>", "exec")
    exec(code, names)  # noqa: S102 - made of our own table; all that it quotes passed repr()
    read: Callable[[etree._Element], tuple[dict[str, Any], int]] = names["read"]

    def mirror(element: etree._Element) -> dict[str, Any] | None:
        try:
            values, seen = read(element)
        except ValueError:  # a text that its codec cannot read, or a contradiction
            return None
        return values if seen == _COUNT(element) else None

    return mirror


def mirror_source(root: Node, anatomy: Anatomy) -> tuple[str, dict[str, Any]]:
    """Return the Python source of the mirror, and what it calls by name."""
    module = _Module(anatomy)
    function = _Function(module, root)
    function.walk("element", root.children)
    module.add("read", function, "record")
    return "\n\n".join(module.functions), module.names


class _Module:
    """Collects the functions of one mirror and what they call."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self.functions: list[str] = []
        self.names: dict[str, Any] = {
            "collapsed": collapsed,
            "end": _End,
            "require_agreement": _require_agreement,
        }

    def add(self, name: str, function: _Function, answer: str) -> None:
        """Add a function that walks one record and answers with it and with what it saw."""
        empty = self.name_of(dict.fromkeys(self.anatomy.required_tuples(function.anchor), ()), "e")
        lines = [f"record = dict({empty})", f"seen = {function.size}", *function.lines]
        lines += [*function.claims, f"return {answer}, seen"]
        self.functions.append(f"def {name}(element):\n" + "\n".join(f"    {x}" for x in lines))

    def name_of(self, called: Any, hint: str) -> str:
        """Return the name by which the source knows a function or a table."""
        for name, known in self.names.items():
            if known is called:
                return name
        name = f"{re.sub('[^a-z0-9]', '_', hint)}_{len(self.names)}"
        self.names[name] = called
        return name


class _Function:
    """Compiles the nodes of one record to the statements of one function.

    Attributes:
        anchor: the record, as a path of the document.
        size: what is seen of its element when it is met.
        claims: statements that compare derived codes with their fields, once all is read.
    """

    def __init__(self, module: _Module, node: Node) -> None:
        self.anchor = node.anchor
        self.size = _size(node)
        self.lines: list[str] = []
        self.claims: list[str] = []
        self._module = module
        self._walks = 0

    def walk(self, element: str, nodes: Iterable[Node], indent: str = "") -> None:
        """Read the children of an element in the order of the plan."""
        depth, self._walks = self._walks, self._walks + 1
        child, tag = f"child_{depth}", f"tag_{depth}"
        following = f"{child} = next(inner_{depth}, end); {tag} = {child}.tag"
        self.lines.append(f"{indent}inner_{depth} = iter({element}); {following}")
        for node in nodes:
            condition = _condition(node, child, tag)
            if node.group:
                self._members(node, condition, child, following, indent)
                continue
            self.lines += [f"{indent}if {condition}:", f"{indent}    seen += {_size(node)}"]
            self._content(node, child, indent + "    ")
            self.lines.append(f"{indent}    {following}")

    def _content(self, node: Node, element: str, indent: str) -> None:
        if node.text is not None:
            self._text(node, node.text, element, indent)
        elif node.constant is None:
            self.walk(element, node.children, indent)

    def _members(self, node: Node, condition: str, child: str, following: str, indent: str) -> None:
        """Read the members of a repetition, each by a function of its own."""
        member = _Function(self._module, node)
        member._content(node, "element", "")
        name = f"read_{len(self._module.functions)}"
        is_record = self._module.anatomy.is_record(node.anchor)
        self._module.add(name, member, "record" if is_record else "record.get('', '')")
        *parents, key = node.group_steps
        self.lines += [
            f"{indent}members = []",
            f"{indent}while {condition}:",
            f"{indent}    member, more = {name}({child})",
            f"{indent}    members.append(member); seen += more",
            f"{indent}    {following}",
            f"{indent}if members:",
            f"{indent}    {_record(parents)}[{key!r}] = tuple(members)",
        ]

    def _text(self, node: Node, text: Binding, element: str, indent: str) -> None:
        for name, binding in node.attributes.items():
            self.lines.append(f"{indent}if (value := {element}.get({name!r})) is not None:")
            self._store(binding, "value", indent + "    ", verbatim=False)
            self.lines.append(f"{indent}    seen += 1")
        if node.wrapper is not None:
            self._unwrap(text, node.wrapper, element, indent)
            element = "string"
        is_verbatim = node.declaration.type_name in VERBATIM_TYPES
        self._store(text, f"{element}.text or ''", indent, verbatim=is_verbatim)

    def _unwrap(self, text: Binding, wrapper: Wrapper, element: str, indent: str) -> None:
        """Step into the only child that holds the text; without it the message is unlike ours."""
        form = FORMATS.get(text.codec)
        attributes = [("format", form)] if form else []
        self.lines += [
            f"{indent}string = next(iter({element}), end)",
            f"{indent}if string.tag != {wrapper.tag!r} or string.items() != {attributes!r}:",
            f"{indent}    return record, 0",
            f"{indent}seen += {1 + len(attributes)}",
        ]

    def _store(self, binding: Binding, text: str, indent: str, *, verbatim: bool) -> None:
        if binding.codec is not TEXT:
            text = f"{self._module.name_of(binding.codec.decode, binding.codec.name)}({text})"
        elif not verbatim:
            text = f"collapsed({text})"
        if binding.derived is None:
            *parents, key = binding.steps or ("",)
            self.lines.append(f"{indent}{_record(parents)}[{key!r}] = {text}")
            return
        claim = f"claim_{len(self.claims)}"
        self.lines.insert(0, f"{claim} = None")
        self.lines.append(f"{indent}{claim} = {text}")
        codes = self._module.name_of(binding.derived, "codes")
        self.claims.append(f"require_agreement(record, {binding.steps!r}, {codes}, {claim})")


def _size(node: Node) -> int:
    """Return how much of an element is seen when it is met: itself and its constants."""
    return 1 + len(node.constants)


def _record(parents: Iterable[str]) -> str:
    """Return the source of the record at the end of these names, made where it lacks."""
    return "record" + "".join(f".setdefault({name!r}, {{}})" for name in parents)


def _condition(node: Node, child: str, tag: str) -> str:
    """Return the source that tells whether the next child is this element, as it is written."""
    conditions = [f"{tag} == {node.step.tag!r}"]
    for predicate in node.step.predicates:
        fetch = "get" if predicate.is_attribute else "findtext"
        conditions.append(f"{child}.{fetch}({predicate.subject!r}) == {predicate.value!r}")
    if node.attributes:
        conditions += [f"{child}.get({k!r}) == {v!r}" for k, v in node.constants.items()]
    elif node.constants:
        conditions.append(f"{child}.items() == {list(node.constants.items())!r}")
    if node.constant is not None:
        conditions.append(f"{child}.text == {node.constant.text!r}")
    return " and ".join(conditions)


def _require_agreement(
    record: Mapping[str, Any], steps: Iterable[str], codes: Mapping[Any, str], claim: str | None
) -> None:
    """Raise where a derived code was stated that contradicts the field it derives from.

    Raises:
        ValueError: it does.
    """
    value: Any = record
    for name in steps:
        value = value.get(name) if isinstance(value, dict) else None
    if claim is not None and value is not None and codes.get(value) != claim:
        raise ValueError(claim)
