"""From the plan of a message to a reader: one pass over the elements, values out.

Nothing that a message says is passed over: an element or attribute without a place in the
table, a constant with another text, an element that stands twice, a derived code that
contradicts its field — each becomes a finding.  Whether the values make a document is decided
by the document model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from gateway.documents.findings import Finding
from gateway.xml.mapping import complaints
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.complaints import Complaint
from gateway.xml.mapping.plan import FORMATS, Binding, Constant, Node
from gateway.xml.mapping.values import Codec
from gateway.xml.namespaces import DS_NS, UDT_NS

_SIGNATURE: Final = f"{{{DS_NS}}}Signature"
MAX_FINDINGS: Final = 200
_SPACE: Final = re.compile("[ \t\r\n]+")
_VERBATIM_TYPES: Final = frozenset({f"{{{UDT_NS}}}TextType"})
_ODD_SPACE: Final = re.compile("[\t\r\n]|  |^ | $")


@dataclass
class Reading:
    """Is what one pass over a message has found.

    Attributes:
        repeated: records and keys whose value is a list that must become a tuple.
        claims: derived codes with the record they speak of, to be compared afterwards.
        unreadable: document paths whose text had the wrong form.
    """

    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    repeated: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    claims: list[tuple[_Slot, dict[str, Any], str, str]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def complain(self, complaint: Complaint, prefix: str, *quoted: str) -> None:
        """Add the finding that makes ``complaint`` about the record at ``prefix``."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(complaint.about(prefix.rstrip("."), *quoted))

    def settle(self) -> None:
        """Turn lists into tuples and compare derived codes with their fields."""
        for record, key in self.repeated:
            record[key] = tuple(record[key])
        for slot, record, path, code in self.claims:
            slot.compare(self, record, path, code)


class _Slot:
    """Puts the text of an element or attribute to its place among the values."""

    def __init__(self, binding: Binding, *, verbatim: bool) -> None:
        self.row = binding.row
        self._codec: Codec = binding.codec
        self._decode: Callable[[str], Any] = binding.codec.decode
        self._derived = binding.derived
        self._verbatim = verbatim
        self._parents = binding.steps[:-1]
        self._key = binding.steps[-1] if binding.steps else ""
        self._shown = ".".join(binding.steps)

    def put(self, reading: Reading, record: dict[str, Any], prefix: str, text: str) -> None:
        """Store the value written as ``text``, or a finding."""
        if not self._verbatim and _ODD_SPACE.search(text):
            text = _SPACE.sub(" ", text).strip(" ")
        if self._derived is not None:
            reading.claims.append((self, record, prefix + self._shown, text))
            return
        try:
            value = self._decode(text)
        except ValueError:
            self._refuse(reading, prefix, text)
            return
        for parent in self._parents:
            record = record.setdefault(parent, {})
        record[self._key] = value

    def _refuse(self, reading: Reading, prefix: str, text: str) -> None:
        kind = self._codec.kind
        path = prefix + self._shown if self._shown else prefix.removesuffix(".")
        reading.unreadable.add(path)
        if len(reading.findings) >= MAX_FINDINGS:
            return
        finding = complaints.WRONG_TEXT.about(
            path, self.row.xml, text, kind.en, kind.fr, kind.ar,
            box=self.row.box, article=self.row.article,
        )  # fmt: skip
        reading.findings.append(finding)

    def compare(self, reading: Reading, record: dict[str, Any], path: str, code: str) -> None:
        """Complain when a derived code contradicts the field that it derives from."""
        value: Any = record
        for name in (*self._parents, self._key):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None or self._derived is None or self._derived.get(value) == code:
            return
        finding = complaints.CONTRADICTION.about(path, self.row.xml, code, box=self.row.box)
        reading.findings.append(finding)


