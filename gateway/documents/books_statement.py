"""The books statement: what one gateway sent another on one day, and what the other holds.

A statement goes to the receiver of the messages; the receiver answers with a statement of its
own.  Two statements that agree are the proof that nothing was lost.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.documents.base import (
    Content,
    CountryCode,
    Day,
    Identifier,
    Moment,
    Quantity,
    Record,
    Sha256,
)
from gateway.documents.codes import BooksOutcome, BooksStatus, DocumentType, Verdict

MOST_STATED = 5_000
"""Messages that one part may state; the gateway writes far smaller ones."""

_Count = Annotated[int, Field(ge=0, le=999_999_999)]
_Small = Annotated[int, Field(ge=1, le=99_999)]


class StatedMessage(Record):
    """Is one message of the day in the books of whoever states it.

    Attributes:
        verdict: the receiver's signed answer; absent where the sender has none yet.
        outcome: on an answer only: how this entry compares with the statement's.
        copy_of_envelope: the message byte for byte, returned to a sender that lost it.
    """

    message_id: Identifier
    document_type: DocumentType
    document_number: Identifier | None = None
    envelope_sha256: Sha256
    verdict: Verdict | None = None
    outcome: BooksOutcome | None = None
    copy_of_envelope: Content | None = None


class StatedItem(Record):
    """Is the cumulative quantity written off one goods item."""

    number: Annotated[int, Field(ge=1, le=99_999)]
    used: Quantity


class StatedTotal(Record):
    """Is what one certificate of origin was used for, as of one customs response.

    Attributes:
        sequence_number: the newest response of the part; the totals are as of it.
        outcome: on an answer only: MATCHED, UNKNOWN_HERE or OTHER_TOTAL.
    """

    serial_number: Identifier
    issuing_country: CountryCode
    sequence_number: Annotated[int, Field(ge=1, le=99_999)]
    items: Annotated[tuple[StatedItem, ...], Field(max_length=MOST_STATED)] = ()
    outcome: BooksOutcome | None = None


class StatedCount(Record):
    """Is how many messages of one type are stated, by what became of them."""

    document_type: DocumentType
    messages: _Count
    accepted: _Count
    refused: _Count
    unanswered: _Count


class BooksStatement(Record):
    """Is one part of what one gateway sent another on one day (UTC, by time of creation).

    A part covers the message ids above ``after`` up to and including ``up_to``, so that each
    part is complete in itself and 20,000 messages a day need no large document.

    Attributes:
        round: 1 for the first statement about the part; rises until both sides agree.
        answers: message id of the statement that this one answers; absent on the sender's.
        status: STATED on the sender's statement; AGREED or DIFFERENCES on the answer.
        after, up_to: bounds of the part; absent at the ends of the day.
    """

    statement_number: Identifier
    issued_at: Moment
    test: bool = False
    sender: Identifier
    sender_country: CountryCode
    receiver: Identifier
    receiver_country: CountryCode
    day: Day
    part: _Small
    parts: _Small
    round: _Small
    after: Identifier | None = None
    up_to: Identifier | None = None
    answers: Identifier | None = None
    status: BooksStatus
    counts: Annotated[tuple[StatedCount, ...], Field(max_length=100)] = ()
    messages: Annotated[tuple[StatedMessage, ...], Field(max_length=MOST_STATED)] = ()
    totals: Annotated[tuple[StatedTotal, ...], Field(max_length=MOST_STATED)] = ()
