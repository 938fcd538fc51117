"""Queries about announced maintenance, our own and the peers'.

An announcement and its end are journalled, and told to every national system, in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import events, journal
from gateway.store.rows.maintenance import Maintenance, NewMaintenance
from gateway.store.states import EventKind
from gateway.store.tables import maintenance as table
from gateway.store.tables.maintenance import STANDING

MOST: Final = 100
"""No more announcements stand at a time than a person can read."""


def announce(
    conn: Connection, new: NewMaintenance, *, gateway: str, at: datetime, actor: str
) -> Maintenance:
    """Store an announcement and return it.

    Args:
        gateway: identifier of the gateway that will not answer.
    """
    values = {**vars(new), "note": dict(new.note), "announced_at": at, "announced_by": actor}
    row = conn.execute(insert(table).values(**values).returning(table)).one()
    made = Maintenance(**row._mapping)
    detail = _detail(made, gateway)
    _note(conn, journal.Action.MAINTENANCE_ANNOUNCED, gateway, at, actor, detail)
    _tell(conn, EventKind.MAINTENANCE_ANNOUNCED, gateway, at, detail)
    return made


def close(
    conn: Connection, found: Maintenance, *, gateway: str, at: datetime, actor: str, reason: str
) -> None:
    """End an announced span before its time, or take it back before it begins.

    Raises:
        ConflictError: it has ended already.
    """
    done = conn.execute(
        update(table).where(table.c.id == found.id, text(STANDING)).values(closed_at=at)
    )
    if done.rowcount != 1:
        raise ConflictError("this maintenance has ended already")
    detail = _detail(found, gateway)
    why = {**detail, "reason": reason}
    _note(conn, journal.Action.MAINTENANCE_ENDED, gateway, at, actor, why)
    _tell(conn, EventKind.MAINTENANCE_ENDED, gateway, at, detail)


def find(conn: Connection, number: int) -> Maintenance:
    """Return one announcement of ours.

    Raises:
        NotFoundError: there is none with this number.
    """
    query = select(table).where(table.c.id == number, table.c.peer_id.is_(None))
    row = conn.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no announced maintenance {number} of ours")
    return Maintenance(**row._mapping)


def standing(conn: Connection, now: datetime) -> tuple[Maintenance, ...]:
    """Return what stands and has not ended, ours and the peers', what begins first at the top."""
    query = (
        select(table)
        .where(text(STANDING), table.c.ends_at > now)
        .order_by(table.c.begins_at, table.c.id)
        .limit(MOST)
    )
    return tuple(Maintenance(**row._mapping) for row in conn.execute(query))


def page(
    conn: Connection, *, before: int | None = None, limit: int = 50
) -> tuple[Maintenance, ...]:
    """Return announcements of any state, the newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(Maintenance(**row._mapping) for row in conn.execute(query))


def away(conn: Connection, now: datetime) -> Mapping[int, Maintenance]:
    """Return the peers that have announced not to answer now, each with the span that ends last."""
    found = [each for each in standing(conn, now) if each.lasts(now)]
    return {
        each.peer_id: each
        for each in sorted(found, key=lambda one: one.ends_at)
        if each.peer_id is not None
    }


def of(found: Sequence[Maintenance], peer_id: int | None) -> tuple[Maintenance, ...]:
    """Return those of one gateway, None for our own."""
    return tuple(each for each in found if each.peer_id == peer_id)


def _detail(one: Maintenance, gateway: str) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "begins_at": one.begins_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "note": dict(one.note),
    }


def _note(
    conn: Connection,
    action: journal.Action,
    gateway: str,
    at: datetime,
    actor: str,
    detail: Mapping[str, Any],
) -> None:
    journal.append(conn, at=at, actor=actor, action=action, subject=gateway, detail=detail)


def _tell(
    conn: Connection, kind: EventKind, gateway: str, at: datetime, data: Mapping[str, Any]
) -> None:
    events.append(conn, at=at, kind=kind, subject=gateway, data=data, audience=events.EVERYBODY)
