"""The SOAP channel: zeep writes the request from our WSDL; our own code carries and reads.

zeep never fetches anything, parses no byte of a peer and verifies nothing: requests travel
through ``gateway.transport.http``, answers through the hardened parser and the contract's
schema (docs/decisions/0006-zeep-writes-only.md).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar

from lxml import etree
from pydantic import ValidationError
from zeep import Client, Settings
from zeep.transports import Transport as ZeepTransport

from gateway.documents.codes import Verdict
from gateway.errors import BadAnswerError, InputError, TransportError
from gateway.transport.answers import PROBLEM_MEDIA_TYPE, peer_fault, unwelcome
from gateway.transport.http import HttpAnswer, HttpClient
from gateway.transport.port import (
    Answer,
    Collected,
    Confirmed,
    Decline,
    Declined,
    PeerEndpoint,
    PingAnswer,
    Planned,
    SoapVersion,
    StatusAnswer,
    WaitingEnvelope,
)
from gateway.transport.soap_contract import (
    GATEWAY_NS,
    SOAP_MEDIA_TYPES,
    SOAP_NAMESPACES,
    child_text,
    qualified,
    read_frame,
    require_contract,
    wsdl_path,
)
from gateway.xml.parsing import serialize

_BINDINGS: Final[Mapping[SoapVersion, str]] = MappingProxyType(
    {
        SoapVersion.SOAP_11: f"{{{GATEWAY_NS}}}GatewaySoap11",
        SoapVersion.SOAP_12: f"{{{GATEWAY_NS}}}GatewaySoap12",
    }
)

AnswerT = TypeVar("AnswerT", bound=Answer)


class _NoNetwork(ZeepTransport):
    """Refuses every address: zeep reads our own WSDL file and nothing else."""

    def _load_remote_data(self, url: str) -> bytes:
        raise RuntimeError(f"zeep asked for {url[:200]}; the contract names no other file")


def _contract() -> Any:
    # zeep is untyped: its objects stay in this class, as Any.
    client: Any = Client
    transport: Any = _NoNetwork
    settings = Settings(
        strict=True,
        xml_huge_tree=False,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        force_https=False,
    )
    return client(str(wsdl_path()), transport=transport(), settings=settings).wsdl


@dataclass(frozen=True)
class _Call:
    """Is one operation about to be called."""

    operation: str
    values: Mapping[str, Any]
    answer: str


class SoapTransport:
    """Speaks the SOAP channel with peers, 1.1 or 1.2 as their profile says; thread-safe."""

    def __init__(self, client: HttpClient | None = None) -> None:
        self._client = client or HttpClient()
        self._bindings = _contract().bindings

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the receipt envelope that the peer answers with."""
        answer = self._call(endpoint, _Call("Deliver", {"Envelope": envelope}, "DeliverResponse"))
        return base64.b64decode(child_text(answer, "Receipt") or "")

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Return who answers at ``endpoint``."""
        answer = self._call(endpoint, _Call("Ping", {}, "PingResponse"))
        with_types = tuple(each.text or "" for each in answer.findall(qualified("DocumentType")))
        return _checked(
            PingAnswer,
            identifier=child_text(answer, "Identifier"),
            country=child_text(answer, "Country"),
            software_version=child_text(answer, "SoftwareVersion"),
            time=_moment(child_text(answer, "Time")),
            document_types=with_types,
            versions=tuple(each.text or "" for each in answer.findall(qualified("Version"))),
            maintenance=_planned(answer),
        )

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Return what the peer knows of a message that we sent."""
        asked = {"MessageId": message_id}
        call = _Call("GetMessageStatus", asked, "GetMessageStatusResponse")
        answer = self._call(endpoint, call)
        if child_text(answer, "MessageId") != message_id:
            raise BadAnswerError("the peer states the status of another message")
        verdict, receipt = child_text(answer, "Verdict"), child_text(answer, "Receipt")
        return _checked(
            StatusAnswer,
            message_id=message_id,
            known=child_text(answer, "Known") in ("true", "1"),
            verdict=None if verdict is None else Verdict(verdict),
            received_at=_moment(child_text(answer, "ReceivedAt")),
            receipt=None if receipt is None else base64.b64decode(receipt),
        )

    def collect(self, endpoint: PeerEndpoint, limit: int) -> Collected:
        """Return what waits for us at the peer, at most ``limit`` messages."""
        answer = self._call(endpoint, _Call("Collect", {"Limit": limit}, "CollectResponse"))
        found = tuple(_waiting(each) for each in answer.findall(qualified("Waiting")))
        return _checked(Collected, messages=found)

    def confirm(self, endpoint: PeerEndpoint, message_id: str, receipt: bytes) -> Confirmed:
        """Hand in our receipt for a collected message and return what was recorded."""
        said = {"MessageId": message_id, "Receipt": receipt}
        answer = self._call(endpoint, _Call("Confirm", said, "ConfirmResponse"))
        if child_text(answer, "MessageId") != message_id:
            raise BadAnswerError("the peer confirms another message")
        verdict = Verdict(child_text(answer, "Verdict") or "")
        return _checked(Confirmed, message_id=message_id, verdict=verdict)

    def decline(self, endpoint: PeerEndpoint, message_id: str, why: Decline) -> Declined:
        """Report that a collected message cannot be taken and return what follows."""
        said = {
            "MessageId": message_id,
            "Code": why.code,
            "Detail": why.detail,
            "Retryable": why.retryable,
        }
        answer = self._call(endpoint, _Call("Decline", said, "DeclineResponse"))
        if child_text(answer, "MessageId") != message_id:
            raise BadAnswerError("the peer speaks of another message")
        until = _moment(child_text(answer, "WaitsUntil"))
        return _checked(Declined, message_id=message_id, waits_until=until)

    def close(self) -> None:
        """Close every kept connection."""
        self._client.close()

    def _call(self, endpoint: PeerEndpoint, call: _Call) -> etree._Element:
        binding = self._bindings[_BINDINGS[endpoint.soap_version]]
        message = serialize(binding.get(call.operation).create(**call.values).content)
        headers = _headers(endpoint.soap_version, f"{GATEWAY_NS}:{call.operation}")
        answer = self._client.exchange(
            endpoint, "POST", endpoint.url, headers=headers, body=message
        )
        return _payload(answer, endpoint.soap_version, call.answer)


