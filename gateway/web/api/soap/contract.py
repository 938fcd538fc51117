"""The contract as data: values are read from XML and written to it as the schema says.

An element called ``SerialNumber`` carries what JSON calls ``serial_number``; one that may be
repeated carries the members of the list that JSON names in the plural.  What the contract does
not name is not written, so the interface grows only where its file does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lxml import etree

from gateway.resources import data_path
from gateway.transport.soap_contract import ContractSchema
from gateway.web.soap_frames import printable
from gateway.xml.namespaces import ECO_BASE, MAJOR_VERSION
from gateway.xml.parsing import parse

SOAP_PATH: Final = f"/soap/v{MAJOR_VERSION}"
NATIONAL_NS: Final = f"{ECO_BASE}:NationalSide:{MAJOR_VERSION}"
FAULT: Final = "NationalFault"
TEXT: Final = "#text"
"""Names the text of a value that has attributes too."""

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLURALS: Final = {"Entry": "entries"}
_NUMBERS: Final = frozenset({"int", "long"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """Is one child element, or attribute, of a type of the contract.

    Attributes:
        type: local name of its type.
    """

    name: str
    type: str
    repeated: bool = False

    @property
    def key(self) -> str:
        """What JSON calls it."""
        single = _CAPITAL.sub("_", self.name).lower()
        return _PLURALS.get(self.name, f"{single}s") if self.repeated else single


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Is what a type of the contract holds: children in their order, or text with attributes."""

    members: tuple[Member, ...] = ()
    attributes: tuple[Member, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Is the schema of the contract, taken apart.

    Attributes:
        shapes: by name of a complex type, or of an element with a type of its own.
        bases: built-in type by name of a simple one.
    """

    shapes: Mapping[str, Shape]
    bases: Mapping[str, str]


@cache
def wsdl_bytes() -> bytes:
    """Return the contract as it stands in the file."""
    return data_path("schemas", "wsdl", "eco-national.wsdl").read_bytes()


SCHEMA: Final = ContractSchema(wsdl_bytes, NATIONAL_NS)


def qualified(name: str) -> str:
    """Return the name of an element of the contract, for lxml."""
    return f"{{{NATIONAL_NS}}}{name}"


def values_of(payload: etree._Element) -> dict[str, Any]:
    """Return what a checked element says, by the names of JSON."""
    return _read(payload, _contract().shapes[etree.QName(payload).localname])


def element_of(name: str, values: Mapping[str, Any]) -> etree._Element:
    """Return the element ``name`` of the contract that says ``values``, which are JSON's."""
    element = etree.Element(qualified(name), nsmap={"ns": NATIONAL_NS})
    _write(element, _contract().shapes[name], values)
    return element


def _read(element: etree._Element, shape: Shape) -> dict[str, Any]:
    known = _contract()
    values: dict[str, Any] = {}
    for member in shape.members:
        own = known.shapes.get(member.type)
        for child in element.iterchildren(qualified(member.name)):
            value = _plain(child.text or "", member.type) if own is None else _read(child, own)
            if member.repeated:
                values.setdefault(member.key, []).append(value)
            else:
                values[member.key] = value
    return values


def _plain(text: str, type_name: str) -> str | int | bool:
    base = _contract().bases.get(type_name, type_name)
    if base == "string":
        return text
    if base == "boolean":
        return text.strip() in ("true", "1")
    return int(text) if base in _NUMBERS else text.strip()


def _write(element: etree._Element, shape: Shape, values: Mapping[str, Any]) -> None:
    for attribute in shape.attributes:
        if values.get(attribute.key) is not None:
            element.set(attribute.name, printable(str(values[attribute.key])))
    if shape.attributes:
        element.text = _written(values[TEXT])
    for member in shape.members:
        found = values.get(member.key)
        own = _contract().shapes.get(member.type)
        for value in [] if found is None else found if member.repeated else [found]:
            child = etree.SubElement(element, qualified(member.name))
            if own is None:
                child.text = _written(value)
            else:
                _write(child, own, value)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(str(value))


@cache
def _contract() -> Contract:
    schema = parse(wsdl_bytes()).find(f".//{_XS}schema")
    if schema is None:
        raise RuntimeError("the WSDL that ships with the gateway has no schema")
    shapes = {each.get("name", ""): _shape(each) for each in schema.iterchildren(f"{_XS}element")}
    for each in schema.iterchildren(f"{_XS}complexType"):
        shapes[each.get("name", "")] = _shape(each)
    bases = {
        each.get("name", ""): _local(each.find(f"{_XS}restriction"), "base")
        for each in schema.iterchildren(f"{_XS}simpleType")
    }
    return Contract(shapes=shapes, bases=bases)


def _shape(definition: etree._Element) -> Shape:
    return Shape(
        members=tuple(_member(each) for each in definition.iter(f"{_XS}element"))[
            1 if definition.tag == f"{_XS}element" else 0 :
        ],
        attributes=tuple(_member(each) for each in definition.iter(f"{_XS}attribute")),
    )


def _member(declared: etree._Element) -> Member:
    most = declared.get("maxOccurs", "1")
    name = declared.get("name", "")
    return Member(name=name, type=_local(declared, "type"), repeated=most != "1")


def _local(element: etree._Element | None, attribute: str) -> str:
    return "" if element is None else element.get(attribute, "").rpartition(":")[2]
