"""What the commands print and how they end: human text or JSON, and documented exit statuses.

Every command takes ``--json``; then standard output holds exactly one JSON value (a list or
an object) and nothing else.  Errors go to standard error, in the same form.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import click

from gateway.documents import Finding, Severity
from gateway.documents.base import Record
from gateway.errors import (
    BusyError,
    ConfigError,
    GatewayError,
    InputError,
    NotFoundError,
    TransportError,
    TrustError,
)


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


_STATUS_OF: Sequence[tuple[type[GatewayError], ExitStatus]] = (
    (ConfigError, ExitStatus.CONFIGURATION),
    (NotFoundError, ExitStatus.NOT_FOUND),
    (BusyError, ExitStatus.BUSY),
    (InputError, ExitStatus.REFUSED),
    (TrustError, ExitStatus.UNTRUSTED),
    (TransportError, ExitStatus.UNREACHABLE),
)


def exit_status_of(error: GatewayError) -> ExitStatus:
    """Return the exit status that a command ends with after ``error``."""
    return next(
        (status for kind, status in _STATUS_OF if isinstance(error, kind)), ExitStatus.FAILED
    )


class Output:
    """Prints results for a person or, on request, as JSON for a program."""

    def __init__(self, *, as_json: bool, language: str = "en") -> None:
        self.as_json = as_json
        self.language = language

    def result(self, value: Any, lines: Iterable[str]) -> None:
        """Print ``value`` as JSON, or ``lines`` for a person."""
        if self.as_json:
            click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))
            return
        for line in lines:
            click.echo(line)

    def note(self, line: str) -> None:
        """Print a line of progress for a person; nothing in JSON mode."""
        if not self.as_json:
            click.echo(line)

    def error(self, error: GatewayError) -> ExitStatus:
        """Print what went wrong and what to do, and return the exit status for it."""
        if self.as_json:
            click.echo(json.dumps(problem(error), ensure_ascii=False, indent=2), err=True)
        else:
            click.echo(f"error [{error.code}]: {error.detail}", err=True)
            for line in finding_lines(error.findings, self.language):
                click.echo(line, err=True)
            click.echo(f"what to do: {error.remedy}", err=True)
        return exit_status_of(error)


def problem(error: GatewayError) -> dict[str, Any]:
    """Return ``error`` in the form that every JSON answer of the product uses."""
    return {
        "code": error.code,
        "detail": error.detail,
        "retryable": error.retryable,
        "remedy": error.remedy,
        "findings": [plain(finding) for finding in error.findings],
    }


def finding_lines(findings: Iterable[Finding], language: str) -> Iterable[str]:
    """Yield two lines for each finding: what is wrong and where, then how to mend it."""
    marks = {Severity.ERROR: "✗", Severity.QUERY: "?", Severity.WARNING: "!"}
    for finding in findings:
        where = f" (box {finding.box})" if finding.box else ""
        article = f" [Art. {finding.article}]" if finding.article else ""
        yield (
            f"  {marks[finding.severity]} {finding.rule} {finding.path}{where}: "
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


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types; decimals as text, times in ISO 8601."""
    if isinstance(value, Record):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {name: plain(item) for name, item in members.items() if not _is_bytes(item)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return next((turn(value) for kind, turn in _PLAIN if isinstance(value, kind)), value)


_PLAIN: Sequence[tuple[type[Any], Callable[[Any], Any]]] = (
    (Enum, lambda value: value.value),
    (date, lambda value: value.isoformat()),
    (Decimal, lambda value: format(value, "f")),
    (Path, str),
)


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


def stop(status: ExitStatus) -> None:
    """End the command with ``status``."""
    if status is not ExitStatus.OK:
        sys.exit(int(status))
