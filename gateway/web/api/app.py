"""The Flask app of the national side's entrance, made from the route table.

For every address in the same order: correlation id, key, rate, scope, parameters, body,
handler, ETag.  One error handler words everything that goes wrong as a problem document.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import structlog
from flask import Flask, Response, g, request
from pydantic import BaseModel
from werkzeug.exceptions import MethodNotAllowed

from gateway.documents import Language
from gateway.errors import GatewayError, NotAuthenticatedError, NotFoundError
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.keys import authenticate
from gateway.services.wording import finding_view
from gateway.transport.answers import PROBLEM_MEDIA_TYPE
from gateway.web.api import requests as reading
from gateway.web.api.openapi import describe
from gateway.web.api.page import page, page_policy
from gateway.web.api.routes import BASE, JSON, Call, Reply, Route
from gateway.web.api.soap import SOAP_PATH, NationalSoap
from gateway.web.api.soap.endpoint import SoapSettings, asks_for_contract
from gateway.web.api.table import ROUTES
from gateway.web.pressure import Gate, Pressure
from gateway.web.problems import as_gateway_error, problem_of, retry_after_of

log = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 12_000_000
_RETRY_AFTER: Final = 5
_HSTS: Final = "max-age=31536000; includeSubDomains"
_HARDENED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": _HSTS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

Authenticate = Callable[[str], Caller]


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """Holds what the entrance of the national side may be told.

    Attributes:
        language: of answers to callers that accept none of ours.
        show_page: the interface description can be read in a browser, without a key.
        pressure: how much is taken at a time, of one key and in total.
        issuer: of the identity provider whose tokens are taken, if any.
        public_url, behind_proxy: what the WSDL says of where we are; see ``SoapSettings``.
    """

    max_body_bytes: int = MAX_BODY_BYTES
    language: Language = Language.ENGLISH
    show_page: bool = True
    pressure: Pressure = field(default_factory=Pressure)
    issuer: str | None = None
    public_url: str | None = None
    behind_proxy: bool = False


def create_api_app(
    counter: Counter,
    settings: ApiSettings | None = None,
    *,
    tokens: Authenticate | None = None,
    routes: tuple[Route, ...] = ROUTES,
) -> Flask:
    """Return the app that serves ``routes`` from ``counter``.

    Args:
        tokens: recognises tokens of an identity provider; None takes API keys only.
    """
    known = settings or ApiSettings()
    app = Flask("gateway.web.api", static_folder=None)
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    served = _Served(counter, known, Gate(known.pressure), tokens)
    for route in routes:
        rule = BASE + re.sub(r"\{(\w+)\}", _converter, route.path)
        app.add_url_rule(
            rule,
            route.name,
            served.view(route),
            methods=[route.method.value],
            provide_automatic_options=False,
        )
    app.add_url_rule("/health/live", "live", _live, provide_automatic_options=False)
    _add_description(app, known, routes)
    _add_soap(app, known, served.soap)
    app.before_request(_begin)
    app.after_request(_harden)
    app.teardown_request(lambda _exc: structlog.contextvars.clear_contextvars())
    app.register_error_handler(Exception, served.problem)
    return app


class _Served:
    """Turns routes into view functions over one counter."""

    def __init__(
        self, counter: Counter, settings: ApiSettings, gate: Gate, tokens: Authenticate | None
    ) -> None:
        self._counter = counter
        self._settings = settings
        self._gate = gate
        self._tokens = tokens
        own = SoapSettings(
            max_body_bytes=settings.max_body_bytes,
            language=settings.language,
            public_url=settings.public_url,
            behind_proxy=settings.behind_proxy,
        )
        self.soap = NationalSoap(counter, own, gate, self._recognised)

    def view(self, route: Route) -> Callable[..., Response]:
        """Return the function that answers requests to ``route``."""

        def answer(**path: str) -> Response:
            caller = self._recognised(reading.token_of(request))
            structlog.contextvars.bind_contextvars(caller=caller.digest, operation=route.name)
            with self._gate.passage(caller.credential):
                return self._answer(route, caller, path)

        return answer

    def problem(self, exc: Exception) -> Response:
        """Return the problem document, or the fault, for whatever was raised."""
        if request.path == SOAP_PATH and request.method == "POST":
            return self.soap.fault(exc)
        error = as_gateway_error(exc)
        language = reading.language_of(request, self._settings.language)
        values = problem_of(error) | {"correlation_id": g.get("correlation_id", "")}
        if error.findings:
            views = (finding_view(each, language) for each in error.findings)
            values["findings"] = [view.model_dump(mode="json") for view in views]
        response = Response(
            json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"),
            status=error.http_status,
            content_type=PROBLEM_MEDIA_TYPE,
        )
        response.headers["Content-Language"] = language.value
        _add_headers(response, exc, error)
        log.info("request refused", code=error.code, status=error.http_status)
        return response

    def _recognised(self, token: str) -> Caller:
        if self._tokens is not None and not token.startswith("eco_"):
            return self._tokens(token)
        return authenticate(self._counter.desk.store, token, now=self._counter.desk.clock())

    def _answer(self, route: Route, caller: Caller, path: dict[str, str]) -> Response:
        if route.scope is not None:
            caller.require(route.scope)
        path_params, query = reading.parameters_of(request, route, path)
        body = reading.body_of(request, route, self._settings.max_body_bytes)
        most = self._counter.batches.max_bytes
        language = reading.language_of(request, self._settings.language)
        reply = route.handler(
            Call(
                counter=self._counter,
                caller=caller,
                language=language,
                path=path_params,
                query=query,
                body=body,
                media_type=request.mimetype,
                key=reading.key_of(request, route, caller, body),
                purpose=reading.purpose_of(request),
                stream=reading.stream_of(request, route, caller, most),
            )
        )
        log.info("request answered", status=reply.status)
        return _response(route, reply, language)


def _response(route: Route, reply: Reply, language: Language) -> Response:
    content = reply.content
    raw = content.model_dump_json().encode() if isinstance(content, BaseModel) else content
    response = Response(raw, status=reply.status, content_type=reply.media_type)
    response.headers.update(reply.headers)
    response.headers["Content-Language"] = language.value
    if route.conditional:
        response.set_etag(hashlib.sha256(raw).hexdigest()[:32])
        response.headers["Vary"] = "Accept-Language, Authorization"
        response.make_conditional(request)
    return response


def _converter(match: re.Match[str]) -> str:
    """A serial number may hold a slash; nothing else may."""
    return f"<path:{match[1]}>" if match[1] == "serial" else f"<{match[1]}>"


def _begin() -> None:
    structlog.contextvars.clear_contextvars()
    g.correlation_id = ""
    g.correlation_id = reading.correlation_of(request)
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _add_headers(response: Response, exc: Exception, error: GatewayError) -> None:
    retry_after = retry_after_of(error, _RETRY_AFTER)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if isinstance(error, NotAuthenticatedError):
        response.headers["WWW-Authenticate"] = 'Bearer realm="eco"'
    if isinstance(exc, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(exc.valid_methods or ())


def _harden(response: Response) -> Response:
    for name, value in _HARDENED.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", _NOTHING)
    if correlation := g.get("correlation_id"):
        response.headers[reading.CORRELATION] = correlation
    return response


def _live() -> Response:
    return Response('{"status":"live"}', content_type=JSON)


def _add_soap(app: Flask, settings: ApiSettings, soap: NationalSoap) -> None:
    def contract() -> Response:
        if not settings.show_page or not asks_for_contract(request):
            raise NotFoundError(f"the contract is at {SOAP_PATH}?wsdl; calls are sent by POST")
        return soap.contract()

    for name, method, view in (("soap", "POST", soap.answer), ("wsdl", "GET", contract)):
        app.add_url_rule(SOAP_PATH, name, view, methods=[method], provide_automatic_options=False)


def _add_description(app: Flask, settings: ApiSettings, routes: tuple[Route, ...]) -> None:
    if not settings.show_page:
        return

    @cache
    def described() -> tuple[bytes, bytes]:
        said = describe(routes, issuer=settings.issuer)
        return json.dumps(said, ensure_ascii=False).encode(), page(said).encode()

    def openapi() -> Response:
        return Response(described()[0], content_type=JSON)

    def docs() -> Response:
        response = Response(described()[1], content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = page_policy()
        return response

    app.add_url_rule(f"{BASE}/openapi.json", "openapi", openapi, provide_automatic_options=False)
    app.add_url_rule(f"{BASE}/docs", "docs", docs, provide_automatic_options=False)
