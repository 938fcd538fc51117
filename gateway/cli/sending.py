"""The commands that send: certificates of origin, and what customs did with them.

Each file stands for itself: whatever is wrong with one, the others are submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from gateway.app import Gateway
from gateway.cli.main import Invocation, common
from gateway.cli.opening import FILE, content, label, the_gateway
from gateway.cli.output import (
    ExitStatus,
    Output,
    exit_status_of,
    finding_lines,
    plain,
    stop,
    together,
)
from gateway.cli.papers import FORMAT, certificates_in, known_form
from gateway.documents import Document, Finding, Verdict, from_json, verdict_of
from gateway.errors import GatewayError, InternalError
from gateway.exchange.intake import Reading
from gateway.exchange.outbound import Submission, dry_run, submit_document, submit_signed
from gateway.exchange.responding import CustomsAction
from gateway.exchange.responding import respond as respond_to
from gateway.exchange.trust_findings import finding_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Is what became of one document of a submitted file.

    Attributes:
        reference: the document's number, as far as it could be read.
        repeated: it was submitted before; nothing new was stored.
        retryable: the same file may be taken later.
    """

    file: str
    reference: str
    accepted: bool
    message_id: str | None = None
    receiver: str | None = None
    repeated: bool = False
    code: str | None = None
    detail: str | None = None
    retryable: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Is an answer with the exit status that it alone would end the command with."""

    answer: Answer
    status: ExitStatus


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@FORMAT
@click.option("--dry-run", "dry", is_flag=True, help="Answer as submission would; store nothing.")
@common
def submit(call: Invocation, files: Sequence[Path], form: str | None, dry: bool) -> None:
    """Submit every certificate of origin in FILES; a bad one harms no other.

    Each is checked, signed with the authority's key unless it came signed, registered and
    queued.  A FILE may be `-` for standard input.  The exit status is 1 when any was refused.
    """
    with the_gateway(call) as gateway:
        known = known_form(gateway, form)
        _warn_of_fault(call.output, gateway, known)
        _finish(
            call.output,
            (
                outcome
                for file in files
                for outcome in _guarded(
                    call, file, partial(_submitted, gateway, file, known, dry=dry)
                )
            ),
            "would be sent to" if dry else "queued for",
        )


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@common
def respond(call: Invocation, files: Sequence[Path]) -> None:
    """Record the decision of customs in each of FILES (JSON) and send the response.

    docs/command-forms.md describes the form.  The same reference said again repeats the answer
    and writes nothing off twice.  A bad file harms no other; the exit status is 1 when any was
    refused.
    """
    with the_gateway(call) as gateway:
        _finish(
            call.output,
            (
                outcome
                for file in files
                for outcome in _guarded(call, file, partial(_responded, gateway, file))
            ),
            "queued for",
        )


def _warn_of_fault(output: Output, gateway: Gateway, form: str | None) -> None:
    """Say that the mapping file of a format is not in force as it stands, if it is not."""
    for fault in gateway.national.faults:
        if fault.name == form:
            output.note(f"! {fault.file} as it stands is not in force: {fault.errors[0]}")


def _finish(output: Output, outcomes: Iterable[Outcome], word: str) -> None:
    """Tell each outcome as soon as it is there, then end with the status of all together."""
    told: list[Outcome] = []
    for outcome in outcomes:
        told.append(outcome)
        output.say(_line(outcome.answer, word))
        output.say(*finding_lines(outcome.answer.findings, output.language))
    output.value([plain(outcome.answer) for outcome in told])
    stop(together([outcome.status for outcome in told]))


def _guarded(
    call: Invocation, file: Path, run: Callable[[], Iterable[Outcome]]
) -> Iterator[Outcome]:
    """Yield what ``run`` gives; whatever it raises becomes one more outcome."""
    try:
        yield from run()
    except GatewayError as exc:
        yield _refused(file, "", exc)
    except Exception as exc:
        if call.debug:
            raise
        fault = InternalError(f"a fault in eco itself ({type(exc).__name__}); `--debug` shows it")
        yield _refused(file, "", fault)


def _submitted(gateway: Gateway, file: Path, form: str | None, *, dry: bool) -> Iterator[Outcome]:
    for reading in certificates_in(gateway, content(file), form):
        if reading.document is None:
            yield _unreadable(file, reading)
            continue
        try:
            answer = _send(gateway, reading, reading.document, dry=dry)
        except GatewayError as exc:
            yield _refused(file, reading.reference, exc, reading.findings)
        else:
            yield _taken(file, answer, reading.findings + answer.findings)


def _responded(gateway: Gateway, file: Path) -> Iterator[Outcome]:
    action = from_json(CustomsAction, content(file))
    try:
        submission = respond_to(gateway.desk, action)
    except GatewayError as exc:
        yield _refused(file, action.serial_number, exc)
    else:
        yield _taken(file, submission, submission.findings)


def _send(gateway: Gateway, reading: Reading, document: Document, *, dry: bool) -> Submission:
    if dry:
        return dry_run(gateway.desk, document)
    if reading.signed is not None:
        return submit_signed(gateway.desk, reading.signed)
    return submit_document(gateway.desk, document, mapping=reading.mapping)


def _taken(file: Path, submission: Submission, findings: tuple[Finding, ...]) -> Outcome:
    accepted = verdict_of(findings) is not Verdict.REFUSED
    answer = Answer(
        file=label(file),
        reference=submission.document_number,
        accepted=accepted,
        message_id=submission.message_id,
        receiver=submission.receiver,
        repeated=submission.repeated,
        code=None if accepted else "INVALID_DOCUMENT",
        findings=findings,
    )
    return Outcome(answer, ExitStatus.OK if accepted else ExitStatus.REFUSED)


def _unreadable(file: Path, reading: Reading) -> Outcome:
    answer = Answer(
        file=label(file),
        reference=reading.reference,
        accepted=False,
        code="INVALID_DOCUMENT",
        findings=reading.findings,
    )
    return Outcome(answer, ExitStatus.REFUSED)


def _refused(
    file: Path, reference: str, error: GatewayError, findings: tuple[Finding, ...] = ()
) -> Outcome:
    answer = Answer(
        file=label(file),
        reference=reference,
        accepted=False,
        code=error.code,
        detail=error.detail,
        retryable=error.retryable,
        findings=findings + (error.findings or (finding_of(error),)),
    )
    return Outcome(answer, exit_status_of(error))


def _line(answer: Answer, word: str) -> str:
    name = f"{answer.reference} ({answer.file})" if answer.reference else answer.file
    if not answer.accepted:
        return f"✗ {name} refused [{answer.code}]"
    if answer.repeated:
        return f"= {name} was submitted before as {answer.message_id}"
    as_message = f" as {answer.message_id}" if answer.message_id else ""
    return f"✓ {name} {word} {answer.receiver}{as_message}"
