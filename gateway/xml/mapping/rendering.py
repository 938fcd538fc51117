"""From the plan of a message to a function that writes it: record in, XML text out.

Text is joined directly, which is a dozen times faster than building elements.  What never
varies (tags, constants, whole constant elements) is melted into literals when the table is
loaded; an element without any value is left out together with its constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.documents.fields import Getter
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.plan import FORMATS, Binding, Node
from gateway.xml.mapping.values import TEXT

Write = Callable[[Any], str]
_Part = str | Write

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


def compile_writer(root: Node, anatomy: Anatomy, prefixes: Mapping[str, str]) -> Write:
    """Return the function that writes a document as its message, without XML declaration."""
    declarations = "".join(
        f' xmlns:{prefix}="{escape_attribute(uri)}"' for prefix, uri in prefixes.items()
    )
    compiler = _Compiler(anatomy)
    inner = compiler.parts_of_all(root.children)
    name = root.step.name
    return _joiner(_melted([f"<{name}{declarations}>", *inner, f"</{name}>"]))


class _Compiler:
    """Compiles nodes to parts: literals, and functions of the anchor record."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy

    def parts_of_all(self, nodes: Iterable[Node]) -> list[_Part]:
        return [part for node in nodes for part in self._parts(node)]

    def _parts(self, node: Node) -> list[_Part]:
        if node.group is None:
            return self._element(node)
        outer = node.group.removesuffix("[]").rpartition("[]")
        anchor = outer[0] + outer[1]
        fetch = self._anatomy.getter(anchor, node.group_steps)
        return [_repeater(fetch, _joiner(_melted(self._element(node))))]

    def _element(self, node: Node) -> list[_Part]:
        name = node.step.name
        opening = name + "".join(
            f' {key}="{escape_attribute(value)}"' for key, value in node.constants.items()
        )
        if node.constant:
            return [f"<{opening}>{escape_text(node.constant.text)}</{name}>"]
        if node.text:
            return [self._leaf(node, node.text, f"<{opening}", f"</{name}>")]
        inner = self.parts_of_all(node.children)
        if node.group or node.is_certain:
            return [f"<{opening}>", *inner, f"</{name}>"]
        return [_optional_container(f"<{opening}>", _melted(inner), f"</{name}>")]

    def _leaf(self, node: Node, text: Binding, opening: str, closing: str) -> Write:
        wrapper = node.wrapper
        end = ">"
        if wrapper:
            form = f' format="{FORMATS[text.codec]}"' if wrapper.has_format else ""
            end = f"><{wrapper.name}{form}>"
            closing = f"</{wrapper.name}>{closing}"
        fetch = self._fetch(node, text)
        encode = _text_encoder(text)
        if not node.attributes:
            if text.may_lack:
                return _optional_leaf(fetch, encode, opening + end, closing)
            return _certain_leaf(fetch, encode, opening + end, closing)
        attributes = [
            (f' {name}="', self._fetch(node, binding), _attribute_encoder(binding))
            for name, binding in node.attributes.items()
        ]
        return _leaf_with_attributes(
            fetch, encode, attributes, opening=opening, end=end, closing=closing
        )

    def _fetch(self, node: Node, binding: Binding) -> Getter:
        return self._anatomy.getter(node.anchor, binding.steps)


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


def _certain_leaf(fetch: Getter, encode: Write, opening: str, closing: str) -> Write:
    return lambda record: opening + encode(fetch(record)) + closing


def _optional_leaf(fetch: Getter, encode: Write, opening: str, closing: str) -> Write:
    def write(record: Any) -> str:
        value = fetch(record)
        return "" if value is None else opening + encode(value) + closing

    return write


def _leaf_with_attributes(
    fetch: Getter,
    encode: Write,
    attributes: Sequence[tuple[str, Getter, Write]],
    *,
    opening: str,
    end: str,
    closing: str,
) -> Write:
    def write(record: Any) -> str:
        value = fetch(record)
        if value is None:
            return ""
        written = opening
        for start, fetch_attribute, encode_attribute in attributes:
            attribute = fetch_attribute(record)
            if attribute is not None:
                written += start + encode_attribute(attribute) + '"'
        return written + end + encode(value) + closing

    return write


def _optional_container(opening: str, parts: Sequence[_Part], closing: str) -> Write:
    """Return the writer of an element that stands only when one of its values does."""
    values = [part for part in parts if not isinstance(part, str)]
    if len(values) == len(parts):

        def write(record: Any) -> str:
            inner = "".join([value(record) for value in values])
            return opening + inner + closing if inner else ""

        return write

    def write_with_constants(record: Any) -> str:
        found = False
        inner = opening
        for part in parts:
            if isinstance(part, str):
                inner += part
            elif written := part(record):
                found = True
                inner += written
        return inner + closing if found else ""

    return write_with_constants


def _repeater(fetch: Getter, write_member: Write) -> Write:
    def write(record: Any) -> str:
        members = fetch(record)
        return "".join([write_member(member) for member in members]) if members else ""

    return write


def _joiner(parts: Sequence[_Part]) -> Write:
    writers = [_literal(part) if isinstance(part, str) else part for part in parts]
    return lambda record: "".join([write(record) for write in writers])


def _literal(text: str) -> Write:
    return lambda _: text


def _melted(parts: Sequence[_Part]) -> list[_Part]:
    """Join neighbouring literals."""
    melted: list[_Part] = []
    for part in parts:
        if isinstance(part, str) and melted and isinstance(melted[-1], str):
            melted[-1] += part
        else:
            melted.append(part)
    return melted
