"""The Flask app of the console, made from the table of pages.

For every page in the same order: address, language, session, right, seal of the form, handler.
What a page does not state it does not allow; one error handler words whatever goes wrong.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Final

import structlog
from flask import Flask, Response, g, redirect, request, url_for
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import MapAdapter

from gateway.documents import Language
from gateway.errors import GatewayError, InternalError, NotLinkedError
from gateway.services import maintenance
from gateway.services.counter import Counter
from gateway.services.operating.desk import OperatingDesk
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.openid import BACK
from gateway.services.people.roles import Right, Visitor
from gateway.services.people.second_factor import Step, next_step
from gateway.services.people.sessions import visitor_of
from gateway.services.wording import finding_view
from gateway.store import Maintenance
from gateway.transport.fetching import is_on
from gateway.web.console import guard
from gateway.web.console.figures import FIGURES
from gateway.web.console.pages import (
    Answer,
    Away,
    ConsoleSettings,
    Go,
    Method,
    Open,
    Page,
    Sent,
    Shown,
    Upload,
    Visit,
)
from gateway.web.console.paper_codes import code_pages
from gateway.web.console.remedies import WAYS, remedy
from gateway.web.console.switching import in_each_language
from gateway.web.console.table import MENU, PAGES
from gateway.web.console.words import Words, plain, texts
from gateway.web.pressure import Gate
from gateway.web.problems import as_gateway_error, retry_after_of

log = structlog.get_logger(__name__)

_HARDENED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
_STEPS: Final = {Step.FACTOR: "factor", Step.ENROL: "enrol"}
_UNFIT_FOR_FILES: Final = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_THROTTLED: Final = ("public_check_one", "public_code", "public_offline")
"""Pages for anybody that look something up: each network gets few of them a minute."""
_RETRY_AFTER: Final = 5
_ELSEWHERE: Final = 303
_LONGEST_FIELD: Final = 2_000_000
_BROKEN: Final = 500
_MOST_FIELDS: Final = 6_000
"""A form of a hundred goods items has some four thousand."""


def create_console_app(
    counter: Counter,
    people: PeopleDesk,
    settings: ConsoleSettings,
    operating: OperatingDesk,
    *,
    pages: tuple[Page, ...] = PAGES,
) -> Flask:
    """Return the app that shows ``pages`` from ``counter``."""
    app = Flask("gateway.web.console", static_folder="static", template_folder=None)
    app.jinja_env.autoescape = True
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = _LONGEST_FIELD
    app.config["MAX_FORM_PARTS"] = _MOST_FIELDS
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86_400
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    served = _Served(counter, people, settings, operating, app.url_map.bind("console"))
    for page in (*pages, *code_pages(counter.check_address)):
        if settings.public or not page.name.startswith("public_"):
            app.add_url_rule(
                page.path,
                page.name,
                served.view(page),
                methods=[page.method.value],
                provide_automatic_options=False,
            )
    app.before_request(_begin)
    app.after_request(partial(_harden, _policy(people)))
    app.teardown_request(lambda _exc: structlog.contextvars.clear_contextvars())
    app.register_error_handler(Exception, served.problem)
    return app


class _Served:
    """Turns pages into view functions over one counter."""

    def __init__(
        self,
        counter: Counter,
        people: PeopleDesk,
        settings: ConsoleSettings,
        operating: OperatingDesk,
        addresses: MapAdapter,
    ) -> None:
        self._operating = operating
        self._counter = counter
        self._people = people
        self._settings = settings
        self._gate = Gate(settings.pressure)
        self._public_gate = Gate(settings.public_pressure)
        self._templates = _templates()
        self._addresses = addresses

    def view(self, page: Page) -> Callable[..., Response]:
        """Return the function that answers requests for ``page``."""

        def answer(**path: str) -> Response:
            structlog.contextvars.bind_contextvars(page=page.name)
            origin = self._origin()
            gate = self._public_gate if page.name.startswith(_THROTTLED) else self._gate
            with gate.passage(origin.network):
                return self._answer(page, path, origin)

        return answer

    def problem(self, exc: Exception) -> Response:
        """Return the page that words whatever was raised."""
        error = as_gateway_error(exc)
        log.info("page refused", code=error.code, status=error.http_status)
        visit = self._visit(self._origin(), g.get("visitor"), {}, reads_form=False)
        views = [finding_view(each, visit.words.language) for each in error.findings]
        key = f"error.{error.code}"
        values = {
            "error": error,
            "wait": retry_after_of(error, _RETRY_AFTER),
            "said": visit.words(key if key in texts() else "error.other"),
            "findings": views,
            "reference": g.get("correlation_id", ""),
            "subject": error.subject if isinstance(error, NotLinkedError) else None,
        }
        if request.path == BACK:  # what led here cannot be opened again
            values["same_page"] = {each.value: url_for("sign_in", lang=each) for each in Language}
        shown = Shown(template="error.html", values=values, status=error.http_status)
        response = self._page(visit, shown)
        if (seconds := retry_after_of(error, _RETRY_AFTER)) is not None:
            response.headers["Retry-After"] = str(seconds)
        if isinstance(exc, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(exc.valid_methods or ())
        return response

    def _answer(self, page: Page, path: dict[str, str], origin: Origin) -> Response:
        visitor = g.visitor = self._visitor()
        if page.right is not Open.PUBLIC:
            elsewhere = self._elsewhere(page, visitor)
            if elsewhere is not None:
                return elsewhere
        if isinstance(page.right, Right) and visitor is not None:
            visitor.require(page.right)
        if page.method is Method.POST:
            token = guard.token_in(request, guard.SESSION if visitor else guard.FORM)
            guard.require_own_form(request, token, request.form.get(guard.SEAL, ""))
        visit = self._visit(origin, visitor, path)
        return self._response(visit, page.handler(visit))

    def _elsewhere(self, page: Page, visitor: Visitor | None) -> Response | None:
        """Return the way to what has to be done first, if anything has."""
        if visitor is None:
            back = request.full_path.rstrip("?") if page.method is Method.GET else "/"
            return _go(url_for("sign_in", next=back))
        if page.right is Open.HALFWAY:
            return None
        step = next_step(self._people, visitor)
        return None if step is None else _go(url_for(_STEPS[step]))

    def _visitor(self) -> Visitor | None:
        token = guard.token_in(request, guard.SESSION)
        return None if token is None else visitor_of(self._people, token)

    def _visit(
        self,
        origin: Origin,
        visitor: Visitor | None,
        path: dict[str, str],
        *,
        reads_form: bool = True,
    ) -> Visit:
        """Return the request as handlers read it; after a failure its form is not read again."""
        is_form = reads_form and request.method == "POST"
        return Visit(
            counter=self._counter,
            people=self._people,
            settings=self._settings,
            words=Words(self._language(visitor)),
            origin=origin,
            visitor=visitor,
            path=path,
            query=request.args.to_dict(),
            form=request.form.to_dict() if is_form else {},
            many=dict(request.form.lists()) if is_form else {},
            files=_uploads() if is_form else {},
            operating=self._operating,
            journey=guard.token_in(request, guard.JOURNEY),
        )

    def _language(self, visitor: Visitor | None) -> Language:
        """Return the language asked for, chosen before, of the account, or of the browser."""
        known = {each.value for each in Language}
        for said in (request.args.get("lang"), request.cookies.get(guard.LANGUAGE)):
            if said in known:
                return Language(said)
        if visitor is not None:
            return Language(visitor.person.language)
        best = request.accept_languages.best_match(sorted(known))
        return self._settings.language if best is None else Language(best)

    def _origin(self) -> Origin:
        address = request.remote_addr
        if self._settings.behind_proxy:
            stated = request.headers.get("X-Forwarded-For", "")
            address = stated.rsplit(",", 1)[-1].strip() or address
        return Origin.of(address, request.headers.get("User-Agent"))

    def _response(self, visit: Visit, answer: Answer) -> Response:
        if isinstance(answer, Shown):
            return self._page(visit, answer)
        if isinstance(answer, Sent):
            return _file(answer)
        response = self._away(answer) if isinstance(answer, Away) else _go(answer.to)
        if isinstance(answer, Go) and answer.entry is not None:
            language = answer.entry.visitor.person.language
            guard.set_cookie(response, guard.SESSION, answer.entry.token)
            guard.set_cookie(response, guard.LANGUAGE, language, lasts=True)
        if answer.leaves:
            guard.drop_cookie(response, guard.SESSION)
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def _away(self, answer: Away) -> Response:
        """Return the way to the provider; no other site is ever led to."""
        provider = self._people.provider
        if provider is None or not is_on(provider.terms.issuer, answer.to):
            raise InternalError("a page leads to a site that is not the identity provider")
        response = redirect(answer.to, code=303)
        if answer.journey is not None:
            guard.set_cookie(response, guard.JOURNEY, answer.journey)  # type: ignore[arg-type]
        return response  # type: ignore[return-value]

    def _page(self, visit: Visit, answer: Shown) -> Response:
        token = guard.token_in(request, guard.SESSION if visit.visitor else guard.FORM)
        if answer.entry is not None:
            token = answer.entry.token
        made = None if token else guard.new_form_token()
        values = {
            "visit": visit,
            "visitor": visit.visitor if answer.entry is None else answer.entry.visitor,
            "settings": self._settings,
            "t": visit.words,
            "seal": guard.seal_of(token or made or ""),
            "menu": MENU,
            "languages": tuple(Language),
            "here": request.path,
            "same_page": in_each_language(request, self._addresses),
            "announced": self._announced(answer),
            "present": self._operating.now(),
            "link": url_for,
            **answer.values,
        }
        html = self._templates.get_template(answer.template).render(values)
        response = Response(html, status=answer.status, content_type="text/html; charset=utf-8")
        response.headers["Content-Language"] = visit.words.language.value
        if made is not None and visit.visitor is None:
            guard.set_cookie(response, guard.FORM, made)
        if answer.entry is not None:
            guard.set_cookie(response, guard.SESSION, answer.entry.token)
        if request.args.get("lang") == visit.words.language.value:
            guard.set_cookie(response, guard.LANGUAGE, visit.words.language.value, lasts=True)
        return response

    def _announced(self, answer: Shown) -> tuple[Maintenance, ...]:
        """Return our announced maintenance for the banner; nothing where the books are away."""
        if answer.status >= _BROKEN:
            return ()
        with suppress(GatewayError):
            return maintenance.ours(self._operating.desk)
        return ()


@cache
def _templates() -> Environment:
    """Return the templates of every page, which are read and compiled once in a process."""
    made = Environment(
        loader=PackageLoader("gateway.web.console", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(FIGURES)
    made.globals.update(WAYS)
    made.filters["plain"] = plain
    made.filters["remedy"] = remedy
    return made


def _uploads() -> dict[str, Upload]:
    found = {}
    for field, file in request.files.items():
        content = file.read()
        if content or file.filename:
            found[field] = Upload(
                name=file.filename or "", media_type=file.mimetype, content=content
            )
    return found


def _file(answer: Sent) -> Response:
    response = Response(answer.content, content_type=answer.media_type)
    if answer.name is not None:
        fine = (
            each if each.isascii() and (each.isalnum() or each in "-_.") else "-"
            for each in answer.name
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{"".join(fine)}"'
    return response


def _go(to: str) -> Response:
    return redirect(guard.local_path(to), code=_ELSEWHERE)  # type: ignore[return-value]


def _begin() -> None:
    structlog.contextvars.clear_contextvars()
    g.correlation_id = str(uuid.uuid4())
    g.visitor = None
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _policy(people: PeopleDesk) -> str:
    """Return what pages may load, and where their forms may lead: here, and to the provider."""
    provider = people.provider
    sites = "'self'" if provider is None else f"'self' {provider.terms.origin}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action {sites}; base-uri 'none'; frame-ancestors 'none'"
    )


def _harden(policy: str, response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", policy)
    for name, value in _HARDENED.items():
        response.headers.setdefault(name, value)
    if request.path == BACK:
        guard.drop_cookie(response, guard.JOURNEY)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    said = request.args.get("lang")
    if response.status_code == _ELSEWHERE and said in {each.value for each in Language}:
        guard.set_cookie(response, guard.LANGUAGE, str(said), lasts=True)  # the way leads on in it
    return response
