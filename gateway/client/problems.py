"""What the gateway says when it refuses a request: the problem document, as an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from gateway.client.api.shared import ProblemView
from gateway.errors import GatewayError

_MEDIA_TYPE: Final = "application/problem+json"


class Problem(GatewayError):  # noqa: N818 - the word of RFC 9457
    """Is raised when the gateway answers with a problem document.

    ``code``, ``retryable``, ``remedy`` and ``http_status`` are what the answer says, not
    what a class of ours says of itself.

    Attributes:
        answer: the whole document, with all findings in the language asked for.
        retry_after: seconds after which the gateway wants to be asked again, where it says so.
    """

    def __init__(self, answer: ProblemView, *, retry_after: str | None = None) -> None:
        super().__init__(answer.detail)
        self.answer = answer
        stated = retry_after is not None and retry_after.isascii() and retry_after.isdigit()
        self.retry_after = float(retry_after) if stated and retry_after is not None else None
        vars(self).update(
            code=answer.code,
            retryable=answer.retryable,
            remedy=answer.remedy,
            http_status=answer.status,
        )


def problem_in(status: int, headers: Mapping[str, str], body: bytes) -> ProblemView | None:
    """Return the problem document of an answer, None if it is none."""
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        return None
    try:
        found = ProblemView.model_validate_json(body)
    except ValidationError:
        return None
    return found if found.status == status else None
