"""Writing SOAP answers: responses and faults in both versions, by the contract."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Final

from lxml import etree

from gateway.documents.findings import Finding
from gateway.errors import GatewayError, InternalError, MustUnderstandError, SoapVersionError
from gateway.transport.port import (
    Collected,
    Confirmed,
    Declined,
    PingAnswer,
    SoapVersion,
    StatusAnswer,
)
from gateway.transport.soap_contract import GATEWAY_NS, SOAP_NAMESPACES, XML_NS, qualified
from gateway.web.problems import MOST_FINDINGS
from gateway.xml.parsing import serialize

_LANGUAGES: Final = ("en", "fr", "ar")


def deliver_response(version: SoapVersion, receipt: bytes) -> bytes:
    """Return the SOAP message that carries a receipt envelope."""
    answer = _element("DeliverResponse")
    _add(answer, "Receipt", _base64(receipt))
    return _message(version, answer)


def ping_response(version: SoapVersion, said: PingAnswer) -> bytes:
    """Return the SOAP message that says who this gateway is."""
    answer = _element("PingResponse")
    _add(answer, "Identifier", said.identifier)
    _add(answer, "Country", said.country)
    _add(answer, "SoftwareVersion", said.software_version)
    _add(answer, "Time", _stamp(said.time))
    for document_type in said.document_types:
        _add(answer, "DocumentType", document_type)
    for version_of_part in said.versions:
        _add(answer, "Version", version_of_part)
    return _message(version, answer)


def status_response(version: SoapVersion, said: StatusAnswer) -> bytes:
    """Return the SOAP message that says what became of a message."""
    answer = _element("GetMessageStatusResponse")
    _add(answer, "MessageId", said.message_id)
    _add(answer, "Known", _boolean(said.known))
    if said.verdict is not None:
        _add(answer, "Verdict", said.verdict.value)
    if said.received_at is not None:
        _add(answer, "ReceivedAt", _stamp(said.received_at))
    if said.receipt is not None:
        _add(answer, "Receipt", _base64(said.receipt))
    return _message(version, answer)


def collect_response(version: SoapVersion, said: Collected) -> bytes:
    """Return the SOAP message that hands out what waits for the caller."""
    answer = _element("CollectResponse")
    for each in said.messages:
        waiting = _add(answer, "Waiting", None)
        _add(waiting, "MessageId", each.message_id)
        _add(waiting, "Envelope", _base64(each.envelope))
        _add(waiting, "LeaseUntil", _stamp(each.lease_until))
    return _message(version, answer)


def confirm_response(version: SoapVersion, said: Confirmed) -> bytes:
    """Return the SOAP message that says what a receipt was recorded as."""
    answer = _element("ConfirmResponse")
    _add(answer, "MessageId", said.message_id)
    _add(answer, "Verdict", said.verdict.value)
    return _message(version, answer)


def decline_response(version: SoapVersion, said: Declined) -> bytes:
    """Return the SOAP message that says what follows when a message could not be taken."""
    answer = _element("DeclineResponse")
    _add(answer, "MessageId", said.message_id)
    if said.waits_until is not None:
        _add(answer, "WaitsUntil", _stamp(said.waits_until))
    return _message(version, answer)


def fault_message(version: SoapVersion, error: GatewayError) -> bytes:
    """Return the SOAP fault for ``error``, with the typed detail of the contract."""
    frame = SOAP_NAMESPACES[version]
    fault = etree.Element(f"{{{frame}}}Fault", nsmap={"soap": frame, "gw": GATEWAY_NS})
    text = _printable(f"{error.code}: {error.detail}")
    if version is SoapVersion.SOAP_11:
        etree.SubElement(fault, "faultcode").text = f"soap:{_code(version, error)}"
        etree.SubElement(fault, "faultstring").text = text
        etree.SubElement(fault, "detail").append(_detail(error))
    else:
        code = etree.SubElement(fault, f"{{{frame}}}Code")
        etree.SubElement(code, f"{{{frame}}}Value").text = f"soap:{_code(version, error)}"
        subcode = etree.SubElement(code, f"{{{frame}}}Subcode")
        etree.SubElement(subcode, f"{{{frame}}}Value").text = f"gw:{error.code}"
        reason = etree.SubElement(etree.SubElement(fault, f"{{{frame}}}Reason"), f"{{{frame}}}Text")
        reason.set(f"{{{XML_NS}}}lang", "en")
        reason.text = text
        etree.SubElement(fault, f"{{{frame}}}Detail").append(_detail(error))
    return _message(version, fault)


def _code(version: SoapVersion, error: GatewayError) -> str:
    if isinstance(error, SoapVersionError):
        return "VersionMismatch"
    if isinstance(error, MustUnderstandError):
        return "MustUnderstand"
    is_callers = error.http_status < 500
    if version is SoapVersion.SOAP_11:
        return "Client" if is_callers else "Server"
    return "Sender" if is_callers else "Receiver"


def _detail(error: GatewayError) -> etree._Element:
    detail = _element("GatewayFault")
    _add(detail, "Code", error.code)
    _add(detail, "Detail", _printable(error.detail))
    _add(detail, "Retryable", _boolean(error.retryable))
    _add(detail, "Remedy", error.remedy)
    if isinstance(error, InternalError) and error.instance is not None:
        _add(detail, "Instance", error.instance)
    for finding in error.findings[:MOST_FINDINGS]:
        _add_finding(detail, finding)
    return detail


def _add_finding(parent: etree._Element, finding: Finding) -> None:
    element = _add(parent, "Finding", None)
    _add(element, "Rule", finding.rule)
    _add(element, "Severity", finding.severity.value)
    _add(element, "Path", _printable(finding.path))
    if finding.box is not None:
        _add(element, "Box", finding.box)
    if finding.article is not None:
        _add(element, "Article", finding.article)
    for name, sentence in (("Message", finding.message), ("Remedy", finding.remedy)):
        for language in _LANGUAGES:
            text = _printable(sentence.in_language(language))
            _add(element, name, text).set("language", language)


def _message(version: SoapVersion, payload: etree._Element) -> bytes:
    frame = SOAP_NAMESPACES[version]
    root = etree.Element(f"{{{frame}}}Envelope", nsmap={"soap": frame})
    etree.SubElement(root, f"{{{frame}}}Body").append(payload)
    return serialize(root)


def _element(name: str) -> etree._Element:
    return etree.Element(qualified(name), nsmap={"gw": GATEWAY_NS})


def _add(parent: etree._Element, name: str, text: str | None) -> etree._Element:
    element = etree.SubElement(parent, qualified(name))
    element.text = text
    return element


def _printable(text: str) -> str:
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


def _stamp(moment: datetime) -> str:
    return moment.isoformat()


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
