"""Clock-driven tasks that must run once per period, whatever number of workers there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from gateway.store.dialects import insert_if_absent
from gateway.store.tables import scheduled_tasks as table


@dataclass(frozen=True, kw_only=True)
class TaskRun:
    """Is one worker's right to run a task now."""

    name: str
    worker: str
    fence: int


@dataclass(frozen=True, kw_only=True)
class TaskState:
    """Says when a task ran last and how it ended.

    Attributes:
        last_well_at: when it last ended without an error.
    """

    name: str
    due_at: datetime
    last_started_at: datetime | None
    last_ended_at: datetime | None
    last_error: str | None
    last_well_at: datetime | None


def claim(
    conn: Connection,
    name: str,
    worker: str,
    now: datetime,
    *,
    period: timedelta,
    first: timedelta = timedelta(),
) -> TaskRun | None:
    """Return the right to run ``name`` if it is due, and make it due again after ``period``.

    Args:
        first: how long after its first mention a task becomes due.
    """
    absent = {"name": name, "due_at": now + first, "fence": 0}
    conn.execute(insert_if_absent(conn, table), absent)
    fence = conn.execute(
        update(table)
        .where(table.c.name == name, table.c.due_at <= now)
        .values(
            due_at=now + period,
            lease_owner=worker,
            last_started_at=now,
            fence=table.c.fence + 1,
        )
        .returning(table.c.fence)
    ).scalar()
    return None if fence is None else TaskRun(name=name, worker=worker, fence=fence)


def renew(conn: Connection, run: TaskRun, until: datetime) -> bool:
    """Keep the right to run until then and return True; False where a later run has begun."""
    done = conn.execute(
        update(table)
        .where(table.c.name == run.name, table.c.fence == run.fence)
        .values(due_at=until)
    )
    return done.rowcount == 1


def end(
    conn: Connection,
    run: TaskRun,
    *,
    at: datetime,
    error: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Note how a run ended, unless a later run has begun.

    Args:
        due_at: when the next turn comes; after the period that was claimed unless given.
    """
    values: dict[str, object] = {"lease_owner": None, "last_ended_at": at, "last_error": error}
    if error is None:
        values["last_well_at"] = at
    if due_at is not None:
        values["due_at"] = due_at
    conn.execute(
        update(table).where(table.c.name == run.name, table.c.fence == run.fence).values(**values)
    )


def every(conn: Connection) -> tuple[TaskState, ...]:
    """Return the state of every task by name."""
    columns = (table.c[name] for name in TaskState.__dataclass_fields__)
    query = select(*columns).order_by(table.c.name)
    return tuple(TaskState(**row._mapping) for row in conn.execute(query))
