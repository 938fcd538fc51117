"""The commands that send: certificates of origin, and what customs did with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.app import Gateway, open_gateway
from gateway.cli.main import Invocation, common
from gateway.cli.output import ExitStatus, finding_lines, stop
from gateway.cli.papers import FILE, FORMAT_HELP, content
from gateway.documents import Document, Finding, Verdict, from_json, verdict_of
from gateway.errors import GatewayError
from gateway.exchange.intake import Reading, read_certificates
from gateway.exchange.outbound import Submission, dry_run, submit_document, submit_signed
from gateway.exchange.responding import CustomsAction
from gateway.exchange.responding import respond as respond_to
from gateway.exchange.trust_findings import finding_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Is what became of one certificate of a submitted file."""

    file: str
    reference: str
    accepted: bool
    message_id: str | None
    receiver: str | None
    repeated: bool
    code: str | None
    findings: tuple[Finding, ...]


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--format", "form", default=None, help=FORMAT_HELP)
@click.option("--dry-run", "dry", is_flag=True, help="Answer as submission would; store nothing.")
@common
def submit(call: Invocation, files: Sequence[Path], form: str | None, dry: bool) -> None:
    """Submit every certificate of origin in FILES; a bad one harms no other.

    Each is checked, signed with the authority's key unless it came signed, registered and
    queued.  The exit status is 1 when any was refused.
    """
    gateway = open_gateway(call.home)
    answers = [
        _answer(gateway, file, reading, dry)
        for file in files
        for reading in read_certificates(gateway.desk, content(file), form, gateway.national)
    ]
    lines: list[str] = []
    for answer in answers:
        lines.append(_line(answer, dry))
        lines += finding_lines(answer.findings, call.output.language)
    call.output.result(answers, lines)
    stop(ExitStatus.OK if all(a.accepted for a in answers) else ExitStatus.REFUSED)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@common
def respond(call: Invocation, files: Sequence[Path]) -> None:
    """Record the decision of customs in each of FILES (JSON) and send the response.

    The form is described in docs/commands.md.  The same reference said again repeats the
    answer and writes nothing off twice.
    """
    gateway = open_gateway(call.home)
    sent = [respond_to(gateway.desk, from_json(CustomsAction, content(file))) for file in files]
    lines: list[str] = []
    for submission in sent:
        what = "was sent before" if submission.repeated else "is queued"
        lines.append(f"{submission.document_number} {what} for {submission.receiver}")
        lines += finding_lines(submission.findings, call.output.language)
    call.output.result([dataclasses.asdict(s) | {"findings": s.findings} for s in sent], lines)


def _answer(gateway: Gateway, file: Path, reading: Reading, dry: bool) -> Answer:
    if reading.document is None:
        return _refusal(file, reading.reference, "INVALID_DOCUMENT", reading.findings)
    try:
        answer = _send(gateway, reading, reading.document, dry=dry)
    except GatewayError as exc:
        if exc.retryable:
            raise
        findings = exc.findings or (finding_of(exc),)
        return _refusal(file, reading.reference, exc.code, reading.findings + findings)
    findings = reading.findings + answer.findings
    return Answer(
        file=file.name,
        reference=answer.document_number,
        accepted=verdict_of(findings) is not Verdict.REFUSED,
        message_id=answer.message_id,
        receiver=answer.receiver,
        repeated=answer.repeated,
        code=None,
        findings=findings,
    )


def _send(gateway: Gateway, reading: Reading, document: Document, *, dry: bool) -> Submission:
    if dry:
        return dry_run(gateway.desk, document)
    if reading.signed is not None:
        return submit_signed(gateway.desk, reading.signed)
    return submit_document(gateway.desk, document)


def _refusal(file: Path, reference: str, code: str, findings: tuple[Finding, ...]) -> Answer:
    return Answer(
        file=file.name,
        reference=reference,
        accepted=False,
        message_id=None,
        receiver=None,
        repeated=False,
        code=code,
        findings=findings,
    )


def _line(answer: Answer, dry: bool) -> str:
    if not answer.accepted:
        return f"✗ {answer.reference} refused [{answer.code or 'RULES'}] ({answer.file})"
    if dry:
        return f"✓ {answer.reference} would be sent to {answer.receiver}"
    if answer.repeated:
        return f"= {answer.reference} was submitted before as {answer.message_id}"
    return f"✓ {answer.reference} queued for {answer.receiver} as {answer.message_id}"
