"""Notices: alerts on their way to recipients, with lease and retry like messages to peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, text, update

from gateway.store.rows.operations import Notice
from gateway.store.states import AlertLevel, NoticeKind, NoticeState
from gateway.store.tables import alert_notices as table
from gateway.store.tables.operations import NOTICE_DUE

MOST_ATTEMPTS: Final = 40


def add(
    conn: Connection,
    alert_id: int,
    kind: NoticeKind,
    level: AlertLevel,
    due: Iterable[tuple[str, datetime]],
    *,
    at: datetime,
) -> None:
    """Queue a notice of one alert for each recipient, due at its time."""
    for recipient, due_at in due:
        conn.execute(
            insert(table).values(
                alert_id=alert_id,
                kind=kind,
                level=level,
                recipient=recipient,
                state=NoticeState.PENDING,
                due_at=due_at,
                attempts=0,
                created_at=at,
            )
        )


def claim(
    conn: Connection, now: datetime, *, lease: timedelta, limit: int = 200
) -> tuple[Notice, ...]:
    """Take the notices that are due until the lease ends; commit, then send."""
    due = (
        select(table.c.id)
        .where(text(NOTICE_DUE), table.c.due_at <= now)
        .order_by(table.c.due_at, table.c.id)
        .limit(limit)
    )
    rows = conn.execute(
        update(table)
        .where(table.c.id.in_(due), table.c.due_at <= now)
        .values(due_at=now + lease, attempts=table.c.attempts + 1)
        .returning(table)
    )
    return tuple(Notice(**row._mapping) for row in rows)


def end(conn: Connection, taken: Iterable[Notice], *, at: datetime) -> None:
    """Note that notices have reached their recipient."""
    values = {"state": NoticeState.SENT, "due_at": None, "last_error": None, "ended_at": at}
    conn.execute(update(table).where(_held(taken)).values(**values))


def fail(
    conn: Connection, taken: Iterable[Notice], *, at: datetime, pause: timedelta, error: str
) -> None:
    """Note that notices did not reach their recipient; they are tried again, then given up."""
    taken = tuple(taken)
    spent = [notice for notice in taken if notice.attempts >= MOST_ATTEMPTS]
    again = [notice for notice in taken if notice.attempts < MOST_ATTEMPTS]
    given_up = {"state": NoticeState.FAILED, "due_at": None, "ended_at": at}
    for notices, values in ((again, {"due_at": at + pause}), (spent, given_up)):
        if notices:
            changed = {**values, "last_error": error[:200]}
            conn.execute(update(table).where(_held(notices)).values(**changed))


def stuck(conn: Connection, *, attempts: int) -> int:
    """Return how many notices wait after so many attempts."""
    query = select(func.count()).where(text(NOTICE_DUE), table.c.attempts >= attempts)
    count: int = conn.execute(query).scalar_one()
    return count


def waiting(conn: Connection) -> int:
    """Return how many notices are on their way."""
    query = select(func.count()).select_from(table).where(text(NOTICE_DUE))
    count: int = conn.execute(query).scalar_one()
    return count


def last_errors(conn: Connection, limit: int = 20) -> Mapping[str, str]:
    """Return the newest error of recipients that do not get their notices."""
    query = (
        select(table.c.recipient, table.c.last_error)
        .where(text(NOTICE_DUE), table.c.last_error.is_not(None))
        .order_by(table.c.id)
        .limit(limit)
    )
    return {row.recipient: row.last_error for row in conn.execute(query)}


def _held(taken: Iterable[Notice]) -> ColumnElement[bool]:
    return or_(*(and_(table.c.id == n.id, table.c.attempts == n.attempts) for n in taken))
