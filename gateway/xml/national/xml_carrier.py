"""National files in XML: one document, or many below a root element.

Parsing is ``gateway.xml.parsing``'s; an element in the format's namespace goes by its local
name, one in another declared namespace as ``prefix:name``, an attribute as ``@name``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from lxml import etree

from gateway.documents.findings import Finding
from gateway.errors import InputError
from gateway.xml.national.carrier import SourceFile, SourceRecord, refuse_keys, require_size
from gateway.xml.national.marks import Marked
from gateway.xml.national.rows import Section
from gateway.xml.national.sources import path_of
from gateway.xml.national.texts import Problem, UnfitError, finding
from gateway.xml.national.tree import Location, Node, NodeKind, SourcePath
from gateway.xml.national.unread import around_findings
from gateway.xml.parsing import parse, serialize

KEYS = frozenset({"kind", "namespace", "prefixes"})


@dataclass(frozen=True)
class XmlCarrier:
    """Is the XML carrier.

    Section keys: ``root`` names the outermost element; ``record`` the element below it that
    holds one document (left out: the outermost element itself); ``around`` fixed texts.
    """

    kind: ClassVar[str] = "xml"
    keys: ClassVar[frozenset[str]] = KEYS
    namespace: str = ""
    prefixes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, marked: Marked) -> Self:
        """Return the carrier that ``carrier:`` describes.

        Raises:
            FaultyMapping: a key is not known.
        """
        keys = marked.keys(cls.keys, ("kind",))
        prefixes = keys["prefixes"].mapping() if "prefixes" in keys else {}
        return cls(
            keys["namespace"].text() if "namespace" in keys else "",
            {name: value.text() for name, value in prefixes.items()},
        )

    def check(self, mark: Marked, section: Section) -> None:
        """Refuse what XML does not know, and a section without root."""
        refuse_keys(mark, ("type_column", "types", "key", "lines", "columns"), self.kind)
        if "root" not in section.layout:
            raise mark.error('the key "root" is missing', "Name the outermost element")
        if section.around and "record" not in section.layout:
            raise mark.error("around: needs record:", "Name the element of one document")
        keys = mark.mapping()
        for key in ("root", "record"):
            if key in keys and len(path_of(keys[key], self.kind).steps) != 1:
                raise keys[key].error(f'"{keys[key].text()}" is no element name', "Write one name")

    def read(self, raw: bytes, section: Section) -> SourceFile:
        """Return one record per element that holds a document."""
        require_size(raw)
        try:
            root = parse(raw)
        except InputError as exc:
            raise UnfitError(Problem.UNREADABLE, reason=f"{exc.code}: {exc.detail}") from exc
        found, expected = self._name(str(root.tag)), section.layout["root"]
        if found != expected:
            raise UnfitError(Problem.MISPLACED, expected=f"<{expected}>", found=f"<{found}>")
        tree = self._node(root, "/" + found)
        record = section.layout.get("record")
        if record is None:
            return SourceFile((_record(tree),))
        documents = tree.children.pop(record, [])
        findings = tuple(around_findings(tree, section))
        return SourceFile(tuple(_record(node) for node in documents), findings)

    def write(self, nodes: Sequence[Node], section: Section) -> bytes:
        """Return the root element with one element per document."""
        record = section.layout.get("record")
        if record is None:
            outer = nodes[0]
        else:
            outer = Node("")
            for written, text in section.around.items():
                placed = SourcePath.parse(written).place(outer, outer)
                placed.kind, placed.text = NodeKind.TEXT, text
            for node in nodes:
                node.name = record
                outer.add(node)
        return serialize(self._element(section.layout["root"], outer))

    def _name(self, tag: str) -> str:
        qualified = etree.QName(tag)
        namespace = qualified.namespace or ""
        if namespace == self.namespace:
            return qualified.localname
        for prefix, uri in self.prefixes.items():
            if uri == namespace:
                return f"{prefix}:{qualified.localname}"
        return tag

    def _node(self, element: etree._Element, pointer: str) -> Node:
        line = element.sourceline if isinstance(element.sourceline, int) else None
        node = Node(self._name(str(element.tag)), location=Location(line, pointer))
        for attribute, value in element.attrib.items():
            name = "@" + self._attribute_name(str(attribute))
            here = Location(line, f"{pointer}/{name}")
            node.add(Node(name, NodeKind.TEXT, str(value), here))
        counts: dict[str, int] = {}
        for child in element:
            name = self._name(str(child.tag))
            counts[name] = counts.get(name, 0) + 1
            node.add(self._node(child, f"{pointer}/{name}[{counts[name]}]"))
        return _with_text(node, element)

    def _attribute_name(self, name: str) -> str:
        if not name.startswith("{"):
            return name
        known = self._name(name)
        return f"{{{self.namespace}}}{known}" if self.namespace and ":" not in known else known

    def _tag(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        if colon and prefix in self.prefixes:
            return f"{{{self.prefixes[prefix]}}}{local}"
        return f"{{{self.namespace}}}{name}" if self.namespace else name

    def _element(self, name: str, node: Node) -> etree._Element:
        namespaces: dict[str | None, str] = dict(self.prefixes.items())
        if self.namespace:
            namespaces[None] = self.namespace
        element = etree.Element(self._tag(name), nsmap=namespaces)
        self._fill(element, node)
        return element

    def _fill(self, element: etree._Element, node: Node) -> None:
        element.text = node.text
        for name, children in node.children.items():
            for child in children:
                if name.startswith("@"):
                    element.set(self._attribute_tag(name[1:]), child.text or "")
                else:
                    self._fill(etree.SubElement(element, self._tag(name)), child)

    def _attribute_tag(self, name: str) -> str:
        return self._tag(name) if ":" in name else name


def _with_text(node: Node, element: etree._Element) -> Node:
    """Give the node its text: an element with elements inside has none of its own."""
    tails = "".join(child.tail or "" for child in element)
    text = (element.text or "") + tails
    if len(element) == 0:
        node.text = None if node.children and not text.strip() else text
        node.kind = NodeKind.GROUP if node.text is None else NodeKind.TEXT
    elif text.strip():
        node.add(Node("text()", NodeKind.TEXT, text.strip(), node.location))
    return node


def _record(node: Node) -> SourceRecord:
    findings: tuple[Finding, ...] = ()
    if node.text is not None:
        findings = (finding(Problem.NOT_A_GROUP, "", node.location),)
    return SourceRecord(node, findings)
