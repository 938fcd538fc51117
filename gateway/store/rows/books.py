"""Rows of reconciliation: one message as a statement needs it, and balances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.documents.codes import DocumentType, Verdict
from gateway.store.states import BalanceState, BooksSide


@dataclass(frozen=True, kw_only=True)
class BookLine:
    """Is one message in our books, sent or received, as a statement needs it.

    Attributes:
        verdict: of a sent message only where the receipt is stored.
    """

    message_id: str
    document_type: DocumentType
    document_number: str | None
    envelope_sha256: str
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True)
class Span:
    """Is a stretch of one peer's messages: created from ``start`` until before ``end``.

    Attributes:
        after, up_to: bounds of the message ids; None is open.
    """

    peer_id: int
    start: datetime
    end: datetime
    after: str | None = None
    up_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Is how far both books agree about one part of one day.

    Attributes:
        side: SENT where our own messages are stated, RECEIVED where the peer's are.
        first_round: round in which the present series of attempts began.
        due_at: when the part is stated again; None where nothing is to be done here.
        counts, totals: what was stated, as in the statement.
        differences: how often each outcome other than MATCHED stood in the last answer.
        statement_sha256, answer_sha256: the signed envelopes of statement and answer.
    """

    id: int
    peer_id: int
    side: BooksSide
    day: date
    part: int
    parts: int
    after: str | None
    up_to: str | None
    state: BalanceState
    round: int
    first_round: int
    due_at: datetime | None
    counts: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    differences: Mapping[str, int]
    statement_id: str | None
    answer_id: str | None
    created_at: datetime
    updated_at: datetime
    statement_sha256: str | None
    answer_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class NewBalance:
    """Names a part of a day that both books are to be compared about."""

    peer_id: int
    side: BooksSide
    day: date
    part: int
    parts: int
    after: str | None
    up_to: str | None
    at: datetime
