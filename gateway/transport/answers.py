"""Reading what a peer says when it does not say yes: problem documents and bare statuses.

A fault is not signed: it tells when to try again, never that a message was refused for good.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import (
    BadAnswerError,
    HtmlAnswerError,
    PeerFaultError,
    TransportError,
    error_for_code,
)
from gateway.transport.port import MOST_DETAIL

if TYPE_CHECKING:
    from gateway.transport.http import HttpAnswer

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_WIRE_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")

# What a box in front of the peer says about the request itself passes for no repetition.
_FINAL_STATUSES: Final = frozenset({400, 405, 411, 413, 414, 415, 422, 431})


def plain_text(stated: object) -> str:
    """Return a peer's sentence fit for a log line: one line, no controls, bounded."""
    return _CONTROLS.sub(" ", str(stated)).strip()[:MOST_DETAIL]


def peer_fault(
    code: object, detail: object, *, retryable: object, answer: HttpAnswer
) -> PeerFaultError:
    """Return the error for a fault that states a wire code (or fails to).

    What is no wire code counts as none.  The peer's own word on ``retryable`` counts if it is a
    boolean; else our table of codes decides, then the HTTP status.
    """
    stated = code if isinstance(code, str) and _WIRE_CODE.fullmatch(code) else None
    ours = error_for_code(stated) if stated else None
    if not isinstance(retryable, bool):
        retryable = ours.retryable if ours else answer.status not in _FINAL_STATUSES
    peer_code = stated or f"HTTP_{answer.status}"
    text = plain_text(detail) or "no detail"
    return PeerFaultError(
        f"{peer_code}: {text}",
        peer_code=peer_code,
        peer_retryable=retryable,
        retry_after=answer.retry_after,
    )


def unwelcome(answer: HttpAnswer) -> TransportError:
    """Return the error for an answer that is neither what was asked for nor a fault of SOAP."""
    if answer.media_type == PROBLEM_MEDIA_TYPE and answer.status >= 400:
        problem = json_object(answer.body)
        return peer_fault(
            problem.get("code"),
            problem.get("detail"),
            retryable=problem.get("retryable"),
            answer=answer,
        )
    if answer.status >= 400:
        return peer_fault(None, "no problem document", retryable=None, answer=answer)
    if 300 <= answer.status < 400:
        return BadAnswerError(f"the peer redirects ({answer.status}); redirects are not followed")
    kind = answer.media_type or "no content type"
    if kind in _PAGES:
        return HtmlAnswerError(f"the peer answers {answer.status} with a page of HTML")
    return BadAnswerError(f"the peer answers {answer.status} with {kind}, {len(answer.body)} bytes")


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``.

    Raises:
        BadAnswerError: it is none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadAnswerError("the answer is not the JSON that it claims to be") from exc
    if not isinstance(value, dict):
        raise BadAnswerError("the answer is JSON, but no object")
    return value
