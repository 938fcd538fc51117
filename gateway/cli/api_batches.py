"""The group ``eco api batch``: many documents at once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import click

from gateway.cli.asking import asking, finding_lines
from gateway.cli.main import Invocation, OrderedGroup, limit_option
from gateway.cli.output import ExitStatus, minute, stop, table
from gateway.client import Gateway
from gateway.client.api.batches import BatchAnswer, BatchState, LineOutcome, LineView

_MEDIA_TYPES = {
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
    ".zip": "application/zip",
}


@click.group(cls=OrderedGroup)
def batch() -> None:
    """Hand many documents in at once, and see what became of each."""


@batch.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", default=None, help="National format of the documents.")
@click.option("--responses", is_flag=True, help="The documents are decisions of customs.")
@click.option("--dry-run", "dry", is_flag=True, help="Try every line; store none.")
@click.option(
    "--idempotency", "name", metavar="NAME", help="Handed in again under it, it is one batch."
)
@click.option("--wait", is_flag=True, help="Wait until the batch has ended.")
@asking
def submit(
    call: Invocation,
    gateway: Gateway,
    file: Path,
    form: str | None,
    responses: bool,
    dry: bool,
    name: str | None,
    wait: bool,
) -> None:
    """Hand FILE in: .ndjson or .jsonl (one a line), .csv or .zip (one a file).

    With --wait the exit status is 1 when a document was refused.
    """
    media_type = _MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise click.BadParameter(f"ends in none of {', '.join(_MEDIA_TYPES)}: {file}")
    if responses and form is not None:
        raise click.BadParameter("decisions of customs have no national format")
    with file.open("rb") as content:
        found = (
            gateway.submit_response_batch(
                content, media_type=media_type, dry_run=dry, idempotency_key=name
            )
            if responses
            else gateway.submit_batch(
                content, media_type=media_type, format=form, dry_run=dry, idempotency_key=name
            )
        )
    if wait:
        found = gateway.finished_batch(found.batch_id)
    call.output.result(found, _batch_lines(found))
    stop(_status(found) if wait else ExitStatus.OK)


@batch.command()
@click.argument("batch_id", metavar="BATCH")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@asking
def show(call: Invocation, gateway: Gateway, batch_id: str, wait: bool) -> None:
    """Show how far BATCH has come.

    With --wait the exit status is 1 when a document was refused.
    """
    found = gateway.finished_batch(batch_id) if wait else gateway.get_batch(batch_id)
    call.output.result(found, _batch_lines(found))
    stop(_status(found) if wait else ExitStatus.OK)


@batch.command()
@click.argument("batch_id", metavar="BATCH")
@click.option("--refused", is_flag=True, help="Only documents that were refused.")
@limit_option(100, "At most so many documents.")
@asking
def results(call: Invocation, gateway: Gateway, batch_id: str, refused: bool, limit: int) -> None:
    """List what became of each document of BATCH, as far as it has come."""
    outcome = LineOutcome.REFUSED if refused else None
    found = list(islice(gateway.batch_results(batch_id, outcome=outcome), limit))
    lines = (line for each in found for line in _result_lines(each))
    call.output.result(found, lines if found else ["no result yet"])


@batch.command("list")
@limit_option(50, "Newest batches.")
@asking
def list_batches(call: Invocation, gateway: Gateway, limit: int) -> None:
    """List the batches of one's organisation, the newest first."""
    found = gateway.list_batches(limit=min(limit, 200)).batches
    rows = [
        (minute(each.created_at), each.batch_id, each.kind, each.state, each.lines, each.refused)
        for each in found
    ]
    heads = ("handed in (UTC)", "batch", "of", "state", "lines", "refused")
    call.output.result(list(found), table(heads, rows) if found else ["there is no batch"])


@batch.command()
@click.argument("batch_id", metavar="BATCH")
@asking
def cancel(call: Invocation, gateway: Gateway, batch_id: str) -> None:
    """End BATCH before all its lines were read; what was accepted stays accepted."""
    found = gateway.cancel_batch(batch_id)
    call.output.result(found, _batch_lines(found))


def _status(found: BatchAnswer) -> ExitStatus:
    whole = found.state == BatchState.DONE and found.refused == 0
    return ExitStatus.OK if whole else ExitStatus.REFUSED


def _batch_lines(found: BatchAnswer) -> list[str]:
    counts = f"{found.accepted} accepted, {found.repeated} repeated, {found.refused} refused"
    lines = [
        f"{found.batch_id}  {found.state}{', dry run' if found.dry_run else ''}",
        f"  read      {found.lines} documents, {found.progress:.0%} of {found.size} bytes",
        f"  became    {counts}",
    ]
    if found.expected_end is not None:
        lines.append(f"  ends      about {minute(found.expected_end)} UTC")
    if found.failure is not None:
        lines.append(f"  failed    [{found.failure.code}] {found.failure.detail}")
    return lines


def _result_lines(each: LineView) -> list[str]:
    place = each.file or f"line {each.line}"
    number = each.document_number or each.reference or ""
    if each.problem is not None:
        head = f"✗ {place} {number} refused [{each.problem.code}] {each.problem.detail}"
        return [head, *finding_lines(each.problem.findings)]
    mark = "=" if each.outcome == LineOutcome.REPEATED else "✓"
    to = f" for {each.receiver}" if each.receiver else ""
    return [f"{mark} {place} {number}{to}", *finding_lines(each.findings)]
