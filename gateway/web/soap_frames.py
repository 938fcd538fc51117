"""The frame of SOAP answers and faults in both versions, for every entrance that speaks SOAP."""

from __future__ import annotations

from flask import Response
from lxml import etree

from gateway.errors import GatewayError, MustUnderstandError, SoapVersionError
from gateway.transport.port import SoapVersion
from gateway.transport.soap_contract import SOAP_MEDIA_TYPES, SOAP_NAMESPACES, XML_NS
from gateway.xml.parsing import serialize


def answer_frame(version: SoapVersion, payload: etree._Element) -> bytes:
    """Return the SOAP message with ``payload`` as the one child of its body."""
    frame = SOAP_NAMESPACES[version]
    root = etree.Element(f"{{{frame}}}Envelope", nsmap={"soap": frame})
    etree.SubElement(root, f"{{{frame}}}Body").append(payload)
    return serialize(root)


def fault_frame(version: SoapVersion, error: GatewayError, detail: etree._Element) -> bytes:
    """Return the SOAP fault for ``error``.

    Args:
        detail: the typed detail of the contract; its namespace is that of the subcode.
    """
    frame, own = SOAP_NAMESPACES[version], etree.QName(detail).namespace or ""
    fault = etree.Element(f"{{{frame}}}Fault", nsmap={"soap": frame, "gw": own})
    text = printable(f"{error.code}: {error.detail}")
    if version is SoapVersion.SOAP_11:
        etree.SubElement(fault, "faultcode").text = f"soap:{_code(version, error)}"
        etree.SubElement(fault, "faultstring").text = text
        etree.SubElement(fault, "detail").append(detail)
    else:
        code = etree.SubElement(fault, f"{{{frame}}}Code")
        etree.SubElement(code, f"{{{frame}}}Value").text = f"soap:{_code(version, error)}"
        subcode = etree.SubElement(code, f"{{{frame}}}Subcode")
        etree.SubElement(subcode, f"{{{frame}}}Value").text = f"gw:{error.code}"
        reason = etree.SubElement(etree.SubElement(fault, f"{{{frame}}}Reason"), f"{{{frame}}}Text")
        reason.set(f"{{{XML_NS}}}lang", "en")
        reason.text = text
        etree.SubElement(fault, f"{{{frame}}}Detail").append(detail)
    return answer_frame(version, fault)


def bound_status(version: SoapVersion, error: GatewayError) -> int:
    """Return the HTTP status that the SOAP binding gives to a fault."""
    if version is SoapVersion.SOAP_11:
        return 500
    if error.http_status < 500:
        return 400
    return error.http_status if error.http_status == 503 else 500


def version_of_media_type(media_type: str) -> SoapVersion | None:
    """Return the SOAP version that a content type stands for, or None."""
    return next((key for key, value in SOAP_MEDIA_TYPES.items() if value == media_type), None)


def soap_response(version: SoapVersion, body: bytes, status: int) -> Response:
    """Return the HTTP response that carries a SOAP message."""
    return Response(body, status, content_type=f"{SOAP_MEDIA_TYPES[version]}; charset=utf-8")


def attribute_text(text: str) -> bytes:
    """Return ``text`` as it may stand in an attribute of XML."""
    for char, escaped in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(char, escaped)
    return text.encode("ascii", "xmlcharrefreplace")


def printable(text: str) -> str:
    """Return ``text`` with what XML cannot carry replaced (details may quote hostile input)."""
    return "".join(
        char
        if char in "\t\n"
        or (" " <= char < "\ud800")
        or ("\ue000" <= char < "\ufffe")
        or char > "\uffff"
        else "\ufffd"
        for char in text
    )


def _code(version: SoapVersion, error: GatewayError) -> str:
    if isinstance(error, SoapVersionError):
        return "VersionMismatch"
    if isinstance(error, MustUnderstandError):
        return "MustUnderstand"
    is_callers = error.http_status < 500
    if version is SoapVersion.SOAP_11:
        return "Client" if is_callers else "Server"
    return "Sender" if is_callers else "Receiver"
