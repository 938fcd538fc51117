"""A program that repeats works on command, in a process of its own; see ``programs/loop.py``."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import IO

from bench.harness import Batch, UnavailableError

SLICE_SECONDS = 0.04
"""How long a program works at a time; a measure asks until its share of the round is over."""


class Program:
    """Is a running program that offers works by name."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        try:
            self.works = tuple(self._line().split())
        except RuntimeError as exc:
            raise UnavailableError(str(exc)) from exc

    @property
    def pid(self) -> int:
        """The key of its process."""
        return self._process.pid

    def repeat(self, work: str, seconds: float = SLICE_SECONDS) -> Batch:
        """Return the times of the calls made in ``seconds``.

        Raises:
            RuntimeError: the work failed, or the program ended.
        """
        print(work, seconds, file=_pipe(self._process.stdin), flush=True)
        answer = self._line()
        if answer.startswith("!"):
            raise RuntimeError(f"{work}: {answer[1:].strip()}")
        times, _, told = answer.partition(";")
        singles = [int(each) / 1e3 for each in times.split()]
        pairs = (fact.split("=") for fact in told.split())
        return Batch(median(singles), singles, {name: float(value) for name, value in pairs})

    def _line(self) -> str:
        line = _pipe(self._process.stdout).readline()
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace").strip()
            raise RuntimeError(f"its program ended: {said[-300:]}")
        return line.strip()


@contextmanager
def running(command: Sequence[str], folder: Path, name: str) -> Iterator[Program]:
    """Yield the program that ``command`` starts; what it says on the side goes to a file.

    Raises:
        UnavailableError: it does not start.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
    try:
        yield Program(process, log)
    finally:
        _pipe(process.stdin).close()
        process.wait()
        _pipe(process.stdout).close()


def _pipe(found: IO[str] | None) -> IO[str]:
    assert found is not None
    return found
