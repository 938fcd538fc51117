"""The SOAP endpoint: both versions at one address, dispatched by the child of the body.

Plan of a call (the SOAPAction header is not consulted):

1. Content type, room and size, before the body is read.
2. Hardened parse; the version is the envelope's namespace; mandatory headers are refused.
3. The body child names an operation and follows the WSDL's schema.
4. Base64 is taken off, the desk answers, the answer is framed.

An error before 2 succeeded keeps its HTTP status (4xx); after that the SOAP binding decides:
500 for every fault of SOAP 1.1, 400 for a Sender fault of SOAP 1.2.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Final

from flask import Request, Response
from lxml import etree

from gateway.errors import GatewayError, UnknownOperationError
from gateway.transport.port import Decline, SoapVersion
from gateway.transport.soap_contract import (
    SOAP_MEDIA_TYPES,
    SoapMessage,
    child_text,
    qualified,
    read_frame,
    require_contract,
    wsdl_bytes,
)
from gateway.web.bodies import read_body, require_media_type
from gateway.web.peer.desk import PeerAppSettings, PeerDesk
from gateway.web.peer.inbound_http import tls_fingerprint
from gateway.web.peer.soap_answers import (
    collect_response,
    confirm_response,
    decline_response,
    deliver_response,
    fault_message,
    ping_response,
    status_response,
)
from gateway.web.pressure import Gate
from gateway.web.problems import as_gateway_error, problem_response, retry_after_of
from gateway.web.soap_frames import (
    attribute_text,
    bound_status,
    soap_response,
    version_of_media_type,
)

_PLACEHOLDER: Final = b"https://gateway.example/soap"
_DECLINE: Final = ("MessageId", "Code", "Detail", "Retryable")
_FRAME_BYTES: Final = 64_000
"""What a SOAP frame may add to the base64 of the envelope."""


class SoapEndpoint:
    """Answers SOAP calls with the help of a desk."""

    def __init__(self, desk: PeerDesk, settings: PeerAppSettings, gate: Gate) -> None:
        self._desk = desk
        self._gate = gate
        self._settings = settings
        self._most = settings.envelope_limit * 4 // 3 + _FRAME_BYTES
        self._operations: Mapping[str, Callable[[SoapMessage, str | None], bytes]] = {
            qualified("Deliver"): self._deliver,
            qualified("Ping"): self._ping,
            qualified("GetMessageStatus"): self._status,
            qualified("Collect"): self._collect,
            qualified("Confirm"): self._confirm,
            qualified("Decline"): self._decline,
        }

    def answer(self, request: Request) -> Response:
        """Return the response or fault for one call; raises nothing."""
        version: SoapVersion | None = None
        try:
            require_media_type(request, *SOAP_MEDIA_TYPES.values())  # 1
            fingerprint = tls_fingerprint(request, self._settings.proxy)
            with self._gate.passage(fingerprint):
                message = read_frame(read_body(request, self._most))  # 2
                version = message.version
                body = self._operation(message.payload)(message, fingerprint)  # 3, 4
        except Exception as exc:  # noqa: BLE001 - the one error handler of this channel
            return self._fault(as_gateway_error(exc), request, version)
        return soap_response(version, body, 200)

    def contract(self, request: Request) -> Response:
        """Return the WSDL with the address under which this gateway is reached."""
        base = self._settings.public_url or request.host_url
        address = attribute_text(f"{base.rstrip('/')}/soap")
        return Response(
            wsdl_bytes().replace(_PLACEHOLDER, address), content_type="text/xml; charset=utf-8"
        )

    def _operation(self, payload: etree._Element) -> Callable[[SoapMessage, str | None], bytes]:
        operation = self._operations.get(str(payload.tag))
        if operation is None:
            name = etree.QName(payload).localname
            raise UnknownOperationError(f"{name[:70]!r} is no operation of this gateway")
        require_contract(payload)
        return operation

    def _deliver(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        envelope = base64.b64decode(child_text(message.payload, "Envelope") or "")
        return deliver_response(message.version, self._desk.accept(envelope, fingerprint))

    def _ping(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        return ping_response(message.version, self._desk.ping(fingerprint))

    def _status(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        message_id = child_text(message.payload, "MessageId") or ""
        return status_response(message.version, self._desk.status(message_id, fingerprint))

    def _collect(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        stated = child_text(message.payload, "Limit")
        limit = None if stated is None else int(stated)
        return collect_response(message.version, self._desk.collect(limit, fingerprint))

    def _confirm(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        message_id = child_text(message.payload, "MessageId") or ""
        receipt = base64.b64decode(child_text(message.payload, "Receipt") or "")
        said = self._desk.confirm(message_id, receipt, fingerprint)
        return confirm_response(message.version, said)

    def _decline(self, message: SoapMessage, fingerprint: str | None) -> bytes:
        said = {name: child_text(message.payload, name) or "" for name in _DECLINE}
        why = Decline(
            code=said["Code"],
            detail=said["Detail"],
            retryable=said["Retryable"].strip() in ("true", "1"),
        )
        declined = self._desk.decline(said["MessageId"], why, fingerprint)
        return decline_response(message.version, declined)

    def _fault(
        self, error: GatewayError, request: Request, version: SoapVersion | None
    ) -> Response:
        retry_after = retry_after_of(error, self._settings.retry_after_seconds)
        spoken = version or version_of_media_type(request.mimetype)
        if spoken is None:
            return problem_response(error, retry_after=retry_after)
        status = error.http_status if version is None else bound_status(version, error)
        response = soap_response(spoken, fault_message(spoken, error), status)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response
