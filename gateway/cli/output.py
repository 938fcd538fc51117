"""What the commands print and how they end: human text or JSON, and documented exit statuses.

Every command takes ``--json``; then standard output holds exactly one JSON value (a list or
an object) and nothing else.  Errors and progress go to standard error, in the same form.

Nothing heavy is imported here, so that ``eco --help`` is instant.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.errors import (
    BusyError,
    ConfigError,
    ExchangeError,
    GatewayError,
    InputError,
    InternalError,
    NotFoundError,
    ReceiptError,
    TransportError,
    TrustError,
)

if TYPE_CHECKING:
    from gateway.documents import Finding

MARKS: Mapping[str, str] = {"ERROR": "✗", "QUERY": "?", "WARNING": "!"}


class ExitStatus(IntEnum):
    """Lists every exit status of ``eco``; documented in docs/commands.md."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_FOUND = 4
    UNTRUSTED = 5
    UNREACHABLE = 6
    BUSY = 7
    FAILED = 8
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """What the status tells the caller."""
        return _MEANINGS[self]


_MEANINGS: Mapping[ExitStatus, str] = {
    ExitStatus.OK: "done",
    ExitStatus.REFUSED: "what was handed over cannot be used; the findings say why",
    ExitStatus.USAGE: "the command line itself is wrong",
    ExitStatus.CONFIGURATION: "settings, keys, profiles, database or files cannot be used",
    ExitStatus.NOT_FOUND: "nothing is stored under the name asked for",
    ExitStatus.UNTRUSTED: "a signature, signing certificate or fingerprint does not hold",
    ExitStatus.UNREACHABLE: "the peer gave no usable answer",
    ExitStatus.BUSY: "not now; the same command may succeed later",
    ExitStatus.FAILED: "anything else; the message names the error code",
    ExitStatus.INTERRUPTED: "stopped by Ctrl-C",
    ExitStatus.READER_GONE: "whoever read the output has gone (a closed pipe)",
    ExitStatus.TERMINATED: "`eco demo` was stopped by SIGTERM; its gateways are stopped too",
}

_STATUS_OF: Sequence[tuple[type[GatewayError], ExitStatus]] = (
    (ConfigError, ExitStatus.CONFIGURATION),
    (NotFoundError, ExitStatus.NOT_FOUND),
    (BusyError, ExitStatus.BUSY),
    (InputError, ExitStatus.REFUSED),
    (ExchangeError, ExitStatus.REFUSED),
    (TrustError, ExitStatus.UNTRUSTED),
    (TransportError, ExitStatus.UNREACHABLE),
    (ReceiptError, ExitStatus.UNREACHABLE),
)


def exit_status_of(error: GatewayError) -> ExitStatus:
    """Return the exit status that a command ends with after ``error``."""
    return exit_status_of_kind(type(error))


def exit_status_of_kind(error: type[GatewayError]) -> ExitStatus:
    """Return the exit status that a command ends with after an error of this kind."""
    return next(
        (status for kind, status in _STATUS_OF if issubclass(error, kind)), ExitStatus.FAILED
    )


def together(statuses: Iterable[ExitStatus]) -> ExitStatus:
    """Return the one status of all failures, REFUSED where they differ."""
    failures = {status for status in statuses if status is not ExitStatus.OK}
    if len(failures) > 1:
        return ExitStatus.REFUSED
    return failures.pop() if failures else ExitStatus.OK


class Output:
    """Prints results for a person or, on request, as JSON for a program."""

    def __init__(self, *, as_json: bool, language: str = "en") -> None:
        self.as_json = as_json
        self.language = language

    def say(self, *lines: str) -> None:
        """Print lines for a person; nothing in JSON mode."""
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def value(self, value: Any) -> None:
        """Print the one value of a command in JSON mode; nothing for a person."""
        if self.as_json:
            click.echo(as_json_text(plain(value)))

    def each(self, value: Any) -> None:
        """Print one of many values that come over time, on a line of its own, in JSON mode."""
        if self.as_json:
            click.echo(json.dumps(plain(value), ensure_ascii=False))

    def result(self, value: Any, lines: Iterable[str]) -> None:
        """Print ``value`` as JSON, or ``lines`` for a person."""
        self.say(*(() if self.as_json else lines))
        self.value(value)

    def note(self, line: str) -> None:
        """Print a line of advice for a person on standard error; nothing in JSON mode."""
        if not self.as_json:
            click.echo(line, err=True)

    def error(self, error: GatewayError) -> ExitStatus:
        """Print what went wrong and what to do, and return the exit status for it."""
        if self.as_json:
            click.echo(as_json_text(problem(error)), err=True)
        else:
            click.echo(f"error [{error.code}]: {error.detail}", err=True)
            for line in finding_lines(error.findings, self.language):
                click.echo(line, err=True)
            click.echo(f"what to do: {error.remedy}", err=True)
        return exit_status_of(error)

    def unexpected(self, error: Exception) -> ExitStatus:
        """Print one line about a fault of our own, without its text, which may hold data."""
        detail = f"a fault in eco itself ({type(error).__name__}); `--debug` shows where"
        if self.as_json:
            click.echo(as_json_text(problem(InternalError(detail))), err=True)
        else:
            click.echo(f"error [{InternalError.code}]: {detail}", err=True)
        return ExitStatus.FAILED

    def misuse(self, error: click.ClickException) -> ExitStatus:
        """Print what is wrong with the command line itself."""
        if self.as_json:
            remedy = "See the command's --help."
            click.echo(as_json_text(_problem("USAGE", error.format_message(), remedy)), err=True)
        else:
            error.show()
        return ExitStatus.USAGE


def problem(error: GatewayError) -> dict[str, Any]:
    """Return ``error`` in the form that every JSON answer of the product uses."""
    return _problem(error.code, error.detail, error.remedy, retryable=error.retryable) | {
        "findings": [plain(finding) for finding in error.findings]
    }


def _problem(code: str, detail: str, remedy: str, *, retryable: bool = False) -> dict[str, Any]:
    return {
        "code": code,
        "detail": detail,
        "retryable": retryable,
        "remedy": remedy,
        "findings": [],
    }


def finding_lines(findings: Iterable[Finding], language: str) -> Iterator[str]:
    """Yield two lines for each finding: what is wrong and where, then how to mend it."""
    for finding in findings:
        place = f" {finding.path}" if finding.path else ""
        box = f" (box {finding.box})" if finding.box else ""
        article = f" [Art. {finding.article}]" if finding.article else ""
        yield (
            f"  {MARKS[finding.severity]} {finding.rule}{place}{box}: "
            f"{finding.message.in_language(language)}{article}"
        )
        yield f"      → {finding.remedy.in_language(language)}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a plain table with columns as wide as their content."""
    cells = [[str(heading) for heading in headings]]
    cells += [["–" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]


def minute(moment: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def figure(value: Decimal) -> str:
    """Return a quantity in plain digits, without zeros that say nothing."""
    return f"{value.normalize():f}"


def as_json_text(value: Any) -> str:
    """Return JSON for people and programs alike: indented, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types; decimals as text, times in ISO 8601."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return next((turn(value) for kind, turn in _PLAIN if isinstance(value, kind)), value)


_PLAIN: Sequence[tuple[type[Any], Callable[[Any], Any]]] = (
    (Enum, lambda value: value.value),
    (date, lambda value: value.isoformat()),
    (Decimal, figure),
    (Path, str),
)


def stop(status: ExitStatus) -> None:
    """End the command with ``status``."""
    if status is not ExitStatus.OK:
        sys.exit(int(status))
