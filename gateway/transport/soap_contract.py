"""The SOAP contract, from ``schemas/wsdl/eco-gateway.wsdl``: names, body check, envelopes.

Both sides use it: the transport as client, ``gateway.web.peer`` as server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lxml import etree

from gateway.errors import (
    MalformedXmlError,
    MustUnderstandError,
    SchemaError,
    SoapVersionError,
    UnknownOperationError,
)
from gateway.resources import data_path
from gateway.transport.port import SoapVersion
from gateway.xml.namespaces import ECO_BASE, MAJOR_VERSION
from gateway.xml.parsing import XmlLimits, parse

GATEWAY_NS: Final = f"{ECO_BASE}:Gateway:{MAJOR_VERSION}"
XML_NS: Final = "http://www.w3.org/XML/1998/namespace"

SOAP_NAMESPACES: Final[Mapping[SoapVersion, str]] = MappingProxyType(
    {
        SoapVersion.SOAP_11: "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion.SOAP_12: "http://www.w3.org/2003/05/soap-envelope",
    }
)
SOAP_MEDIA_TYPES: Final[Mapping[SoapVersion, str]] = MappingProxyType(
    {SoapVersion.SOAP_11: "text/xml", SoapVersion.SOAP_12: "application/soap+xml"}
)
SOAP_LIMITS: Final = XmlLimits(max_bytes=24_000_000, max_depth=16, max_nodes=20_000)
"""A SOAP message is flat: one base64 text, or a fault with its findings."""

_XS: Final = "http://www.w3.org/2001/XMLSchema"
_FINAL_ROLES: Final = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)


@dataclass(frozen=True)
class SoapMessage:
    """Is a SOAP message whose frame was checked.

    Attributes:
        payload: the one child of the body; not yet checked against the contract.
        headers: the blocks of the header, mandatory ones only if the reader knows them.
    """

    version: SoapVersion
    payload: etree._Element
    headers: tuple[etree._Element, ...] = ()


def wsdl_path() -> Path:
    """Return the path of the contract that ships with the gateway."""
    return data_path("schemas", "wsdl", "eco-gateway.wsdl")


@cache
def wsdl_bytes() -> bytes:
    """Return the contract as it stands in the file."""
    return wsdl_path().read_bytes()


def qualified(name: str) -> str:
    """Return the name of an element of the contract, for lxml."""
    return f"{{{GATEWAY_NS}}}{name}"


def read_frame(
    raw: bytes, limits: XmlLimits = SOAP_LIMITS, *, understood: Collection[str] = ()
) -> SoapMessage:
    """Return version, header blocks and payload of a SOAP message.

    Args:
        understood: names of header blocks that the caller reads, in lxml's notation.

    Raises:
        UnsafeXmlError, MalformedXmlError, TooLargeError: see ``gateway.xml.parsing.parse``.
        SoapVersionError: an Envelope, but of no version that is spoken here.
        MustUnderstandError: a header block for us demands to be understood.
        UnknownOperationError: the body has no or more than one child.
    """
    root = parse(raw, limits)
    version = version_of(root)
    frame = SOAP_NAMESPACES[version]
    headers = tuple(block for each in root.iterchildren(f"{{{frame}}}Header") for block in each)
    _refuse_mandatory_headers(headers, frame, understood)
    bodies = list(root.iterchildren(f"{{{frame}}}Body"))
    if len(bodies) != 1 or root[-1] is not bodies[0]:
        raise MalformedXmlError("a SOAP envelope ends with its one Body")
    children = list(bodies[0])
    if len(children) != 1:
        raise UnknownOperationError(f"the Body has {len(children)} children, not exactly one")
    return SoapMessage(version, children[0], headers)


def version_of(root: etree._Element) -> SoapVersion:
    """Return the SOAP version of an envelope, by its namespace.

    Raises:
        SoapVersionError: an Envelope of another namespace.
        MalformedXmlError: no Envelope at all.
    """
    name = etree.QName(root)
    if name.localname != "Envelope":
        raise MalformedXmlError("the document is no SOAP envelope")
    for version, namespace in SOAP_NAMESPACES.items():
        if name.namespace == namespace:
            return version
    raise SoapVersionError("the envelope is neither SOAP 1.1 nor SOAP 1.2")


def require_contract(payload: etree._Element) -> None:
    """Check a body child against the schema of the contract, before anything reads it.

    Raises:
        SchemaError: it does not follow the contract; the detail says where.
    """
    _SCHEMA.require(payload)


def child_text(payload: etree._Element, name: str) -> str | None:
    """Return the text of a child of a checked payload, or None where it is absent."""
    found = payload.find(qualified(name))
    return None if found is None else (found.text or "")


class ContractSchema(threading.local):
    """Is the schema in a WSDL, compiled once per thread: a shared one mixes error logs."""

    def __init__(self, wsdl: Callable[[], bytes], namespace: str) -> None:
        self._wsdl = wsdl
        self._namespace = namespace
        self._compiled: etree.XMLSchema | None = None

    def require(self, payload: etree._Element) -> None:
        """Return if an element follows the schema.

        Raises:
            SchemaError: it does not; the detail says where.
        """
        schema = self._of_this_thread()
        if not schema.validate(payload):
            first = schema.error_log[0] if len(schema.error_log) else None
            reason = first.message.replace(f"{{{self._namespace}}}", "") if first else ""
            raise SchemaError(f"the SOAP body does not follow the WSDL: {reason[:300]}")

    def _of_this_thread(self) -> etree.XMLSchema:
        if self._compiled is None:
            types = parse(self._wsdl()).find(f".//{{{_XS}}}schema")
            if types is None:
                raise RuntimeError("the WSDL that ships with the gateway has no schema")
            self._compiled = etree.XMLSchema(types)
        return self._compiled


_SCHEMA = ContractSchema(wsdl_bytes, GATEWAY_NS)


def _refuse_mandatory_headers(
    headers: tuple[etree._Element, ...], frame: str, understood: Collection[str]
) -> None:
    for entry in headers:
        role = entry.get(f"{{{frame}}}role", entry.get(f"{{{frame}}}actor", ""))
        demand = entry.get(f"{{{frame}}}mustUnderstand", "0").strip()
        mandatory = demand not in ("0", "false") and role in _FINAL_ROLES
        if mandatory and entry.tag not in understood:
            name = etree.QName(entry).localname
            raise MustUnderstandError(f"the SOAP header {name[:70]} is not read here")