class _ElementReader:
    """Reads one element of the plan."""

    def __init__(self, node: Node, children: Mapping[str, tuple[_Branch, ...]]) -> None:
        verbatim = node.declaration.type_name in _VERBATIM_TYPES
        self._path = node.path
        self._is_root = not node.path
        self._children = children
        self._constants = node.constants
        self._constant = node.constant
        self._text = _Slot(node.text, verbatim=verbatim) if node.text else None
        self._attributes = {
            name: _Slot(binding, verbatim=False) for name, binding in node.attributes.items()
        }
        self._format = FORMATS.get(node.text.codec) if node.text else None
        self._wrapper = node.wrapper.tag if node.wrapper else None

    def read(
        self, element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        """Read ``element`` into ``record``, whose document path is ``prefix``."""
        attributes = element.items()
        if attributes:
            self._read_attributes(attributes, reading, record, prefix)
        if self._text is not None:
            text = self._text_of(element, reading, prefix)
            if text is not None:
                self._text.put(reading, record, prefix, text)
        elif self._constant is not None:
            self._check_constant(self._constant, element.text or "", reading, prefix)
            self._check_childless(element, reading, prefix)
        else:
            self.read_children(element, reading, record, prefix)

    def read_children(
        self, element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        """Read every child of ``element``; complain about those without a place."""
        seen: set[_Branch] = set()
        for child in element:
            branch = self._branch(child)
            if branch is None:
                self._refuse_child(child, reading, prefix)
            elif branch.group_key:
                branch.read_member(child, reading, record, prefix)
            elif branch in seen:
                reading.complain(complaints.REPEATED_ELEMENT, prefix, _spelled(child))
            else:
                seen.add(branch)
                branch.reader.read(child, reading, record, prefix)

    def _refuse_child(self, child: etree._Element, reading: Reading, prefix: str) -> None:
        if self._is_root and child.tag == _SIGNATURE:
            return
        name = f"{self._path}/{_spelled(child)}".lstrip("/")
        reading.complain(complaints.UNREAD_ELEMENT, prefix, name[-80:])

    def _branch(self, child: etree._Element) -> _Branch | None:
        for branch in self._children.get(str(child.tag), ()):
            if branch.admits(child):
                return branch
        return None

    def _read_attributes(
        self,
        attributes: list[tuple[str, str]],
        reading: Reading,
        record: dict[str, Any],
        prefix: str,
    ) -> None:
        for name, value in attributes:
            slot = self._attributes.get(name)
            if slot is not None:
                slot.put(reading, record, prefix, value)
                continue
            where = f"{self._path}/@{name}"
            wanted = self._constants.get(name)
            if wanted is None:
                reading.complain(complaints.UNREAD_ATTRIBUTE, prefix, where)
            elif wanted != value:
                reading.complain(complaints.WRONG_CONSTANT, prefix, where, wanted, value)

    def _text_of(self, element: etree._Element, reading: Reading, prefix: str) -> str | None:
        if self._wrapper is None:
            self._check_childless(element, reading, prefix)
            return element.text or ""
        inner = element[0] if len(element) else None
        fits = (
            len(element) == 1
            and inner is not None
            and inner.tag == self._wrapper
            and len(inner) == 0
            and inner.items() == ([("format", self._format)] if self._format else [])
        )
        if inner is None or not fits:
            found = _spelled_with_format(inner)
            reading.complain(complaints.WRONG_CONSTANT, prefix, self._path, self._expected(), found)
            return None
        return inner.text or ""

    def _expected(self) -> str:
        form = f" format={self._format}" if self._format else ""
        return f"{(self._wrapper or '').rpartition('}')[2]}{form}"

    def _check_childless(self, element: etree._Element, reading: Reading, prefix: str) -> None:
        if len(element):
            name = f"{self._path}/{_spelled(element[0])}"
            reading.complain(complaints.UNREAD_ELEMENT, prefix, name)

    def _check_constant(self, constant: Constant, text: str, reading: Reading, prefix: str) -> None:
        text = _SPACE.sub(" ", text).strip(" ")
        accepted = text == constant.text or (
            constant.accepts is not None and constant.accepts.fullmatch(text)
        )
        if not accepted:
            reading.complain(complaints.WRONG_CONSTANT, prefix, self._path, constant.text, text)


class _Branch:
    """Is one of the elements that a tag may be, told apart by constant predicates."""

    def __init__(self, node: Node, anatomy: Anatomy) -> None:
        self.reader = _element_reader(node, anatomy)
        self._empty = _without_members(node, anatomy)
        self._predicates = node.step.predicates
        self.group_key = node.group_steps[-1] if node.group else ""
        self._group_parents = node.group_steps[:-1]
        self._group_shown = ".".join(node.group_steps)
        self._members_are_values = bool(node.group) and not anatomy.is_record(node.anchor)

    def admits(self, element: etree._Element) -> bool:
        """Whether ``element`` is the one meant."""
        for predicate in self._predicates:
            found = (
                element.get(predicate.subject)
                if predicate.is_attribute
                else element.findtext(predicate.subject)
            )
            if found is None or found.strip(" \t\r\n") != predicate.value:
                return False
        return True

    def read_member(
        self, element: etree._Element, reading: Reading, record: dict[str, Any], prefix: str
    ) -> None:
        """Read one member of a repetition and append it."""
        for parent in self._group_parents:
            record = record.setdefault(parent, {})
        members = record.get(self.group_key)
        if not members:
            members = record[self.group_key] = []
            reading.repeated.append((record, self.group_key))
        member: dict[str, Any] = dict(self._empty)
        path = f"{prefix}{self._group_shown}[{len(members)}]."
        members.append(member)
        self.reader.read(element, reading, member, path)
        if self._members_are_values:
            members[-1] = member.get("", "")


def _without_members(node: Node, anatomy: Anatomy) -> dict[str, Any]:
    """Return the empty tuples that a record has before its elements are read."""
    return dict.fromkeys(anatomy.required_tuples(node.anchor), ())


def _element_reader(node: Node, anatomy: Anatomy) -> _ElementReader:
    children: dict[str, tuple[_Branch, ...]] = {}
    if node.text is None:
        for child in node.children:
            children[child.step.tag] = (*children.get(child.step.tag, ()), _Branch(child, anatomy))
    return _ElementReader(node, children)


def compile_reader(root: Node, anatomy: Anatomy) -> Callable[[etree._Element], Reading]:
    """Return the function that reads a message's root element.

    Signatures below the root are passed over; they are the business of ``gateway.trust``.
    """
    reader = _element_reader(root, anatomy)
    empty = _without_members(root, anatomy)

    def read(element: etree._Element) -> Reading:
        reading = Reading(values=dict(empty))
        reader.read_children(element, reading, reading.values, "")
        reading.settle()
        return reading

    return read


def _spelled(element: etree._Element) -> str:
    return etree.QName(element).localname


def _spelled_with_format(element: etree._Element | None) -> str:
    if element is None:
        return "–"
    form = element.get("format")
    return _spelled(element) + (f" format={form}" if form else "")
