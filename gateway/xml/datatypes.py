"""The data types of our schemas in words: what text and which attributes an element may hold.

Like the blueprint it reads the XSD subset that ``schemas/uncefact`` is written in, and
validates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lxml import etree

from gateway.xml.mapping.blueprint import schemas_of
from gateway.xml.namespaces import (
    DS_NS,
    ECO_BASE,
    ENVELOPE_NS,
    EXC_C14N_NS,
    MESSAGE_PREFIXES,
    SBDH_NS,
)

_XS_NS: Final = "http://www.w3.org/2001/XMLSchema"
_XS: Final = f"{{{_XS_NS}}}"
_PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        _XS_NS: "xs",
        DS_NS: "ds",
        SBDH_NS: "sbdh",
        EXC_C14N_NS: "ec",
        ENVELOPE_NS: "eco",
        f"{ECO_BASE}:Limits:1": "limit",
        **{namespace: prefix for prefix, namespace in MESSAGE_PREFIXES.items()},
    }
)
_FACETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pattern": "pattern {}",
        "minInclusive": "from {}",
        "maxInclusive": "to {}",
        "totalDigits": "at most {} digits",
        "fractionDigits": "at most {} of them after the point",
    }
)


@dataclass(frozen=True, kw_only=True)
class DataType:
    """Is one named type that holds text.

    Attributes:
        name: with its prefix, as ``udt:IDType``.
        base: the type that it narrows or extends.
        facets: what it demands beyond that, in words.
        attributes: each with its type, and ``*`` where it is obligatory.
        contains: the only element inside, for types that wrap their text; else empty.
    """

    name: str
    base: str
    facets: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    contains: str = ""


def data_types(schema: Path) -> tuple[DataType, ...]:
    """Return the types that hold text, of a schema file and all that it imports, by name.

    Raises:
        MappingError: a file cannot be read.
    """
    found: dict[str, DataType] = {}
    for root in schemas_of(schema):
        namespace = root.get("targetNamespace", "")
        for definition in root.iterchildren(f"{_XS}simpleType", f"{_XS}complexType"):
            made = _data_type(definition, prefixed(f"{{{namespace}}}{definition.get('name')}"))
            if made is not None:
                found[made.name] = made
    return tuple(found[name] for name in sorted(found))


def prefixed(name: str) -> str:
    """Return a Clark name with the prefix that the documentation uses."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    return f"{_PREFIXES.get(namespace, 'rsm')}:{local}"


def _data_type(definition: etree._Element, name: str) -> DataType | None:
    restriction = definition.find(f"{_XS}restriction")
    if restriction is not None:
        return DataType(name=name, base=_base(restriction), facets=tuple(_facets(restriction)))
    extension = definition.find(f"{_XS}simpleContent/{_XS}extension")
    if extension is not None:
        return DataType(name=name, base=_base(extension), attributes=tuple(_attributes(extension)))
    inner = definition.findall(f"{_XS}sequence/{_XS}element")
    if len(inner) != 1 or inner[0].get("type", "").startswith("ram:"):
        return None
    text = inner[0].find(f".//{_XS}extension")
    if text is None and not inner[0].get("type", "").startswith("xs:"):
        return None
    holder = inner[0] if text is None else text
    prefix = name.partition(":")[0]
    return DataType(
        name=name,
        base=inner[0].get("type") or _base(holder),
        attributes=tuple(_attributes(holder)),
        contains=f"{prefix}:{inner[0].get('name')}",
    )


def _base(element: etree._Element) -> str:
    return element.get("base", "")


def _facets(restriction: etree._Element) -> Iterator[str]:
    options = [each.get("value", "") for each in restriction.iterchildren(f"{_XS}enumeration")]
    if options:
        yield f"one of {', '.join(options)}"
    said = {
        etree.QName(each).localname: each.get("value", "")
        for each in restriction
        if isinstance(each.tag, str)
    }
    unit = "bytes" if restriction.get("base") == "xs:base64Binary" else "characters"
    if "maxLength" in said:
        yield f"{said.get('minLength', '0')} to {said['maxLength']} {unit}"
    if "length" in said:
        yield f"exactly {said['length']} {unit}"
    yield from (words.format(said[name]) for name, words in _FACETS.items() if name in said)


def _attributes(holder: etree._Element) -> Iterator[str]:
    for each in holder.iterchildren(f"{_XS}attribute"):
        mark = "*" if each.get("use") == "required" else ""
        yield f"{each.get('name')}{mark}: {each.get('type')}"
