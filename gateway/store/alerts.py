"""Alerts: one row per rule and subject from its first sight until it clears.

While a row is live the same thing seen again only counts; who is told, and when, stands in
``gateway.store.notices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, text, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.rows.operations import Alert
from gateway.store.states import AlertLevel, AlertState
from gateway.store.tables import alert_notices
from gateway.store.tables import alerts as table
from gateway.store.tables.operations import LIVE


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Is one thing seen now that a rule calls an alert."""

    rule: str
    subject: str
    level: AlertLevel
    step: str
    facts: Mapping[str, str]


def live(conn: Connection) -> tuple[Alert, ...]:
    """Return every alert that has not cleared, the most urgent first."""
    found = [Alert(**row._mapping) for row in conn.execute(select(table).where(text(LIVE)))]
    return tuple(sorted(found, key=lambda each: (-each.level.rank, each.first_at, each.id)))


def count_live(conn: Connection) -> Mapping[AlertLevel, int]:
    """Return how many alerts are live at each level."""
    query = select(table.c.level, func.count()).where(text(LIVE)).group_by(table.c.level)
    return {row.level: row.count_1 for row in conn.execute(query)}


def page(conn: Connection, *, limit: int = 50, before: int | None = None) -> tuple[Alert, ...]:
    """Return the newest alerts first, cleared ones too."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(Alert(**row._mapping) for row in conn.execute(query))


def by_ids(conn: Connection, ids: set[int]) -> Mapping[int, Alert]:
    """Return the alerts with these keys."""
    rows = conn.execute(select(table).where(table.c.id.in_(sorted(ids))))
    return {row.id: Alert(**row._mapping) for row in rows}


def raise_new(conn: Connection, sighting: Sighting, *, at: datetime) -> Alert:
    """Store the first sight of something and return its alert."""
    values = {**vars(sighting), "facts": dict(sighting.facts)}
    row = conn.execute(
        insert(table)
        .values(**values, state=AlertState.OPEN, first_at=at, last_at=at, count=1, told_at=at)
        .returning(table)
    ).one()
    return Alert(**row._mapping)


def see_again(
    conn: Connection, alert: Alert, sighting: Sighting, *, at: datetime, told: bool
) -> None:
    """Count another sight of a live alert; a level that rose opens an acknowledged one again."""
    values: dict[str, Any] = {
        "level": sighting.level,
        "step": sighting.step,
        "facts": dict(sighting.facts),
        "last_at": at,
        "count": table.c.count + 1,
    }
    if told:
        values["told_at"] = at
    if sighting.level.rank > alert.level.rank:
        values["state"] = AlertState.OPEN
    conn.execute(update(table).where(table.c.id == alert.id).values(**values))


def note_told(conn: Connection, alert_id: int, *, at: datetime) -> None:
    """Note that recipients are being reminded of a live alert."""
    conn.execute(update(table).where(table.c.id == alert_id).values(told_at=at))


def clear(conn: Connection, alert_id: int, *, at: datetime) -> None:
    """End an alert whose cause has gone."""
    own = table.c.id == alert_id
    conn.execute(update(table).where(own).values(state=AlertState.CLEARED, cleared_at=at))


def acknowledge(
    conn: Connection, alert_id: int, *, at: datetime, actor: str, reason: str, ends: bool
) -> Alert:
    """Note that a person has taken an alert on, and return it.

    Args:
        ends: the alert is about something that happened, not about a state that lasts, so
            that taking it on ends it.

    Raises:
        NotFoundError: there is no such alert.
        ConflictError: it has cleared.
    """
    row = conn.execute(select(table).where(table.c.id == alert_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no alert {alert_id}")
    if row.state is AlertState.CLEARED:
        raise ConflictError(f"the alert {alert_id} has cleared already")
    values: dict[str, Any] = {
        "state": AlertState.CLEARED if ends else AlertState.ACKNOWLEDGED,
        "acknowledged_by": actor[:100],
        "acknowledged_at": at,
        "acknowledged_why": reason,
        "cleared_at": at if ends else None,
    }
    own = table.c.id == alert_id
    changed = conn.execute(update(table).where(own).values(**values).returning(table)).one()
    detail = {"rule": row.rule, "alert": alert_id, "reason": reason}
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.ALERT_ACKNOWLEDGED,
        subject=row.subject,
        detail=detail,
    )
    return Alert(**changed._mapping)


def forget(conn: Connection, before: datetime, *, limit: int = 500) -> int:
    """Delete alerts that cleared before a moment, and notices that ended before it.

    An alert that lasts stays, and so does one of which somebody is still to be told.  Who
    acknowledged what stands in the journal, which keeps it.  Returns how many rows went.
    """
    told = alert_notices.c
    ended = select(told.id).where(told.ended_at < before).order_by(told.id).limit(limit)
    gone = conn.execute(delete(alert_notices).where(told.id.in_(ended))).rowcount
    over = (
        select(table.c.id)
        .where(table.c.state == AlertState.CLEARED, table.c.cleared_at < before)
        .where(~exists().where(told.alert_id == table.c.id))
        .order_by(table.c.id)
        .limit(limit)
    )
    return gone + conn.execute(delete(table).where(table.c.id.in_(over))).rowcount


def find(conn: Connection, alert_id: int) -> Alert:
    """Return the alert with this key.

    Raises:
        NotFoundError: there is none.
    """
    row = conn.execute(select(table).where(table.c.id == alert_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no alert {alert_id}")
    return Alert(**row._mapping)
