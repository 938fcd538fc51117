"""From the plan of a message to a function that writes it: record in, XML text out.

The plan becomes Python source when the table is loaded, which runs nearly twice as fast as
walking the plan for each document.  Every repetition becomes one function.  In it the text that
never varies (tags, constants, whole constant elements) is literal; an element without any value
is left out together with its constants.  This is what becomes of a place of transit::

    def write_2(record):
        value_0 = record.unlocode
        text_1 = '<ram:ID schemeID="UNLOCODE">' f'{text(value_0)}' '</ram:ID>' if value_0 ...
        return '<ram:TransitLogisticsLocation>' f'{text_1}' '<ram:Name>' f'{text(record.name)}' ...

``writer_source`` returns all of it for one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.plan import FORMATS, Binding, Node
from gateway.xml.mapping.values import TEXT

Write = Callable[[Any], str]

_TEXT_SPECIALS: Final = re.compile("[&<>\r]")
_ATTRIBUTE_SPECIALS: Final = re.compile('[&<>"\t\n\r]')
_ESCAPES: Final[Mapping[str, str]] = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def escape_text(text: str) -> str:
    """Return ``text`` as element content; ``]]>`` and carriage returns survive."""
    if _TEXT_SPECIALS.search(text):
        return _TEXT_SPECIALS.sub(lambda match: _ESCAPES[match[0]], text)
    return text


def escape_attribute(text: str) -> str:
    """Return ``text`` as it stands between double quotes; tabs and line ends survive."""
    if _ATTRIBUTE_SPECIALS.search(text):
        return _ATTRIBUTE_SPECIALS.sub(lambda match: _ESCAPES[match[0]], text)
    return text


@dataclass(frozen=True)
class _Expression:
    """Is source that yields text: a call, or the name of a variable that holds it."""

    source: str

    @property
    def is_name(self) -> bool:
        """Whether it may be written twice at no cost."""
        return self.source.isidentifier()


_Part = str | _Expression
"""Literal text, or source that yields text."""


def compile_writer(root: Node, anatomy: Anatomy, prefixes: Mapping[str, str]) -> Write:
    """Return the function that writes a document as its message, without XML declaration."""
    source, names = writer_source(root, anatomy, prefixes)
    code = compile(source, f"<writer of {root.step.name}>", "exec")
    exec(code, names)  # noqa: S102 - made of our own table; all that it quotes passed repr()
    write: Write = names["write"]
    return write


def writer_source(
    root: Node, anatomy: Anatomy, prefixes: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Return the Python source of the writer, and the functions that it calls by name."""
    declarations = "".join(
        f' xmlns:{prefix}="{escape_attribute(uri)}"' for prefix, uri in prefixes.items()
    )
    module = _Module(anatomy)
    function = _Function(module)
    inner = function.parts_of_all(root.children)
    name = root.step.name
    module.add("write", function, [f"<{name}{declarations}>", *inner, f"</{name}>"])
    return "\n\n".join(module.functions), module.names


