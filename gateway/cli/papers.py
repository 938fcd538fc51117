"""The commands that look at one document: validate, verify, render, read.

They need a gateway home for the agreement profiles and registered signers in force there; they
store nothing and send nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gateway.app import Gateway, open_gateway
from gateway.cli.main import Invocation, common
from gateway.cli.output import ExitStatus, finding_lines, plain, stop
from gateway.documents import Document, Verdict, document_type_of, verdict_of
from gateway.errors import InvalidDocumentError
from gateway.exchange.inspection import Inspection, SignatureReport, inspect
from gateway.exchange.intake import (
    MESSAGE_XML,
    Reading,
    read_any_json,
    read_certificates,
    read_message,
    recognised,
)
from gateway.exchange.outbound import Submission, dry_run

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
FORMAT_HELP = "json, xml or the name of a national format; json and xml are recognised."


@click.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", default=None, help=FORMAT_HELP)
@common
def validate(call: Invocation, file: Path, form: str | None) -> None:
    """Check every certificate in FILE by shape, schema and rules, without storing anything."""
    gateway = open_gateway(call.home)
    results = [
        _validated(gateway, reading)
        for reading in read_certificates(gateway.desk, content(file), form, gateway.national)
    ]
    lines: list[str] = []
    for result in results:
        verdict = verdict_of(result.findings)
        lines.append(f"{result.document_number}: {verdict.value}")
        lines += finding_lines(result.findings, call.output.language)
    call.output.result(results, lines)
    refused = any(verdict_of(result.findings) is Verdict.REFUSED for result in results)
    stop(ExitStatus.REFUSED if refused else ExitStatus.OK)


@click.command()
@click.argument("file", type=FILE)
@common
def verify(call: Invocation, file: Path) -> None:
    """Say what in FILE (an envelope or a document) is signed, by whom, and if trusted."""
    inspection = inspect(open_gateway(call.home).desk, content(file))
    call.output.result(
        {**plain(inspection), "trusted": inspection.trusted}, _inspection_lines(inspection)
    )
    stop(ExitStatus.OK if inspection.trusted else ExitStatus.UNTRUSTED)


@click.command()
@click.argument("file", type=FILE)
@common
def render(call: Invocation, file: Path) -> None:
    """Print the canonical JSON document in FILE as unsigned message XML."""
    gateway = open_gateway(call.home)
    document = read_any_json(content(file))
    xml = gateway.desk.tables[document_type_of(document)].render(document)
    if call.output.as_json:
        call.output.result({"xml": xml.decode("utf-8")}, ())
    else:
        sys.stdout.buffer.write(xml + b"\n")


@click.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", default=None, help=FORMAT_HELP)
@common
def read(call: Invocation, file: Path, form: str | None) -> None:
    """Print what FILE says as canonical JSON; signatures are not verified (see `verify`)."""
    gateway = open_gateway(call.home)
    documents = _documents(gateway, content(file), form)
    values = [document.model_dump(mode="json", exclude_none=True) for document in documents]
    click.echo(json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=2))


def content(file: Path) -> bytes:
    """Return the bytes of ``file``, or of standard input for ``-``."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def _documents(gateway: Gateway, raw: bytes, form: str | None) -> list[Document]:
    if (form or recognised(raw)) == MESSAGE_XML:
        return [read_message(gateway.desk, raw)[0]]
    readings = read_certificates(gateway.desk, raw, form, gateway.national)
    bad = [finding for reading in readings for finding in reading.findings if not reading.document]
    if bad:
        raise InvalidDocumentError("part of the file cannot be read", findings=bad)
    return [reading.document for reading in readings if reading.document is not None]


def _validated(gateway: Gateway, reading: Reading) -> Submission:
    if reading.document is None:
        return Submission(
            document_number=reading.reference,
            receiver=None,
            message_id=None,
            findings=reading.findings,
        )
    answer = dry_run(gateway.desk, reading.document)
    return Submission(
        document_number=answer.document_number,
        receiver=answer.receiver,
        message_id=None,
        findings=reading.findings + answer.findings,
    )


def _inspection_lines(inspection: Inspection) -> Iterable[str]:
    header = inspection.header
    if header is not None:
        yield f"message      {header.message_id}"
        yield f"carries      {header.document_type} {header.document_version}"
        yield f"from, to     {header.sender} → {header.receiver}"
        yield f"created      {header.created_at.isoformat()}"
    for report in inspection.reports:
        yield from _report_lines(report)


def _report_lines(report: SignatureReport) -> Iterable[str]:
    yield f"{report.kind}: {'trusted' if report.trusted else 'NOT TRUSTED'}"
    yield f"  sha256     {report.sha256}"
    if report.signer is not None:
        yield f"  signed by  {report.signer.subject}"
        yield f"  as         {report.signer.role.value} of {report.signer.country}"
    if report.code is not None:
        yield f"  because    {report.code}: {report.detail}"
