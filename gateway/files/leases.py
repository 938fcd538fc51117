"""Turns: one worker of all looks after a folder at a time, and knows when it no longer does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from gateway.store import Store, tasks
from gateway.store.tasks import TaskRun


@dataclass
class Lease:
    """Is the right to look after a folder; it is renewed while work goes on."""

    store: Store
    clock: Callable[[], datetime]
    run: TaskRun
    length: timedelta
    renewed_at: datetime

    def holds(self) -> bool:
        """Return whether the right is still ours, renewing it in good time."""
        now = self.clock()
        if now - self.renewed_at < self.length / 3:
            return True
        with self.store.begin() as conn:
            return self.renew_in(conn)

    def renew_in(self, conn: Connection) -> bool:
        """Renew the right within a transaction that needs it; return whether it is still ours."""
        now = self.clock()
        self.renewed_at = now
        return tasks.renew(conn, self.run, now + self.length)

    def give_back(self, *, again_in: timedelta, error: str | None = None) -> None:
        """Let the next turn come after a pause."""
        now = self.clock()
        with self.store.begin() as conn:
            tasks.end(conn, self.run, at=now, error=error, due_at=now + again_in)


def take_turn(
    store: Store, clock: Callable[[], datetime], name: str, worker: str, length: timedelta
) -> Lease | None:
    """Return the lease on ``name`` if its turn has come and nobody else has it."""
    now = clock()
    with store.begin() as conn:
        run = tasks.claim(conn, name, worker, now, period=length)
    if run is None:
        return None
    return Lease(store=store, clock=clock, run=run, length=length, renewed_at=now)
