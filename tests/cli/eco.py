"""Running ``eco`` in tests: in this process for speed, or as the process that users start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.cli.main import main
from gateway.cli.output import ExitStatus

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


@dataclass(frozen=True)
class Run:
    """Is how one command ended and what it said."""

    status: ExitStatus
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """The one JSON value on standard error."""
        return json.loads(self.err)


def eco(*words: object, home: Path | None = None, given: bytes | str | None = None) -> Run:
    """Run ``eco`` in this process."""
    ended = CliRunner().invoke(main, _words(words, home), input=given)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Run(ExitStatus(ended.exit_code), ended.stdout, ended.stderr)


def eco_json(*words: object, home: Path | None = None, given: bytes | None = None) -> Any:
    """Run ``eco … --json``, which must succeed, and return its value."""
    run = eco(*words, "--json", home=home, given=given)
    assert run.status is ExitStatus.OK, run.err or run.out
    return run.value


def eco_process(
    *words: object,
    home: Path | None = None,
    given: bytes | None = None,
    timeout: float = PATIENCE,
) -> Run:
    """Run ``python -m gateway`` as a process of its own."""
    ended = subprocess.run(
        command_line(*words, home=home),
        input=given,
        capture_output=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )
    return Run(ExitStatus(ended.returncode), ended.stdout.decode(), ended.stderr.decode())


def command_line(*words: object, home: Path | None = None) -> list[str]:
    return [sys.executable, "-m", "gateway", *_words(words, home)]


def environment() -> dict[str, str]:
    """The environment of a plain terminal: this checkout, no settings of the tester's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ECO_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def _words(words: tuple[object, ...], home: Path | None) -> list[str]:
    return [str(word) for word in words] + ([] if home is None else ["--home", str(home)])
