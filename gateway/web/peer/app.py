"""The Flask app of the peers' entrance: addresses, REST, and the one error handler.

| address | what |
|---|---|
| ``POST /soap`` | SOAP 1.1 and 1.2; ``GET /soap?wsdl`` serves the contract |
| ``POST /rest/v1/messages`` | an envelope in, its receipt envelope out |
| ``GET /rest/v1/messages/{id}`` | what became of a message of the caller |
| ``GET /rest/v1/outbox?limit=`` | messages that wait for the caller, under a lease |
| ``POST /rest/v1/outbox/{id}/receipt`` | the caller's receipt for one of them |
| ``POST /rest/v1/outbox/{id}/fault`` | why the caller cannot take one of them |
| ``GET /rest/v1/ping`` | who this is |
| ``GET /health/live`` | the process answers; nothing else is looked at |
"""

from __future__ import annotations

import re
from typing import Final

from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import BaseConverter

from gateway.errors import InputError, NotFoundError
from gateway.transport.port import ENVELOPE_MEDIA_TYPE, Answer, Decline
from gateway.web.bodies import read_body, require_media_type
from gateway.web.peer.desk import PeerAppSettings, PeerDesk
from gateway.web.peer.inbound_http import tls_fingerprint
from gateway.web.peer.soap import SoapEndpoint
from gateway.web.pressure import Gate
from gateway.web.problems import as_gateway_error, problem_response, retry_after_of

_HOST: Final = re.compile(
    r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,70}")
_LONGEST_DECLINE: Final = 8_000
_LIMIT: Final = re.compile(r"[1-9][0-9]?|100")


class _AnyText(BaseConverter):
    """Takes what stands in an address between two fixed parts, percent-encoded slashes too."""

    regex = ".+?"
    part_isolating = False
    weight = 200


def create_peer_app(desk: PeerDesk, settings: PeerAppSettings | None = None) -> Flask:
    """Return the app that lets peers speak to ``desk`` over SOAP and REST."""
    known = settings or PeerAppSettings()
    app = Flask("gateway.web.peer", static_folder=None)
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.url_map.converters["any_text"] = _AnyText
    gate = Gate(known.pressure)
    _add_soap(app, SoapEndpoint(desk, known, gate))
    _add_rest(app, desk, known, gate)
    _add_outbox(app, desk, known, gate)
    app.add_url_rule("/health/live", "live", _live)
    app.before_request(_require_host)
    app.after_request(_harden)

    def problem(exc: Exception) -> Response:
        error = as_gateway_error(exc)
        retry_after = retry_after_of(error, known.retry_after_seconds)
        response = problem_response(error, retry_after=retry_after)
        if isinstance(exc, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(exc.valid_methods or ())
        return response

    app.register_error_handler(Exception, problem)
    return app


def _add_soap(app: Flask, endpoint: SoapEndpoint) -> None:
    @app.post("/soap")
    def soap() -> Response:
        return endpoint.answer(request)

    @app.get("/soap")
    def wsdl() -> Response:
        if "wsdl" not in {name.lower() for name in request.args}:
            raise NotFoundError("the contract is at /soap?wsdl; calls are sent by POST")
        return endpoint.contract(request)


def _add_rest(app: Flask, desk: PeerDesk, settings: PeerAppSettings, gate: Gate) -> None:
    @app.post("/rest/v1/messages")
    def deliver() -> Response:
        require_media_type(request, ENVELOPE_MEDIA_TYPE)
        fingerprint = tls_fingerprint(request, settings.proxy)
        with gate.passage(fingerprint):
            receipt = desk.accept(read_body(request, settings.envelope_limit), fingerprint)
        return Response(receipt, content_type=ENVELOPE_MEDIA_TYPE)

    @app.get("/rest/v1/messages/<any_text:message_id>")
    def status(message_id: str) -> Response:
        _require_message_id(message_id)
        return _json(desk.status(message_id, tls_fingerprint(request, settings.proxy)))

    @app.get("/rest/v1/ping")
    def ping() -> Response:
        return _json(desk.ping(tls_fingerprint(request, settings.proxy)))


def _add_outbox(app: Flask, desk: PeerDesk, settings: PeerAppSettings, gate: Gate) -> None:
    @app.get("/rest/v1/outbox")
    def collect() -> Response:
        limit = _limit(request.args.getlist("limit"))
        fingerprint = tls_fingerprint(request, settings.proxy)
        with gate.passage(fingerprint):
            return _json(desk.collect(limit, fingerprint))

    @app.post("/rest/v1/outbox/<any_text:message_id>/receipt")
    def confirm(message_id: str) -> Response:
        _require_message_id(message_id)
        require_media_type(request, ENVELOPE_MEDIA_TYPE)
        fingerprint = tls_fingerprint(request, settings.proxy)
        with gate.passage(fingerprint):
            receipt = read_body(request, settings.envelope_limit)
            return _json(desk.confirm(message_id, receipt, fingerprint))

    @app.post("/rest/v1/outbox/<any_text:message_id>/fault")
    def decline(message_id: str) -> Response:
        _require_message_id(message_id)
        require_media_type(request, "application/json")
        fingerprint = tls_fingerprint(request, settings.proxy)
        with gate.passage(fingerprint):
            why = _decline(read_body(request, _LONGEST_DECLINE))
            return _json(desk.decline(message_id, why, fingerprint))


def _decline(body: bytes) -> Decline:
    try:
        return Decline.model_validate_json(body)
    except (ValidationError, RecursionError) as exc:
        raise InputError("the body must state code, detail and retryable as JSON") from exc


def _require_message_id(stated: str) -> None:
    if not _MESSAGE_ID.fullmatch(stated):
        raise InputError("this is no message id")
    if not {".", ".."}.isdisjoint(stated.split("/")):  # what a proxy may have meant as a way up
        raise NotFoundError("an id with a step of dots can be asked for over SOAP only")


def _limit(stated: list[str]) -> int | None:
    if not stated:
        return None
    if len(stated) > 1 or not _LIMIT.fullmatch(stated[0]):
        raise InputError("`limit` is one number from 1 to 100")
    return int(stated[0])


def _json(answer: Answer) -> Response:
    return Response(answer.model_dump_json(exclude_none=True), content_type="application/json")


def _live() -> Response:
    return Response('{"status":"live"}', content_type="application/json")


def _require_host() -> None:
    if not _HOST.fullmatch(request.environ.get("HTTP_HOST", "")):
        raise InputError("the request names no Host, or not exactly one")


def _harden(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
