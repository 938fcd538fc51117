"""What a peer's gateway said of itself when it was asked last: its software and its versions."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from gateway.store.dialects import insert_if_absent
from gateway.store.rows import Sighting
from gateway.store.tables import peer_sightings as table


def note(conn: Connection, sighting: Sighting) -> None:
    """Keep ``sighting`` in place of the one before."""
    values = {**vars(sighting), "versions": list(sighting.versions)}
    conn.execute(insert_if_absent(conn, table), values)
    own = table.c.peer_id == sighting.peer_id
    conn.execute(update(table).where(own).values(**values))


def find(conn: Connection, peer_id: int) -> Sighting | None:
    """Return what a peer said of itself last, None before it was asked."""
    row = conn.execute(select(table).where(table.c.peer_id == peer_id)).one_or_none()
    if row is None:
        return None
    return Sighting(**{**row._mapping, "versions": tuple(row.versions)})
