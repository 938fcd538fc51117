"""The calls about batches, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.client.api.shared import FindingView, Links, PeerJudgement
from gateway.client.calls import Calls, step
from gateway.client.connection import Body
from gateway.client.views import Known, View


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


class LineOutcome(StrEnum):
    """Says what became of one document of a batch."""

    ACCEPTED = "ACCEPTED"
    REPEATED = "REPEATED"
    REFUSED = "REFUSED"


class BatchFailure(View):
    """Is why a batch as a whole could not be worked on."""

    code: str
    detail: str


class BatchLinks(View):
    """Holds addresses below this gateway for what follows."""

    batch: str
    results: str
    cancel: str


class BatchAnswer(View):
    """Is a batch: what was handed in, and how far it has come.

    Attributes:
        sha256: digest of what was handed in.
        lines: documents read so far; the next three say what became of them.
        repeated: documents that were submitted before, which is no error.
        progress: part of the batch that was read, from 0 to 1.
        expected_end: at the rate so far; null while nothing can be said.
        failure: null unless the state is FAILED.
    """

    batch_id: str
    kind: Known[BatchKind]
    form: Known[BatchForm]
    format: str | None
    dry_run: bool
    state: Known[BatchState]
    size: int
    sha256: str
    lines: int
    accepted: int
    repeated: int
    refused: int
    progress: float
    lines_per_second: float | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expected_end: datetime | None
    failure: BatchFailure | None
    links: BatchLinks


class BatchesAnswer(View):
    """Is one page of batches, the newest first."""

    batches: tuple[BatchAnswer, ...]
    next: int | None


class LineProblem(View):
    """Is why a document was refused: what its single submission would have answered.

    Attributes:
        code: one of docs/errors.md.
        findings: everything that is wrong, in the language asked for.
    """

    code: str
    detail: str
    findings: tuple[FindingView, ...]


class LineView(View):
    """Is what became of one document of a batch.

    Attributes:
        line: where it begins, or the place of the file in the order of names.
        file: name of the file in an archive.
        reference: what its sender knows it by, as far as that could be read.
        findings: warnings of a document that was taken.
        peer: for a dry run only.
    """

    line: int
    file: str | None
    outcome: Known[LineOutcome]
    reference: str | None
    document_number: str | None
    issuing_country: str | None
    serial_number: str | None
    message_id: str | None
    receiver: str | None
    findings: tuple[FindingView, ...]
    problem: LineProblem | None
    peer: PeerJudgement | None
    links: Links | None


class ResultsAnswer(View):
    """Is one page of results, in the order of the lines.

    Attributes:
        next: `after` of the next page; null where no more results are known yet or ever.
    """

    batch_id: str
    state: Known[BatchState]
    results: tuple[LineView, ...]
    next: int | None


class BatchesCalls(Calls):
    """Makes the calls about batches."""

    def submit_batch(
        self,
        content: Body,
        *,
        media_type: str,
        format: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> BatchAnswer:
        """Take many certificates of origin at once, to be worked on one after the other.

        Each is submitted as if it had come alone; one that is refused harms no other.

        POST /batches, with the scope certificates:submit.
        """
        return self._post(
            BatchAnswer,
            "/batches",
            content,
            media_type=media_type,
            query={"format": format, "dry_run": dry_run},
            idempotency_key=idempotency_key,
            keyed=True,
        )

    def submit_response_batch(
        self,
        content: Body,
        *,
        media_type: str,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> BatchAnswer:
        """Take many decisions of customs at once, to be worked on one after the other.

        POST /batches/responses, with the scope responses:submit.
        """
        return self._post(
            BatchAnswer,
            "/batches/responses",
            content,
            media_type=media_type,
            query={"dry_run": dry_run},
            idempotency_key=idempotency_key,
            keyed=True,
        )

    def list_batches(self, *, limit: int = 50, cursor: int | None = None) -> BatchesAnswer:
        """Return the batches of the caller's organisation, the newest first.

        GET /batches, with any key.
        """
        return self._get(BatchesAnswer, "/batches", {"limit": limit, "cursor": cursor})

    def get_batch(self, batch: str) -> BatchAnswer:
        """Return how far a batch of the caller's organisation has come.

        GET /batches/{batch}, with any key.
        """
        return self._get(BatchAnswer, f"/batches/{step(batch)}")

    def get_batch_results(
        self, batch: str, *, after: int = 0, limit: int = 200, outcome: LineOutcome | None = None
    ) -> ResultsAnswer:
        """Return what became of the lines of a batch, page by page, also while it is worked on.

        GET /batches/{batch}/results, with any key.
        """
        return self._get(
            ResultsAnswer,
            f"/batches/{step(batch)}/results",
            {"after": after, "limit": limit, "outcome": outcome},
        )

    def cancel_batch(self, batch: str) -> BatchAnswer:
        """End a batch before all its lines were read; what was accepted stays accepted.

        POST /batches/{batch}/cancel, with any key.
        """
        return self._post(BatchAnswer, f"/batches/{step(batch)}/cancel")
