"""Doing with one document of a batch what a single submission does, and wording the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from gateway.documents import Finding
from gateway.documents.base import printable
from gateway.errors import ConflictError, GatewayError, InternalError
from gateway.exchange.booking import Ahead
from gateway.exchange.intake import Reading
from gateway.exchange.responding import CustomsAction
from gateway.services.access import Caller
from gateway.services.batches.portions import Portion
from gateway.services.counter import Counter
from gateway.services.submission import (
    Taken,
    decide,
    prepare_ahead,
    readable,
    submit,
    try_decision,
    try_submission,
)
from gateway.store import BatchLine, LineOutcome
from gateway.store.nesting import part_of

log = structlog.get_logger(__name__)

_MOST_FINDINGS: Final = 500
_LONGEST_REFERENCE: Final = 140
_LONGEST_DETAIL: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Readied:
    """Is one document as far as it can be worked on without writing.

    Attributes:
        document: None where it could not be read.
        line: the result, where it is known already.
    """

    portion: Portion
    document: Reading | CustomsAction | None = None
    ahead: Ahead | None = None
    line: BatchLine | None = None


@dataclass(frozen=True, kw_only=True)
class LineWork:
    """Works on the documents of one batch for whoever handed it in.

    Attributes:
        patient: what may pass later ends the work on the batch for now; else it is refused.
    """

    counter: Counter
    caller: Caller
    dry_run: bool
    patient: bool

    def ready(self, portion: Portion) -> Readied:
        """Return a document read, judged and signed, or tried; nothing of it is stored.

        Raises:
            GatewayError: one that may pass later.
        """
        document: Reading | CustomsAction | None = None
        try:
            document = portion.read()
            if isinstance(document, Reading):
                readable(document)
            if self.dry_run:
                taken = self._tried(document)
                return Readied(portion=portion, line=accepted(portion, taken, dry_run=True))
            ahead = None
            if isinstance(document, Reading):
                ahead = prepare_ahead(self.counter, self.caller, document)
        except Exception as exc:  # noqa: BLE001 - one bad document must not stop the batch
            line = self._refused(portion, document, exc)
            return Readied(portion=portion, document=document, line=line)
        return Readied(portion=portion, document=document, ahead=ahead)

    def book(self, conn: Connection, readied: Readied) -> BatchLine:
        """Return what became of a document, which is submitted within ``conn``.

        Raises:
            GatewayError: one that may pass later; the transaction must be given up.
        """
        if readied.line is not None or readied.document is None:
            return readied.line or refused(readied.portion, None, InternalError("no document"))
        try:
            return accepted(readied.portion, self._booked(conn, readied), dry_run=False)
        except Exception as exc:  # noqa: BLE001 - one bad document must not stop the batch
            return self._refused(readied.portion, readied.document, exc)

    def _booked(self, conn: Connection, readied: Readied) -> Taken:
        document = readied.document
        if isinstance(document, CustomsAction):
            with part_of(conn):
                return decide(self.counter, conn, self.caller, document)
        assert isinstance(document, Reading)  # noqa: S101 - `book` has looked
        try:
            with part_of(conn):
                return submit(self.counter, conn, self.caller, document, ahead=readied.ahead)
        except ConflictError:  # the same came another way at this moment: look once more
            with part_of(conn):
                return submit(self.counter, conn, self.caller, document)

    def _tried(self, document: Reading | CustomsAction) -> Taken:
        if isinstance(document, CustomsAction):
            return try_decision(self.counter, self.caller, document)
        return try_submission(self.counter, self.caller, document)

    def _refused(
        self, portion: Portion, document: Reading | CustomsAction | None, exc: Exception
    ) -> BatchLine:
        if isinstance(exc, GatewayError):
            if exc.retryable and self.patient:
                raise exc
            return refused(portion, document, exc)
        log.error("line failed", number=portion.number, error=type(exc).__name__)
        own = InternalError("the gateway failed on its own account")
        return refused(portion, document, own)


def accepted(portion: Portion, taken: Taken, *, dry_run: bool) -> BatchLine:
    """Return the result of a document that was taken, or would be."""
    submission = taken.submission
    return BatchLine(
        number=portion.number,
        name=portion.name,
        outcome=LineOutcome.REPEATED if submission.repeated else LineOutcome.ACCEPTED,
        reference=_short(submission.document_number),
        document_number=submission.document_number,
        issuing_country=taken.issuing_country,
        serial_number=taken.serial_number,
        message_id=submission.message_id,
        receiver=None if taken.peer is None else taken.peer.identifier,
        findings=_values(submission.findings),
        peer_findings=_values(taken.peer_findings),
        would_refuse=taken.peer_refuses if dry_run else None,
    )


def refused(
    portion: Portion, document: Reading | CustomsAction | None, error: GatewayError
) -> BatchLine:
    """Return the result of a document that was not taken, with everything that is wrong."""
    reference = None
    if isinstance(document, CustomsAction) or document is not None:
        reference = document.reference
    return BatchLine(
        number=portion.number,
        name=portion.name,
        outcome=LineOutcome.REFUSED,
        reference=_short(reference),
        code=error.code,
        detail=str(printable(error.detail))[:_LONGEST_DETAIL],
        findings=_values(error.findings),
    )


def _short(text: str | None) -> str | None:
    return None if text is None else str(printable(text))[:_LONGEST_REFERENCE]


def _values(findings: tuple[Finding, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(each.model_dump(mode="json") for each in findings[:_MOST_FINDINGS])
