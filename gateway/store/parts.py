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
        detail = {"part": name, "version": version, "checksum": checksum}
        detail |= {} if before is None else {"before": before[0]}
        journal.append(
            conn,
            at=at,
            action=journal.Action.PART_IN_FORCE,
            subject=name,
            detail=detail,
        )
    return len(fresh)


def newest(conn: Connection) -> tuple[PartInForce, ...]:
    """Return what was in force when a worker looked last, by name."""
    last = select(func.max(table.c.id)).group_by(table.c.name)
    query = select(*_COLUMNS).where(table.c.id.in_(last)).order_by(table.c.name)
    return tuple(PartInForce(**row._mapping) for row in conn.execute(query))


def history(conn: Connection, name: str, *, limit: int = 20) -> tuple[PartInForce, ...]:
    """Return the versions of one part, the newest first."""
    query = select(*_COLUMNS).where(table.c.name == name).order_by(table.c.id.desc()).limit(limit)
    return tuple(PartInForce(**row._mapping) for row in conn.execute(query))
