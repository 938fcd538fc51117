"""What a message schema says about elements: children in order, how often, which attributes.

Read once from our own XSD files, so that a mapping table needs no order of its own and can be
checked against the schema.  Reads the XSD subset that ``schemas/uncefact`` is written in; it
validates nothing (see ``gateway.xml.schema``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.errors import MappingError

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
UNBOUNDED: Final = 1_000_000_000


@dataclass(frozen=True)
class Structure:
    """Is the structure of one XSD complex type.

    Attributes:
        name: Clark name; empty for a type without name.
        children: declarations by Clark tag, in schema order.
        attributes: attribute name to whether it is required.
        has_text: elements of this type hold text.
    """

    name: str
    children: Mapping[str, Declaration] = field(default_factory=dict)
    attributes: Mapping[str, bool] = field(default_factory=dict)
    has_text: bool = False

    def position(self, tag: str) -> int:
        """Return the place of ``tag`` among the children, counted from 0."""
        return list(self.children).index(tag)


@dataclass(frozen=True)
class Declaration:
    """Is the declaration of one element: where it may stand and how often."""

    tag: str
    type_name: str
    least: int
    most: int
    _structures: Mapping[str, Structure] = field(repr=False, compare=False)

    @property
    def structure(self) -> Structure:
        """Return the structure of the element's type; a plain text type when simple."""
        return self._structures.get(self.type_name) or Structure(self.type_name, has_text=True)


@dataclass(frozen=True)
class Blueprint:
    """Is everything that one schema file and its imports declare."""

    roots: Mapping[str, Declaration]
    structures: Mapping[str, Structure]

    @classmethod
    def load(cls, path: Path) -> Blueprint:
        """Return the blueprint of the schema at ``path``.

        Raises:
            MappingError: the schema cannot be read.
        """
        roots: dict[str, Declaration] = {}
        structures: dict[str, Structure] = {}
        for schema in schemas_of(path):
            _Reader(schema, structures).read_into(roots)
        return cls(roots, structures)


def schemas_of(path: Path) -> Iterator[etree._Element]:
    """Yield the root of a schema file and of each that it imports.

    Raises:
        MappingError: a file cannot be read.
    """
    yield from _schemas(path.resolve(), set())


def _schemas(path: Path, seen: set[Path]) -> Iterator[etree._Element]:
    if path in seen:
        return
    seen.add(path)
    try:
        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
    except (OSError, etree.XMLSyntaxError) as exc:
        raise MappingError(f"{path}: the schema cannot be read ({exc})") from exc
    yield root.getroot()
    for reference in root.getroot().iterchildren(f"{_XS}import", f"{_XS}include"):
        yield from _schemas((path.parent / reference.get("schemaLocation", "")).resolve(), seen)


class _Reader:
    """Reads one schema element into the shared table of structures."""

    def __init__(self, schema: etree._Element, structures: dict[str, Structure]) -> None:
        self._schema = schema
        self._namespace = schema.get("targetNamespace", "")
        self._structures = structures

    def read_into(self, roots: dict[str, Declaration]) -> None:
        for element in self._schema.iterchildren(f"{_XS}element"):
            declaration = self._declaration(element)
            roots[declaration.tag] = declaration
        for definition in self._schema.iterchildren(f"{_XS}complexType"):
            name = self._own(definition.get("name", ""))
            self._structures[name] = self._structure(name, definition)

    def _structure(self, name: str, definition: etree._Element) -> Structure:
        declarations = (self._declaration(e) for e in _elements_of(definition))
        return Structure(
            name=name,
            children={declaration.tag: declaration for declaration in declarations},
            attributes={
                attribute.get("name", ""): attribute.get("use") == "required"
                for attribute in _attributes_of(definition)
            },
            has_text=definition.find(f"{_XS}simpleContent") is not None,
        )

    def _declaration(self, element: etree._Element) -> Declaration:
        reference = element.get("ref")
        tag = self._resolve(element, reference) if reference else self._own(element.get("name", ""))
        inline = element.find(f"{_XS}complexType")
        if inline is not None:
            type_name = f"{tag}@{self._namespace}#{element.sourceline}"
            self._structures[type_name] = self._structure("", inline)
        else:
            type_name = self._resolve(element, element.get("type", "")) if not reference else tag
        most = element.get("maxOccurs", "1")
        return Declaration(
            tag=tag,
            type_name=type_name,
            least=0 if _is_choice(element.getparent()) else int(element.get("minOccurs", "1")),
            most=UNBOUNDED if most == "unbounded" else int(most),
            _structures=self._structures,
        )

    def _own(self, name: str) -> str:
        return f"{{{self._namespace}}}{name}"

    def _resolve(self, element: etree._Element, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{element.nsmap.get(prefix or None, '')}}}{local}"


def _elements_of(definition: etree._Element) -> Iterator[etree._Element]:
    for child in definition:
        if child.tag == f"{_XS}element":
            yield child
        elif child.tag in (f"{_XS}sequence", f"{_XS}choice"):
            yield from _elements_of(child)


def _is_choice(parent: etree._Element | None) -> bool:
    return parent is not None and parent.tag == f"{_XS}choice"


def _attributes_of(definition: etree._Element) -> Iterator[etree._Element]:
    yield from definition.iterchildren(f"{_XS}attribute")
    for extension in definition.iterfind(f"{_XS}simpleContent/{_XS}extension"):
        yield from extension.iterchildren(f"{_XS}attribute")
