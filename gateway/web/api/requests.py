"""Reading a request of the national side: who asks, in which language, with what."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Final

from flask import Request
from pydantic import ValidationError

from gateway.documents import Language
from gateway.documents.shape import shape_finding
from gateway.errors import InputError, NotAuthenticatedError
from gateway.services.access import Caller
from gateway.services.counter import RequestKey
from gateway.web.api.routes import Params, Route, Stream
from gateway.web.bodies import pieces_of, read_body, require_media_type

CORRELATION: Final = "X-Correlation-ID"
_CORRELATION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_IDEMPOTENCY: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_PURPOSE: Final = re.compile(r"[ -~]{1,200}", re.ASCII)
_BEARER: Final = re.compile(r"bearer +([!-~]{1,8000})", re.IGNORECASE | re.ASCII)


def correlation_of(request: Request) -> str:
    """Return the correlation id of the request, or a new one.

    Raises:
        InputError: the id stated could not stand in a log line as it is.
    """
    stated = request.headers.get(CORRELATION)
    if stated is None:
        return str(uuid.uuid4())
    if not _CORRELATION.fullmatch(stated):
        raise InputError(f"{CORRELATION} is 1 to 64 letters, digits, dots, dashes, underscores")
    return stated


def token_of(request: Request) -> str:
    """Return the key or token that the request shows.

    Raises:
        NotAuthenticatedError: it shows none, or not in the one way.
    """
    match = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    if match is None:
        raise NotAuthenticatedError("the request shows no key: `Authorization: Bearer eco_…`")
    return match[1]


def language_of(request: Request, default: Language) -> Language:
    """Return the language that the caller likes best among ours."""
    choices = [each.value for each in Language]
    best = request.accept_languages.best_match(choices)
    return default if best is None else Language(best)


def parameters_of(request: Request, route: Route, path: dict[str, str]) -> tuple[Params, Params]:
    """Return path and query parameters as the route's models.

    Raises:
        InputError: with a finding for each that does not fit.
    """
    query: dict[str, str] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InputError(f"`{name[:40]}` stands there {len(values)} times")
        query[name] = values[0]
    return parameters(route.path_params, path), parameters(route.query, query)


def body_of(request: Request, route: Route, most: int) -> bytes:
    """Return the body, read within its limit.

    Raises:
        UnsupportedMediaError, TooLargeError, InputError: it cannot be taken.
    """
    if not route.takes or route.streams:
        return b""
    require_media_type(request, *(media.media_type for media in route.takes))
    return read_body(request, most)


def key_of(request: Request, route: Route, caller: Caller, body: bytes) -> RequestKey | None:
    """Return the idempotency key with the request that it stands for.

    Raises:
        InputError: it is no such key.
    """
    stated = _stated_key(request, route)
    return None if stated is None else _request_key(request, caller, stated, body)


def stream_of(request: Request, route: Route, caller: Caller, most: int) -> Stream | None:
    """Return the body of a route that streams, None for any other.

    Raises:
        UnsupportedMediaError, InputError: it cannot be taken, or its key is none.
    """
    if not route.streams:
        return None
    require_media_type(request, *(media.media_type for media in route.takes))
    stated = _stated_key(request, route)

    def key_of(sha256: str) -> RequestKey | None:
        if stated is None:
            return None
        return _request_key(request, caller, stated, bytes.fromhex(sha256))

    return Stream(pieces=pieces_of(request, most), key_of=key_of)


def _stated_key(request: Request, route: Route) -> str | None:
    stated = request.headers.get("Idempotency-Key")
    if stated is None or not route.keyed:
        return None
    return _fit(stated)


def _request_key(request: Request, caller: Caller, stated: str, body: bytes) -> RequestKey:
    digest = hashlib.sha256()
    for part in (request.method, request.full_path, request.mimetype):
        digest.update(part.encode("utf-8", "backslashreplace") + b"\n")
    digest.update(body)
    return request_key(f"api:{caller.organisation.code}", stated, digest.hexdigest())


def request_key(scope: str, stated: str, sha256: str) -> RequestKey:
    """Return the idempotency key that a request states, with what it stands for.

    Raises:
        InputError: it is no such key.
    """
    return RequestKey(scope=scope, key=_fit(stated), sha256=sha256)


def _fit(stated: str) -> str:
    if not _IDEMPOTENCY.fullmatch(stated):
        raise InputError("Idempotency-Key is 1 to 200 printable characters without spaces")
    return stated


def purpose_of(request: Request) -> str | None:
    """Return why foreign certificates are looked at, as far as the caller says.

    Raises:
        InputError: what it says cannot stand in the journal as it is.
    """
    stated = request.headers.get("X-Purpose")
    if stated is not None and not _PURPOSE.fullmatch(stated):
        raise InputError("X-Purpose is 1 to 200 printable ASCII characters")
    return stated


def parameters(model: type[Params], values: Mapping[str, object]) -> Params:
    """Return parameters as their model.

    Raises:
        InputError: with a finding for each that does not fit.
    """
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        findings = [shape_finding(str(each["loc"][0]), each["msg"][:400]) for each in errors]
        names = ", ".join(dict.fromkeys(finding.path for finding in findings))
        raise InputError(f"parameters that do not fit: {names[:400]}", findings=findings) from exc
