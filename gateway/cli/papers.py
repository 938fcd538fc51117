"""The commands that look at one document: validate, verify, render, read.

They need a gateway home for the agreement profiles and registered signers in force there; they
store nothing and send nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.app import Gateway
from gateway.cli.main import Invocation, common
from gateway.cli.opening import FILE, content, label, the_gateway
from gateway.cli.output import ExitStatus, as_json_text, finding_lines, plain, stop
from gateway.documents import Document, Verdict, document_type_of, verdict_of
from gateway.envelope import unwrap
from gateway.errors import InputError, InvalidDocumentError
from gateway.exchange.inspection import Inspection, SignatureReport, inspect
from gateway.exchange.intake import (
    CANONICAL_JSON,
    MESSAGE_XML,
    Reading,
    read_any_json,
    read_certificates,
    read_message,
    recognised,
)
from gateway.exchange.outbound import dry_run
from gateway.xml.namespaces import ENVELOPE_NS
from gateway.xml.parsing import parse

FORMAT = click.option(
    "--format",
    "form",
    default=None,
    help="json, xml or the name of a national format; json and xml are recognised.",
)


@click.command()
@click.argument("file", type=FILE)
@FORMAT
@common
def validate(call: Invocation, file: Path, form: str | None) -> None:
    """Check every certificate in FILE by shape, schema and rules, without storing anything.

    FILE may be `-` for standard input.  The exit status is 1 when any would be refused.
    """
    with the_gateway(call) as gateway:
        readings = certificates_in(gateway, content(file), known_form(gateway, form))
        results = [_validated(gateway, reading) for reading in readings]
    for result in results:
        call.output.say(f"{result['reference'] or label(file)}: {result['verdict']}")
        call.output.say(*finding_lines(result["findings"], call.output.language))
    call.output.value(results)
    refused = any(result["verdict"] is Verdict.REFUSED for result in results)
    stop(ExitStatus.REFUSED if refused else ExitStatus.OK)


@click.command()
@click.argument("file", type=FILE)
@common
def verify(call: Invocation, file: Path) -> None:
    """Say what in FILE (an envelope or a document) is signed, by whom, and if trusted.

    Trusted are the signers registered for our peers, and our own, as of the moment that the
    message or document states; whether they are still good today is said beside.  The exit
    status is 0 only if every signature that should be there holds, 5 if one does not.
    """
    with the_gateway(call) as gateway:
        inspection = inspect(gateway.desk, content(file))
    value = {**plain(inspection), "trusted": inspection.trusted}
    call.output.result(value, _inspection_lines(inspection))
    stop(ExitStatus.OK if inspection.trusted else ExitStatus.UNTRUSTED)


@click.command()
@click.argument("file", type=FILE)
@common
def render(call: Invocation, file: Path) -> None:
    """Print the canonical JSON document in FILE as unsigned message XML."""
    with the_gateway(call) as gateway:
        document = read_any_json(content(file))
        xml = gateway.desk.tables[document_type_of(document)].render(document)
    call.output.result({"xml": xml.decode("utf-8")}, [xml.decode("utf-8")])


@click.command()
@click.argument("file", type=FILE)
@FORMAT
@common
def read(call: Invocation, file: Path, form: str | None) -> None:
    """Print what FILE says as canonical JSON; signatures are not verified (see `eco verify`).

    An envelope is opened.  Of one document an object is printed, of several a list.
    """
    with the_gateway(call) as gateway:
        documents = _documents(gateway, content(file), known_form(gateway, form))
    values = [document.model_dump(mode="json", exclude_none=True) for document in documents]
    click.echo(as_json_text(values[0] if len(values) == 1 else values))


def known_form(gateway: Gateway, form: str | None) -> str | None:
    """Return ``form`` if there is such a format.

    Raises:
        click.BadParameter: there is none; the message lists those there are.
    """
    if form is None or form in _forms(gateway):
        return form
    known = ", ".join(_forms(gateway))
    raise click.BadParameter(f"no format is called {form!r}; known: {known}", param_hint="--format")


def certificates_in(gateway: Gateway, raw: bytes, form: str | None) -> Sequence[Reading]:
    """Return every certificate of origin in ``raw``; an unreadable one has findings only.

    Raises:
        InputError: the format is not given and cannot be told; the detail lists those known.
    """
    return read_certificates(gateway.desk, raw, form or _recognised(gateway, raw), gateway.national)


def _forms(gateway: Gateway) -> tuple[str, ...]:
    return (CANONICAL_JSON, MESSAGE_XML, *sorted(gateway.national))


def _recognised(gateway: Gateway, raw: bytes) -> str:
    if not raw.strip():
        raise InputError("there is nothing in it")
    try:
        return recognised(raw)
    except InputError as exc:
        raise InputError(f"{exc.detail}: {', '.join(_forms(gateway))}") from exc


def _documents(gateway: Gateway, raw: bytes, form: str | None) -> list[Document]:
    if (form or _recognised(gateway, raw)) == MESSAGE_XML:
        return [read_message(gateway.desk, _opened(raw))[0]]
    readings = certificates_in(gateway, raw, form)
    bad = [finding for reading in readings for finding in reading.findings if not reading.document]
    if bad:
        raise InvalidDocumentError("part of the file cannot be read", findings=bad)
    return [reading.document for reading in readings if reading.document is not None]


def _opened(raw: bytes) -> bytes:
    root = parse(raw)
    return unwrap(root)[1] if str(root.tag).startswith(f"{{{ENVELOPE_NS}}}") else raw


def _validated(gateway: Gateway, reading: Reading) -> Mapping[str, Any]:
    findings, receiver = reading.findings, None
    if reading.document is not None:
        answer = dry_run(gateway.desk, reading.document)
        findings, receiver = findings + answer.findings, answer.receiver
    return {
        "reference": reading.reference,
        "verdict": verdict_of(findings),
        "receiver": receiver,
        "findings": findings,
    }


def _inspection_lines(inspection: Inspection) -> Iterator[str]:
    header = inspection.header
    if header is not None:
        yield f"message      {header.message_id}"
        yield f"carries      {header.document_type} {header.document_version}"
        yield f"from, to     {header.sender} → {header.receiver}{' (TEST)' if header.test else ''}"
        yield f"created      {header.created_at.isoformat()}"
    for report in inspection.reports:
        yield from _report_lines(report)


def _today(report: SignatureReport) -> str:
    if report.code_today is None:
        return "the signer is still good"
    return f"{report.code_today}: the signer can sign nothing new"


def _report_lines(report: SignatureReport) -> Iterator[str]:
    yield f"{report.kind}: {'trusted' if report.trusted else 'NOT TRUSTED'}"
    yield f"  sha256     {report.sha256}"
    if report.signer is not None:
        yield "  signed     the whole of it"
        yield f"  signed by  {report.signer.subject}"
        yield f"  as         {report.signer.role.value} of {report.signer.country}"
        yield f"  today      {_today(report)}"
    if report.as_of is not None:
        yield f"  judged     as of {report.as_of.isoformat()}"
    if report.code is not None:
        yield f"  because    {report.code}: {report.detail}"