class _Module:
    """Collects the functions of one writer and what they call."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self.functions: list[str] = []
        self.names: dict[str, Any] = {"text": escape_text, "attribute": escape_attribute}

    def add(self, name: str, function: _Function, parts: Sequence[_Part]) -> None:
        """Add the function that returns these parts."""
        lines = [*function.lines, f"return {_joined(parts)}"]
        self.functions.append(f"def {name}(record):\n" + "\n".join(f"    {x}" for x in lines))

    def name_of(self, called: Callable[[Any], Any], hint: str) -> str:
        """Return the name by which the source calls a function."""
        for name, known in self.names.items():
            if known is called:
                return name
        name = f"{re.sub('[^a-z0-9]', '_', hint)}_{len(self.names)}"
        self.names[name] = called
        return name


class _Function:
    """Compiles nodes to the statements of one function, and to the parts that it returns."""

    def __init__(self, module: _Module) -> None:
        self._module = module
        self.lines: list[str] = []

    def parts_of_all(self, nodes: Iterable[Node]) -> list[_Part]:
        """Return what the nodes write, one after the other."""
        return [part for node in nodes for part in self._parts(node)]

    def _parts(self, node: Node) -> list[_Part]:
        if node.group is None:
            return self._element(node)
        outer = node.group.removesuffix("[]").rpartition("[]")
        members = self._fetched(outer[0] + outer[1], node.group_steps)
        member = _Function(self._module)
        parts = member._element(node)
        name = f"write_{len(self._module.functions)}"
        self._module.add(name, member, parts)
        return [self._variable(f"''.join(map({name}, {members} or ()))")]

    def _element(self, node: Node) -> list[_Part]:
        name = node.step.name
        opening = name + "".join(
            f' {key}="{escape_attribute(value)}"' for key, value in node.constants.items()
        )
        if node.constant:
            return [f"<{opening}>{escape_text(node.constant.text)}</{name}>"]
        if node.text:
            return self._leaf(node, node.text, f"<{opening}", f"</{name}>")
        whole = [f"<{opening}>", *self.parts_of_all(node.children), f"</{name}>"]
        if node.group or node.is_certain:
            return whole
        return [self._optional_container(whole)]

    def _leaf(self, node: Node, text: Binding, opening: str, closing: str) -> list[_Part]:
        wrapper = node.wrapper
        end = ">"
        if wrapper:
            form = f' format="{FORMATS[text.codec]}"' if wrapper.has_format else ""
            end = f"><{wrapper.name}{form}>"
            closing = f"</{wrapper.name}>{closing}"
        value = self._fetched(node.anchor, text.steps)
        if text.may_lack:
            value = self._variable(value, "value").source
        attributes = [
            self._attribute(node, name, binding) for name, binding in node.attributes.items()
        ]
        encode = self._module.name_of(_text_encoder(text), text.codec.name)
        whole: list[_Part] = [opening, *attributes, end, _Expression(f"{encode}({value})"), closing]
        if not text.may_lack:
            return whole
        return [self._variable(f"{_joined(whole)} if {value} is not None else ''")]

    def _attribute(self, node: Node, name: str, binding: Binding) -> _Expression:
        value = self._variable(self._fetched(node.anchor, binding.steps), "value").source
        encode = self._module.name_of(_attribute_encoder(binding), binding.codec.name)
        written = _joined([f' {name}="', _Expression(f"{encode}({value})"), '"'])
        return self._variable(f"{written} if {value} is not None else ''")

    def _optional_container(self, whole: Sequence[_Part]) -> _Expression:
        """Return the text of an element that stands only when one of its values does."""
        parts = [
            part if isinstance(part, str) or part.is_name else self._variable(part.source)
            for part in whole
        ]
        values = [part.source for part in parts if isinstance(part, _Expression)]
        return self._variable(f"{_joined(parts)} if {' or '.join(values)} else ''")

    def _fetched(self, anchor: str, steps: tuple[str, ...]) -> str:
        """Return the source that fetches a value, None where the record around it lacks."""
        anatomy = self._module.anatomy
        if not steps or not anatomy.may_lack(anchor, steps[:-1]):
            return ".".join(("record", *steps))
        getter = self._module.name_of(anatomy.getter(anchor, steps), "_".join(steps))
        return f"{getter}(record)"

    def _variable(self, source: str, kind: str = "text") -> _Expression:
        """Return the new variable that holds what ``source`` yields."""
        name = f"{kind}_{len(self.lines)}"
        self.lines.append(f"{name} = {source}")
        return _Expression(name)


def _joined(parts: Iterable[_Part]) -> str:
    """Return the source that joins the parts: strings side by side, which Python makes one."""
    written = []
    for is_literal, run in groupby(parts, lambda part: isinstance(part, str)):
        if is_literal:
            written.append(repr("".join(map(str, run))))
        else:
            written += [f"f'{{{part.source}}}'" for part in run if isinstance(part, _Expression)]
    return " ".join(written)


def _text_encoder(binding: Binding) -> Write:
    if binding.derived is not None:
        return {key: escape_text(code) for key, code in binding.derived.items()}.__getitem__
    encode = binding.codec.encode
    if binding.codec is TEXT:
        return escape_text
    if binding.codec.plain:
        return encode
    return lambda value: escape_text(encode(value))


def _attribute_encoder(binding: Binding) -> Write:
    if binding.codec is TEXT:
        return escape_attribute
    encode = binding.codec.encode
    return lambda value: escape_attribute(encode(value))