def _planned(answer: etree._Element) -> tuple[Planned, ...] | None:
    """Return what a gateway has announced, as it stands in its answer to a ping."""
    found = answer.findall(qualified("Maintenance"))
    said = tuple(
        _checked(
            Planned,
            begins_at=_moment(child_text(each, "BeginsAt")),
            ends_at=_moment(child_text(each, "EndsAt")),
            note={
                note.get("language") or "": note.text or ""
                for note in each.findall(qualified("Note"))
            },
        )
        for each in found
    )
    return said or None


def _headers(version: SoapVersion, action: str) -> dict[str, str]:
    media_type = SOAP_MEDIA_TYPES[version]
    accept = {"Accept": f"{media_type}, {PROBLEM_MEDIA_TYPE}"}
    if version is SoapVersion.SOAP_11:
        return accept | {
            "Content-Type": f"{media_type}; charset=utf-8",
            "SOAPAction": f'"{action}"',
        }
    return accept | {"Content-Type": f'{media_type}; charset=utf-8; action="{action}"'}


def _payload(answer: HttpAnswer, version: SoapVersion, expected: str) -> etree._Element:
    """Return the checked answer element, or raise what the answer amounts to."""
    if answer.media_type not in SOAP_MEDIA_TYPES.values() or not answer.body:
        raise unwelcome(answer)
    try:
        message = read_frame(answer.body)
    except InputError as exc:
        if answer.status != 200:
            raise unwelcome(answer) from exc
        raise BadAnswerError(f"the SOAP answer cannot be read: {exc.detail}") from exc
    if message.payload.tag == f"{{{SOAP_NAMESPACES[message.version]}}}Fault":
        raise _fault(message.payload, answer)
    if answer.status != 200:
        raise unwelcome(answer)
    try:
        require_contract(message.payload)
    except InputError as exc:
        raise BadAnswerError(f"the SOAP answer breaks the contract: {exc.detail}") from exc
    if message.version is not version or message.payload.tag != qualified(expected):
        raise BadAnswerError(f"the SOAP answer is no {expected} in SOAP {version}")
    return message.payload


def _fault(fault: etree._Element, answer: HttpAnswer) -> TransportError:
    """Return the error for a SOAP fault; its typed detail counts where it has one."""
    detail = fault.find(f".//{qualified('GatewayFault')}")
    if detail is not None:
        retryable = {"true": True, "1": True, "false": False, "0": False}.get(
            (child_text(detail, "Retryable") or "").strip()
        )
        return peer_fault(
            child_text(detail, "Code"),
            child_text(detail, "Detail"),
            retryable=retryable,
            answer=answer,
        )
    reasons = [each for each in fault.iter() if etree.QName(each).localname in _REASONS]
    said = " ".join((each.text or "").strip() for each in reasons)
    return peer_fault(None, said or "a SOAP fault without text", retryable=None, answer=answer)


_REASONS: Final = frozenset({"faultcode", "faultstring", "Value", "Text"})


def _waiting(element: etree._Element) -> WaitingEnvelope:
    return _checked(
        WaitingEnvelope,
        message_id=child_text(element, "MessageId"),
        envelope=base64.b64decode(child_text(element, "Envelope") or ""),
        lease_until=_moment(child_text(element, "LeaseUntil")),
    )


def _moment(stated: str | None) -> datetime | None:
    if stated is None:
        return None
    try:
        return datetime.fromisoformat(stated.strip())
    except ValueError as exc:
        raise BadAnswerError("the SOAP answer holds a time that does not exist") from exc


def _checked(kind: type[AnswerT], **values: Any) -> AnswerT:
    try:
        return kind(**values)
    except ValidationError as exc:
        raise BadAnswerError(f"the answer is no {kind.__name__}") from exc
