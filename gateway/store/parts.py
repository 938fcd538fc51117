"""Queries about what is in force: mappings, profiles, rules and formats, each since when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from gateway.store import journal
from gateway.store.dialects import lock_name
from gateway.store.rows.maintenance import PartInForce
from gateway.store.tables import parts_in_force as table

_COLUMNS = tuple(table.c[name] for name in PartInForce.__dataclass_fields__)


def note(conn: Connection, parts: Iterable[tuple[str, str, str]], *, at: datetime) -> int:
    """Keep what is in force now, where it differs from what was; return how much is new.

    A change is journalled, what is seen for the first time is not.

    Args:
        parts: name, version and checksum of each.
    """
    lock_name(conn, "parts in force")
    known = {each.name: (each.version, each.checksum) for each in newest(conn)}
    fresh = [each for each in parts if known.get(each[0]) != each[1:]]
    for name, version, checksum in fresh:
        values = {"name": name, "version": version, "checksum": checksum, "since": at}
        conn.execute(insert(table).values(**values))
        before = known.get(name)
        if before is not None:
            detail = {"version": version, "checksum": checksum, "before": before[0]}
            action = journal.Action.PART_IN_FORCE
            journal.append(conn, at=at, action=action, subject=name, detail=detail)
    return len(fresh)


def newest(conn: Connection) -> tuple[PartInForce, ...]:
    """Return what was in force when a worker looked last, by name."""
    last = select(func.max(table.c.id)).group_by(table.c.name)
    query = select(*_COLUMNS).where(table.c.id.in_(last)).order_by(table.c.name)
    return tuple(PartInForce(**row._mapping) for row in conn.execute(query))


def every(conn: Connection, *, limit: int = 500) -> tuple[PartInForce, ...]:
    """Return what was and is in force, the newest first."""
    query = select(*_COLUMNS).order_by(table.c.id.desc()).limit(limit)
    return tuple(PartInForce(**row._mapping) for row in conn.execute(query))
