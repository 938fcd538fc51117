"""The group ``eco api``: what a system of the national side asks, by address and key alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.api_batches import batch
from gateway.cli.api_certificates import certificate, ledger, message, search, timeline
from gateway.cli.api_events import event_kinds, events
from gateway.cli.api_reference import agreements, codes, formats, peers
from gateway.cli.asking import asking, exit_status_of_problem, finding_lines
from gateway.cli.main import Invocation, OrderedGroup
from gateway.cli.output import (
    exit_status_of,
    minute,
    problem,
    stop,
    together,
)
from gateway.client import Gateway, Problem
from gateway.client.api.certificates import (
    ImportState,
    IssueState,
)
from gateway.client.api.responses import CustomsAction
from gateway.client.api.shared import TakenAnswer
from gateway.documents import from_json
from gateway.errors import GatewayError, InputError

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
_STATES = sorted({each.value for kind in (IssueState, ImportState) for each in kind})
_DRY = click.option("--dry-run", "dry", is_flag=True, help="Answer as in earnest; change nothing.")
_ISSUED_ON = click.option("--issued-on", type=DAY, default=None, help="Day of issue, YYYY-MM-DD.")
_PURPOSE = click.option("--purpose", default=None, help="Why; stands in the gateway's journal.")


@click.group(cls=OrderedGroup)
def api() -> None:
    """Ask a gateway by its REST interface: an address and a key, no gateway home.

    The address comes from --url, ECO_API_URL or a file; the key from ECO_API_KEY or the file,
    never from the command line.
    """


@api.command()
@asking
def me(call: Invocation, gateway: Gateway) -> None:
    """Show who asks, and what the key is good for."""
    found = gateway.get_me()
    lines = [
        f"{found.organisation}  {found.name} ({found.kind}, {found.country})",
        f"  key       {found.credential}, until {minute(found.expires_at)} UTC",
        f"  may       {', '.join(found.scopes)}",
        f"  gateway   {found.gateway}{' (TEST)' if found.test else ''}",
    ]
    call.output.result(found, lines)


@api.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--format", "form", default=None, help="National format; JSON and XML are known.")
@_DRY
@asking
def submit(
    call: Invocation, gateway: Gateway, files: Sequence[Path], form: str | None, dry: bool
) -> None:
    """Submit the certificate of origin in each of FILES; a bad one harms no other.

    The same file submitted again is answered as repeated.  The exit status is 1 when any was
    refused.
    """
    _each(call, files, dry, lambda raw: gateway.submit(raw, format=form, dry_run=dry))


@api.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@_DRY
@asking
def respond(call: Invocation, gateway: Gateway, files: Sequence[Path], dry: bool) -> None:
    """Submit the decision of customs in each of FILES (JSON); a bad one harms no other."""
    _each(
        call,
        files,
        dry,
        lambda raw: gateway.submit_response(from_json(CustomsAction, raw), dry_run=dry),
    )


def _each(call: Invocation, files: Sequence[Path], dry: bool, hand_over: Any) -> None:
    answers, statuses = [], []
    for file in files:
        name = "standard input" if str(file) == "-" else str(file)
        found: dict[str, Any] = {"file": name, "answer": None, "problem": None}
        try:
            taken: TakenAnswer = hand_over(_content(file))
        except Problem as exc:
            found["problem"] = exc.answer.model_dump(mode="json", exclude_none=True)
            statuses.append(exit_status_of_problem(exc))
            call.output.say(f"✗ {name} refused [{exc.code}] {exc.detail}")
            call.output.say(*finding_lines(exc.answer.findings))
        except GatewayError as exc:
            found["problem"] = problem(exc)
            statuses.append(exit_status_of(exc))
            call.output.say(f"✗ {name} refused [{exc.code}] {exc.detail}")
        else:
            found["answer"] = taken.model_dump(mode="json")
            call.output.say(*_taken_lines(name, taken, dry=dry))
        answers.append(found)
    call.output.value(answers)
    stop(together(statuses))


def _taken_lines(name: str, taken: TakenAnswer, *, dry: bool) -> Iterator[str]:
    number, to = taken.document_number, taken.receiver.identifier if taken.receiver else "?"
    if taken.repeated:
        yield f"= {number} ({name}) was submitted before as {taken.message_id}"
    elif dry:
        yield f"✓ {number} ({name}) would be sent to {to}"
    else:
        yield f"✓ {number} ({name}) queued for {to} as {taken.message_id}"
    yield from finding_lines(taken.findings)
    if taken.peer is not None and taken.peer.would_refuse:
        yield f"  {to} would refuse it:"
        yield from finding_lines(taken.peer.findings)


_LOOKING_UP = (search, certificate, timeline, ledger, message)
_BEING_TOLD = (events, event_kinds)
_REFERENCE = (codes, agreements, peers, formats)
for _command in (batch, *_LOOKING_UP, *_BEING_TOLD, *_REFERENCE):
    api.add_command(_command)


def _content(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as exc:
        raise InputError(f"{file} cannot be read: {exc.strerror}") from exc
