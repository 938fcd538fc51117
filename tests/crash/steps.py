"""Steps: every place where a gateway can be stopped, and what happens there.

A step is a statement, a commit (before it and after it), and the sending of an envelope (before
it is handed over, and after the receiver answered).  Nothing in the product knows of steps: they
are seen through SQLAlchemy's events and dialect, and through the transport.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from gateway.store import Store

Deed = Callable[[str], None]


def die(_place: str) -> None:
    """End this process as a power cut ends it: nothing is flushed, closed or told."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Steps:
    """Counts steps, and does ``deed`` at the chosen one.

    Attributes:
        at: the step at which the deed is done, counted from 1; 0 for never.
        passed: where each step was, in order.
    """

    at: int = 0
    deed: Deed = die
    passed: list[str] = field(default_factory=list)
    counting: bool = True

    def step(self, place: str) -> None:
        """Note one step; this is where a gateway may die."""
        if not self.counting:
            return
        self.passed.append(place)
        if len(self.passed) == self.at:
            self.deed(place)

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Let the test itself use a store without counting."""
        before, self.counting = self.counting, False
        try:
            yield
        finally:
            self.counting = before

    def begin(self, at: int, deed: Deed = die) -> None:
        """Count from the start again."""
        self.deed = deed
        self.at = at
        self.passed.clear()


def watch(store: Store, side: str, steps: Steps) -> None:
    """Make every statement and commit of ``store`` a step.

    The deed is done *in place of* the statement: when it raises an error of the database
    driver, SQLAlchemy takes it for the statement's own.
    """

    def before(_cursor: Any, statement: str, *_more: Any) -> None:
        steps.step(f"{side}: {_short(statement)}")

    for engine in store.engines:
        for kind in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.listen(engine, kind, before)
        _watch_commits(engine.dialect, side, steps)
        if store.dialect == "sqlite":
            event.listen(engine, "connect", _do_not_wait_for_the_disk)


def _watch_commits(dialect: Any, side: str, steps: Steps) -> None:
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        steps.step(f"{side}: before COMMIT")
        commit(connection)
        steps.step(f"{side}: after COMMIT")

    dialect.do_commit = do_commit


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    """Save the fsync of each commit: what a killed process has written, the kernel keeps."""
    connection.execute("PRAGMA synchronous=OFF")


def _short(statement: str) -> str:
    words = statement.split()
    return " ".join(words)[:70]
