"""The closed vocabularies of batches, guarded by CHECK constraints like all of the store."""

from __future__ import annotations

from enum import StrEnum


class BatchKind(StrEnum):
    """Says what the documents of a batch are."""

    CERTIFICATES = "CERTIFICATES"
    RESPONSES = "RESPONSES"


class BatchForm(StrEnum):
    """Says how a batch holds its documents: one a line, in groups of rows, or as files."""

    NDJSON = "NDJSON"
    CSV = "CSV"
    ZIP = "ZIP"


class BatchState(StrEnum):
    """Is how far a batch has come; RECEIVING lasts while its bytes arrive."""

    RECEIVING = "RECEIVING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the batch."""
        return self in (BatchState.DONE, BatchState.CANCELLED, BatchState.FAILED)


class LineOutcome(StrEnum):
    """Says what became of one document of a batch."""

    ACCEPTED = "ACCEPTED"
    REPEATED = "REPEATED"
    REFUSED = "REFUSED"
