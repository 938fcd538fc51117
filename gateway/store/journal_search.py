"""Searching the journal by subject, action, actor and time, page by page, at a bounded cost.

What has an index leads; a walk ends after ``WALK`` entries, so that a page may be short or
empty and yet name where to go on.  Time is found by halving the sequence, which rises with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from gateway.store.journal import entry_of
from gateway.store.rows import JournalEntry
from gateway.store.states import JournalAction
from gateway.store.tables import journal as table

WALK: Final = 5_000
SKEW: Final = timedelta(minutes=5)
"""Clocks of our processes may differ; within this span the sequence does not say the time."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Says which entries are meant; what is None does not matter.

    Attributes:
        actions: any of these.
        since, until: bounds of the time of an entry; ``until`` is not in.
    """

    subject: str | None = None
    actor: str | None = None
    actions: frozenset[JournalAction] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class JournalPart:
    """Is one page; ``go_on`` is the number below which the next begins, None at the end."""

    entries: tuple[JournalEntry, ...]
    go_on: int | None


def search(conn: Connection, asked: Asked, *, before: int | None, limit: int) -> JournalPart:
    """Return the newest entries that are meant, those below ``before`` only."""
    walked = _walk(conn, asked, before).subquery()
    query = select(walked).order_by(walked.c.sequence.desc())
    if asked.actor is not None:
        query = query.where(walked.c.actor == asked.actor)
    if asked.actions is not None:
        query = query.where(walked.c.action.in_(_values(asked.actions)))
    if asked.since is not None:
        query = query.where(walked.c.at >= asked.since)
    if asked.until is not None:
        query = query.where(walked.c.at < asked.until)
    rows = conn.execute(query.limit(limit + 1)).all()
    if len(rows) > limit:
        return JournalPart(
            entries=tuple(map(entry_of, rows[:limit])), go_on=rows[limit - 1].sequence
        )
    last = select(walked.c.sequence).order_by(walked.c.sequence.desc()).offset(WALK - 1).limit(1)
    return JournalPart(entries=tuple(map(entry_of, rows)), go_on=conn.execute(last).scalar())


def first_since(conn: Connection, moment: datetime) -> int:
    """Return the number of the first entry made at ``moment`` or later, one past the end if none.

    Halves the sequence; asks as often as the number of entries has binary digits.
    """
    low, high = 1, (conn.execute(select(func.max(table.c.sequence))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(table.c.at).where(table.c.sequence >= middle)
        at = conn.execute(query.order_by(table.c.sequence).limit(1)).scalar()
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _walk(conn: Connection, asked: Asked, before: int | None) -> Select[Any]:
    query = select(table).order_by(table.c.sequence.desc()).limit(WALK)
    if asked.subject is not None:
        query = query.where(table.c.subject == asked.subject)
    elif asked.actions is not None and len(asked.actions) <= 1:  # several would be sorted
        query = query.where(table.c.action.in_(_values(asked.actions)))
    if asked.since is not None:
        query = query.where(table.c.sequence >= first_since(conn, asked.since - SKEW))
    if asked.until is not None:
        query = query.where(table.c.sequence < first_since(conn, asked.until + SKEW))
    return query if before is None else query.where(table.c.sequence < before)


def _values(actions: Collection[JournalAction]) -> list[str]:
    return sorted(action.value for action in actions)
