"""Wording errors for callers: problem documents (RFC 9457); the same codes as in SOAP faults."""

from __future__ import annotations

import json
import math
import traceback
import uuid
from collections.abc import Callable
from typing import Any, Final

import structlog
from flask import Response
from werkzeug.exceptions import HTTPException

from gateway.errors import (
    GatewayError,
    InputError,
    InternalError,
    MethodNotAllowedError,
    NotFoundError,
    SlowDownError,
    TooLargeError,
    TransportError,
    UnsupportedMediaError,
)
from gateway.transport.answers import PROBLEM_MEDIA_TYPE
from gateway.xml.namespaces import ECO_BASE, MAJOR_VERSION

PROBLEM_TYPE_BASE: Final = f"{ECO_BASE}:Problem:{MAJOR_VERSION}"
MOST_FINDINGS: Final = 500

_LOG = structlog.get_logger(__name__)
_BY_STATUS: Final[dict[int, Callable[[str], GatewayError]]] = {
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
    415: UnsupportedMediaError,
}


def as_gateway_error(exc: Exception) -> GatewayError:
    """Return ``exc`` as an error that may be shown: our own as it is, others without particulars.

    A foreign exception is logged with its type and place under the id in the answer, never
    with its message, which may quote a payload.
    """
    if isinstance(exc, GatewayError):
        return exc
    if isinstance(exc, HTTPException) and exc.code is not None and exc.code < 500:
        return _BY_STATUS.get(exc.code, InputError)(f"HTTP {exc.code} {exc.name}")
    instance = uuid.uuid4().urn
    frames = traceback.extract_tb(exc.__traceback__)[-5:]
    _LOG.error(
        "request failed",
        instance=instance,
        error=type(exc).__name__,
        at=[f"{frame.name}:{frame.lineno}" for frame in frames],
    )
    return InternalError("the gateway failed on its own account", instance=instance)


def retry_after_of(error: GatewayError, default: int) -> int | None:
    """Return the seconds to ask a caller to wait, or None where waiting is not the point."""
    if error.http_status not in (429, 503):
        return None
    stated = error.retry_after if isinstance(error, TransportError | SlowDownError) else None
    return default if stated is None else max(1, math.ceil(stated))


def problem_response(error: GatewayError, *, retry_after: int | None) -> Response:
    """Return the problem document for ``error``."""
    response = Response(
        json.dumps(problem_of(error), ensure_ascii=False),
        status=error.http_status,
        content_type=PROBLEM_MEDIA_TYPE,
    )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def problem_of(error: GatewayError) -> dict[str, Any]:
    """Return the members of the problem document."""
    problem: dict[str, Any] = {
        "type": f"{PROBLEM_TYPE_BASE}:{error.code}",
        "title": (type(error).__doc__ or "").split("\n", 1)[0],
        "status": error.http_status,
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
        "remedy": error.remedy,
    }
    if isinstance(error, InternalError) and error.instance is not None:
        problem["instance"] = error.instance
    if error.findings:
        shown = error.findings[:MOST_FINDINGS]
        problem["findings"] = [each.model_dump(mode="json", exclude_none=True) for each in shown]
    return problem
