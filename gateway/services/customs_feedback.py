"""What customs reported about one's certificates, page by page, what needs an answer first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field, TypeAdapter

from gateway.errors import InputError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import CertificateRow, ResponseRow, feedback, utilisation
from gateway.store.feedback import FeedbackPosition, Urgency
from gateway.store.types import canonical_json

_LONGEST_CURSOR: Final = 200


def _is_aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("has no offset")
    return moment.astimezone(UTC)


_VALUES: Final[TypeAdapter[tuple[int, datetime | None, int]]] = TypeAdapter(
    tuple[
        Annotated[int, Field(ge=0, le=max(Urgency))],
        Annotated[datetime, AfterValidator(_is_aware)] | None,
        Annotated[int, Field(ge=0, le=2**63 - 1)],
    ]
)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """Is the newest response of customs to one certificate."""

    urgency: Urgency
    row: CertificateRow
    response: ResponseRow


@dataclass(frozen=True, kw_only=True)
class FeedbackPage:
    """Is one page of feedback; ``cursor`` asks for the next, None after the last."""

    feedback: tuple[Feedback, ...]
    cursor: str | None


def customs_feedback(
    counter: Counter,
    caller: Caller,
    *,
    urgencies: Collection[Urgency] = tuple(Urgency),
    cursor: str | None,
    limit: int,
) -> FeedbackPage:
    """Return what customs reported about the caller's certificates, refusals first.

    Raises:
        InputError: the cursor is none of this list.
    """
    caller.require(Scope.READ)
    after = None if cursor is None else _read(cursor)
    with counter.desk.store.read() as conn:
        found = feedback.page(conn, caller.visible, urgencies, after=after, limit=limit)
        keys = [row.id for _, row in found.certificates]
        newest = utilisation.newest_received(conn, keys)
    told = tuple(
        Feedback(urgency=urgency, row=row, response=newest[row.id])
        for urgency, row in found.certificates
        if row.id in newest
    )
    return FeedbackPage(feedback=told, cursor=None if found.go_on is None else _write(found.go_on))


def _write(position: FeedbackPosition) -> str:
    at = None if position.at is None else position.at.isoformat()
    values = [int(position.urgency), at, position.certificate_id]
    return base64.urlsafe_b64encode(canonical_json(values).encode()).decode("ascii").rstrip("=")


def _read(cursor: str) -> FeedbackPosition:
    try:
        padded = cursor[:_LONGEST_CURSOR] + "=" * (-len(cursor[:_LONGEST_CURSOR]) % 4)
        raw = base64.b64decode(padded, b"-_", validate=True)
        urgency, at, key = _VALUES.validate_json(raw)
    except (ValueError, binascii.Error) as exc:  # a ValidationError is a ValueError
        raise InputError("the cursor belongs to another list; begin without one") from exc
    return FeedbackPosition(urgency=Urgency(urgency), at=at, certificate_id=key)
