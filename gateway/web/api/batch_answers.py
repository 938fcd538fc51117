"""The answers about batches as models."""

from __future__ import annotations

from datetime import datetime

from gateway.services.wording import FindingView, View
from gateway.store import BatchForm, BatchKind, BatchState, LineOutcome
from gateway.web.api.answers import Links, PeerJudgement


class BatchLinks(View):
    """Holds addresses below this gateway for what follows."""

    batch: str
    results: str
    cancel: str


class BatchFailure(View):
    """Is why a batch as a whole could not be worked on."""

    code: str
    detail: str


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
    kind: BatchKind
    form: BatchForm
    format: str | None
    dry_run: bool
    state: BatchState
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
    outcome: LineOutcome
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
    state: BatchState
    results: tuple[LineView, ...]
    next: int | None
