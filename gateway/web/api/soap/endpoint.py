"""The SOAP endpoint of the national side: both versions at one address.

Plan of a call (the SOAPAction header is not consulted):

1. Content type; a key in the HTTP header opens before anything is read.
2. Room and size, hardened parse; the version is the envelope's namespace.
3. Without a key in the HTTP header, the UsernameToken opens.
4. The body child names an operation and follows the schema of the contract.
5. The handler of the same address of REST answers; its answer is framed.

An error before 2 succeeded keeps its HTTP status (4xx); after that the SOAP binding decides:
500 for every fault of SOAP 1.1, 400 for a Sender fault of SOAP 1.2.  A fault always has a body.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from flask import Request, Response, g, request
from lxml import etree

from gateway.documents import Language
from gateway.errors import GatewayError, InputError, NotAuthenticatedError, UnknownOperationError
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.wording import finding_view
from gateway.transport.port import SoapVersion
from gateway.transport.soap_contract import (
    SOAP_MEDIA_TYPES,
    SoapMessage,
    read_frame,
)
from gateway.web.api import requests as reading
from gateway.web.api.routes import Call
from gateway.web.api.soap.contract import (
    FAULT,
    SCHEMA,
    SOAP_PATH,
    element_of,
    qualified,
    values_of,
    wsdl_bytes,
)
from gateway.web.api.soap.operations import OPERATIONS, Operation, perform
from gateway.web.api.soap.security import SECURITY, is_shielded, token_in
from gateway.web.bodies import read_body, require_media_type
from gateway.web.pressure import Gate
from gateway.web.problems import MOST_FINDINGS, as_gateway_error, retry_after_of
from gateway.web.soap_frames import (
    answer_frame,
    attribute_text,
    bound_status,
    fault_frame,
    soap_response,
    version_of_media_type,
)
from gateway.xml.parsing import XmlLimits

log = structlog.get_logger(__name__)

LIMITS: Final = XmlLimits(max_bytes=12_000_000, max_depth=16, max_nodes=200_000)
_PLACEHOLDER: Final = f"https://gateway.example{SOAP_PATH}".encode()
_FRAME_BYTES: Final = 64_000
_RETRY_AFTER: Final = 5
_HOST: Final = re.compile(
    r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)
_LANGUAGES: Final = frozenset(Language)


@dataclass(frozen=True, kw_only=True)
class SoapSettings:
    """Holds what the endpoint may be told.

    Attributes:
        public_url: base address under which national systems reach us; stands in the WSDL.
            Without it the WSDL names the host that the request named.
        behind_proxy: a TLS proxy of our own stands before us, so that address is https.
    """

    max_body_bytes: int
    language: Language
    public_url: str | None = None
    behind_proxy: bool = False


class NationalSoap:
    """Answers SOAP calls of national systems with the handlers of the route table."""

    def __init__(
        self,
        counter: Counter,
        settings: SoapSettings,
        gate: Gate,
        recognise: Callable[[str], Caller],
    ) -> None:
        self._counter = counter
        self._settings = settings
        self._gate = gate
        self._recognise = recognise
        most = settings.max_body_bytes * 4 // 3 + _FRAME_BYTES
        self._most = min(most, LIMITS.max_bytes)

    def answer(self) -> Response:
        """Return the response or fault for the call that this request is; raises nothing."""
        try:
            return self._answered()
        except Exception as exc:  # noqa: BLE001 - the one error handler of this channel
            return self.fault(exc)

    def contract(self) -> Response:
        """Return the WSDL with the address under which this gateway is reached.

        Raises:
            InputError: the request names no host that could stand in an address.
        """
        address = attribute_text(self._base() + SOAP_PATH)
        wsdl = wsdl_bytes().replace(_PLACEHOLDER, address)
        return Response(wsdl, content_type="text/xml; charset=utf-8")

    def fault(self, exc: Exception) -> Response:
        """Return the SOAP fault for whatever was raised, in the version that was spoken."""
        error = as_gateway_error(exc)
        read: SoapVersion | None = g.get("soap_version")
        version = read or version_of_media_type(request.mimetype) or SoapVersion.SOAP_11
        status = error.http_status if read is None else bound_status(read, error)
        language = self._language()
        body = fault_frame(version, error, _detail(error, language))
        response = soap_response(version, body, status)
        response.headers["Content-Language"] = language.value
        retry_after = retry_after_of(error, _RETRY_AFTER)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        if status == NotAuthenticatedError.http_status:
            response.headers["WWW-Authenticate"] = 'Bearer realm="eco"'
        log.info("call refused", code=error.code, status=status)
        return response

    def _answered(self) -> Response:
        require_media_type(request, *SOAP_MEDIA_TYPES.values())  # 1
        if "Authorization" in request.headers:
            caller = self._recognise(reading.token_of(request))
            with self._gate.passage(caller.credential):
                message = self._message()  # 2
                if any(block.tag == SECURITY for block in message.headers):
                    raise NotAuthenticatedError("a key is shown twice; show it in one header")
                return self._performed(caller, message)
        with self._gate.passage(f"address {request.remote_addr}"):
            message = self._message()  # 2
        now, shielded = self._counter.desk.clock(), is_shielded(request)
        token = token_in(message.headers, now=now, shielded=shielded)  # 3
        caller = self._recognise(reading.token_of(request) if token is None else token)
        with self._gate.passage(caller.credential):
            return self._performed(caller, message)

    def _message(self) -> SoapMessage:
        message = read_frame(read_body(request, self._most), LIMITS, understood=(SECURITY,))
        g.soap_version = message.version
        stated = message.payload.findtext(qualified("Language"))
        if stated in _LANGUAGES:
            g.soap_language = Language(stated)
        return message

    def _performed(self, caller: Caller, message: SoapMessage) -> Response:
        name = etree.QName(message.payload).localname
        operation = OPERATIONS.get(name)
        if operation is None or message.payload.tag != qualified(name):
            raise UnknownOperationError(f"{name[:70]!r} is no operation of this gateway")  # 4
        structlog.contextvars.bind_contextvars(caller=caller.digest, operation=name)
        if operation.route.scope is not None:
            caller.require(operation.route.scope)
        SCHEMA.require(message.payload)
        values = values_of(message.payload)
        values.pop("language", None)
        call = self._call(operation, caller, name, values)
        said = element_of(f"{name}Response", perform(operation, call, values))  # 5
        response = soap_response(message.version, answer_frame(message.version, said), 200)
        response.headers["Content-Language"] = call.language.value
        log.info("request answered", status=200)
        return response

    def _call(
        self, operation: Operation, caller: Caller, name: str, values: dict[str, Any]
    ) -> Call:
        purpose = values.pop("purpose", None) or reading.purpose_of(request)
        key = values.pop("idempotency_key", None) or request.headers.get("Idempotency-Key")
        asked = operation.asks(self._counter, values)
        stands_for = None
        if key is not None and operation.route.keyed:
            scope = f"soap:{caller.organisation.code}"
            stands_for = reading.request_key(scope, key, _digest(name, values))
        return Call(
            counter=self._counter,
            caller=caller,
            language=self._language(),
            path=reading.parameters(operation.route.path_params, asked.path),
            query=reading.parameters(operation.route.query, asked.query),
            body=asked.body,
            media_type=asked.media_type,
            key=stands_for,
            purpose=purpose,
        )

    def _language(self) -> Language:
        stated: Language | None = g.get("soap_language")
        return stated or reading.language_of(request, self._settings.language)

    def _base(self) -> str:
        if self._settings.public_url is not None:
            return self._settings.public_url.rstrip("/")
        host = request.environ.get("HTTP_HOST", "")
        if not _HOST.fullmatch(host):
            raise InputError("the request names no Host, or not exactly one")
        scheme = "https" if self._settings.behind_proxy or request.is_secure else "http"
        return f"{scheme}://{host}"


def asks_for_contract(asked: Request) -> bool:
    """Return whether a request asks for the WSDL, in any spelling of case."""
    return "wsdl" in {name.lower() for name in asked.args}


def _digest(name: str, values: dict[str, Any]) -> str:
    said = json.dumps([name, values], sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()


def _detail(error: GatewayError, language: Language) -> etree._Element:
    shown = error.findings[:MOST_FINDINGS]
    values = {
        "code": error.code,
        "detail": error.detail,
        "retryable": error.retryable,
        "remedy": error.remedy,
        "correlation_id": g.get("correlation_id", ""),
        "instance": getattr(error, "instance", None),
        "findings": [finding_view(each, language).model_dump(mode="json") for each in shown],
    }
    return element_of(FAULT, values)
