"""Writing SOAP answers: responses and faults in both versions, by the contract."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Final

from lxml import etree

from gateway.documents.findings import Finding
from gateway.errors import GatewayError, InternalError
from gateway.transport.port import (
    Collected,
    Confirmed,
    Declined,
    PingAnswer,
    Planned,
    SoapVersion,
    StatusAnswer,
)
from gateway.transport.soap_contract import GATEWAY_NS, qualified
from gateway.web.problems import MOST_FINDINGS
from gateway.web.soap_frames import answer_frame, fault_frame, printable

_LANGUAGES: Final = ("en", "fr", "ar")


def deliver_response(version: SoapVersion, receipt: bytes) -> bytes:
    """Return the SOAP message that carries a receipt envelope."""
    answer = _element("DeliverResponse")
    _add(answer, "Receipt", _base64(receipt))
    return answer_frame(version, answer)


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
    for planned in said.maintenance or ():
        _add_planned(answer, planned)
    return answer_frame(version, answer)


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
    return answer_frame(version, answer)


def collect_response(version: SoapVersion, said: Collected) -> bytes:
    """Return the SOAP message that hands out what waits for the caller."""
    answer = _element("CollectResponse")
    for each in said.messages:
        waiting = _add(answer, "Waiting", None)
        _add(waiting, "MessageId", each.message_id)
        _add(waiting, "Envelope", _base64(each.envelope))
        _add(waiting, "LeaseUntil", _stamp(each.lease_until))
    return answer_frame(version, answer)


def confirm_response(version: SoapVersion, said: Confirmed) -> bytes:
    """Return the SOAP message that says what a receipt was recorded as."""
    answer = _element("ConfirmResponse")
    _add(answer, "MessageId", said.message_id)
    _add(answer, "Verdict", said.verdict.value)
    return answer_frame(version, answer)


def decline_response(version: SoapVersion, said: Declined) -> bytes:
    """Return the SOAP message that says what follows when a message could not be taken."""
    answer = _element("DeclineResponse")
    _add(answer, "MessageId", said.message_id)
    if said.waits_until is not None:
        _add(answer, "WaitsUntil", _stamp(said.waits_until))
    return answer_frame(version, answer)


def fault_message(version: SoapVersion, error: GatewayError) -> bytes:
    """Return the SOAP fault for ``error``, with the typed detail of the contract."""
    return fault_frame(version, error, _detail(error))


def _detail(error: GatewayError) -> etree._Element:
    detail = _element("GatewayFault")
    _add(detail, "Code", error.code)
    _add(detail, "Detail", printable(error.detail))
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
    _add(element, "Path", printable(finding.path))
    if finding.box is not None:
        _add(element, "Box", finding.box)
    if finding.article is not None:
        _add(element, "Article", finding.article)
    for name, sentence in (("Message", finding.message), ("Remedy", finding.remedy)):
        for language in _LANGUAGES:
            text = printable(sentence.in_language(language))
            _add(element, name, text).set("language", language)


def _add_planned(parent: etree._Element, planned: Planned) -> None:
    element = _add(parent, "Maintenance", None)
    _add(element, "BeginsAt", _stamp(planned.begins_at))
    _add(element, "EndsAt", _stamp(planned.ends_at))
    for language, text in planned.note.items():
        _add(element, "Note", printable(text)).set("language", language)


def _element(name: str) -> etree._Element:
    return etree.Element(qualified(name), nsmap={"gw": GATEWAY_NS})


def _add(parent: etree._Element, name: str, text: str | None) -> etree._Element:
    element = etree.SubElement(parent, qualified(name))
    element.text = text
    return element


def _stamp(moment: datetime) -> str:
    return moment.isoformat()


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
