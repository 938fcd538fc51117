"""A worker's clock in a process of its own: the jobs that read the journal, again and again.

    python -m tests.operations.job_loop <file of an SQLite database>

Prints what the process held after its first turns, and after as many turns over a journal that
had meanwhile grown by thousands of entries each time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.memory import resident_bytes
from gateway.cli.arenas import keep_few_arenas
from gateway.jobs import Job, start
from gateway.store import JournalAction, Store, journal, measures, tallies
from gateway.store.chain import GENESIS

TURNS, PATIENCE = 3, 30.0
FEW, MANY = 200, 2_500
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def main(file: str) -> None:
    """Print the two sizes."""
    keep_few_arenas()  # as a worker does
    store = Store.open(f"sqlite:///{file}")
    sizes = [_turns(store, entries) for entries in (FEW, MANY)]
    store.close()
    print(*sizes)


def _turns(store: Store, entries: int) -> int:
    """Return what the process holds after ``TURNS`` turns of every job, each with new entries."""
    for _ in range(TURNS):
        _write(store, entries)
        _turn((lambda: _fold(store), lambda: _verify(store), lambda: _count(store)))
    return resident_bytes()


def _turn(works: tuple[Callable[[], None], ...]) -> None:
    done = [threading.Event() for _ in works]
    jobs = [
        Job(name=f"job {number}", seconds=0.01, run=_once(work, event))
        for number, (work, event) in enumerate(zip(works, done, strict=True))
    ]
    scheduler = start(jobs)
    over = time.monotonic() + PATIENCE
    for event in done:
        if not event.wait(over - time.monotonic()):
            raise RuntimeError("a job did not run")
    scheduler.shutdown(wait=True)


def _once(work: Callable[[], None], done: threading.Event) -> Callable[[], None]:
    def run() -> None:
        if not done.is_set():
            work()
            done.set()

    return run


def _write(store: Store, entries: int) -> None:
    """Write in small pieces, so that writing needs no more than a delivery does."""
    for _ in range(0, entries, 50):
        with store.begin() as conn:
            for number in range(50):
                subject = f"urn:uuid:{number:036}"
                detail = {"state": "RETRYING", "code": "UNREACHABLE", "number": number}
                action = JournalAction.DISPATCH_ATTEMPTED
                journal.append(conn, at=NOW, action=action, subject=subject, detail=detail)


def _fold(store: Store) -> None:
    with store.begin() as conn:
        tallies.fold(conn, at=NOW)


def _verify(store: Store) -> None:
    with store.read() as conn:
        journal.verify_part(conn, after=0, anchor=GENESIS, limit=5_000)


def _count(store: Store) -> None:
    with store.read() as conn:
        measures.outcomes(conn, since=NOW - timedelta(hours=1))


if __name__ == "__main__":
    main(sys.argv[1])
