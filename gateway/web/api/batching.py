"""Handlers of the addresses of batches: handing one in, looking at it, cancelling it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.documents import Finding, Language
from gateway.errors import InputError
from gateway.services import batches as service
from gateway.services.counter import GivenAnswer
from gateway.services.wording import FindingView, finding_view
from gateway.store import Batch, BatchForm, BatchKind, BatchLine, LineOutcome
from gateway.web.api.answers import PeerJudgement
from gateway.web.api.batch_answers import (
    BatchAnswer,
    BatchesAnswer,
    BatchFailure,
    BatchLinks,
    LineProblem,
    LineView,
    ResultsAnswer,
)
from gateway.web.api.handing_over import links_to
from gateway.web.api.routes import BASE, Call, Reply

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
ZIP: Final = "application/zip"
_FORMS: Final = {NDJSON: BatchForm.NDJSON, CSV: BatchForm.CSV, ZIP: BatchForm.ZIP}


def submit_certificates(call: Call) -> Reply:
    """Take many certificates of origin at once, to be worked on one after the other.

    Each is submitted as if it had come alone; one that is refused harms no other.
    """
    return _received(call, BatchKind.CERTIFICATES, call.query.format)


def submit_decisions(call: Call) -> Reply:
    """Take many decisions of customs at once, to be worked on one after the other."""
    return _received(call, BatchKind.RESPONSES, None)


def list_batches(call: Call) -> Reply:
    """Return the batches of the caller's organisation, the newest first."""
    query = call.query
    found, following = service.page_of_batches(
        call.counter, call.caller, before=query.cursor, limit=query.limit
    )
    return Reply(content=BatchesAnswer(batches=tuple(map(_answer, found)), next=following))


def get_batch(call: Call) -> Reply:
    """Return how far a batch of the caller's organisation has come."""
    return Reply(content=_answer(service.one_batch(call.counter, call.caller, call.path.batch)))


def get_results(call: Call) -> Reply:
    """Return what became of the lines of a batch, page by page, also while it is worked on."""
    query = call.query
    batch, lines = service.page_of_lines(
        call.counter,
        call.caller,
        call.path.batch,
        after=query.after,
        limit=query.limit,
        outcome=query.outcome,
    )
    last = lines[-1].number if lines else query.after
    goes_on = len(lines) == query.limit or not batch.state.is_final
    return Reply(
        content=ResultsAnswer(
            batch_id=batch.batch_id,
            state=batch.state,
            results=tuple(_line(line, call.language, dry=batch.dry_run) for line in lines),
            next=last if goes_on else None,
        )
    )


def cancel_batch(call: Call) -> Reply:
    """End a batch before all its lines were read; what was accepted stays accepted."""
    return Reply(content=_answer(service.cancel(call.counter, call.caller, call.path.batch)))


def _received(call: Call, kind: BatchKind, format_name: str | None) -> Reply:
    if call.stream is None:
        raise InputError("the request has no body")
    order = service.BatchOrder(
        kind=kind, form=_FORMS[call.media_type], format=format_name, dry_run=call.query.dry_run
    )
    upload = service.Upload(pieces=call.stream.pieces, key_of=call.stream.key_of, give=_given)
    given = service.receive(call.counter, call.caller, order, upload)
    replayed = {"Idempotency-Replayed": "true"} if given.replayed else {}
    return Reply(content=given.body, status=given.status, headers=replayed)


def _given(batch: Batch) -> GivenAnswer:
    return GivenAnswer(status=202, body=_answer(batch).model_dump_json().encode())


def _answer(batch: Batch) -> BatchAnswer:
    address = f"{BASE}/batches/{batch.batch_id}"
    progress = service.progress_of(batch)
    rate = progress.lines_per_second
    failure = None
    if batch.code is not None:
        failure = BatchFailure(code=batch.code, detail=batch.detail or "")
    names = BatchAnswer.model_fields.keys() & batch.__dataclass_fields__.keys()
    return BatchAnswer(
        **{name: getattr(batch, name) for name in names - {"sha256"}},
        sha256=batch.sha256 or "",
        progress=round(progress.part, 4),
        lines_per_second=None if rate is None else round(rate, 1),
        expected_end=progress.expected_end,
        failure=failure,
        links=BatchLinks(batch=address, results=f"{address}/results", cancel=f"{address}/cancel"),
    )


def _line(line: BatchLine, language: Language, *, dry: bool) -> LineView:
    refused = line.outcome is LineOutcome.REFUSED
    findings = _findings(line.findings, language)
    problem = links = None
    if refused:
        problem = LineProblem(code=line.code or "", detail=line.detail or "", findings=findings)
    if line.issuing_country is not None and line.serial_number is not None and not dry:
        links = links_to(line.issuing_country, line.serial_number, line.message_id)
    shared = LineView.model_fields.keys() & line.__dataclass_fields__.keys() - {"findings"}
    return LineView(
        **{name: getattr(line, name) for name in shared},
        line=line.number,
        file=line.name,
        findings=() if refused else findings,
        problem=problem,
        peer=_judgement(line, language) if dry and not refused else None,
        links=links,
    )


def _judgement(line: BatchLine, language: Language) -> PeerJudgement:
    return PeerJudgement(
        would_refuse=bool(line.would_refuse), findings=_findings(line.peer_findings, language)
    )


def _findings(values: Iterable[Mapping[str, Any]], language: Language) -> tuple[FindingView, ...]:
    # Strict models take enumerations from JSON only as members, so these are read leniently.
    return tuple(
        finding_view(Finding.model_validate(value, strict=False), language) for value in values
    )
