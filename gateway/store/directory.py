"""Queries about the directory of authorities: offices, stamps, signatures, each with its versions.

Nothing here is ever changed or taken out.  Who reads many entries gets the highest version of
each; entering one marks the peers of that state as changed, so that whoever keeps what a peer's
row says in memory reads the directory anew too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import bodies, journal
from gateway.store.dialects import insert_if_absent
from gateway.store.roles import DirectoryKind
from gateway.store.rows import DirectoryEntry, NewDirectoryEntry
from gateway.store.tables import directory_entries as table
from gateway.store.tables import peers

_SAID = tuple(NewDirectoryEntry.__dataclass_fields__)


def add(
    conn: Connection,
    new: NewDirectoryEntry,
    picture: bytes | None = None,
    *,
    at: datetime,
    actor: str,
) -> tuple[DirectoryEntry, bool]:
    """Store one version of an entry; return it as stored, and whether it is new.

    Args:
        picture: of a specimen, in its bare form.

    Raises:
        ConflictError: that version is stored already and says something else.
    """
    if picture is not None and bodies.put(conn, picture) != new.picture_sha256:
        raise ValueError("the picture has another digest than its entry states")
    values = {**vars(new), "entered_by": actor[:100], "entered_at": at}
    row = conn.execute(insert_if_absent(conn, table, *table.c), values).one_or_none()
    if row is None:
        return _as_stored(conn, new), False
    peers_of = update(peers).where(peers.c.country == new.country)
    conn.execute(peers_of.values(updated_at=at, revision=peers.c.revision + 1))
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.DIRECTORY_ENTERED,
        subject=f"{new.origin} {new.key}",
        detail={
            "version": new.version,
            "kind": new.kind,
            "duty": new.duty,
            "authority": new.authority_code,
            "picture_sha256": new.picture_sha256,
            "valid_from": new.valid_from.isoformat(),
            "valid_until": None if new.valid_until is None else new.valid_until.isoformat(),
            "public": new.is_public,
        },
    )
    return _entry(row), True


def versions(conn: Connection, origin: str, key: str) -> tuple[DirectoryEntry, ...]:
    """Return every version of an entry, newest first; none if there is no such entry."""
    query = (
        select(table)
        .where(table.c.origin == origin, table.c.key == key)
        .order_by(table.c.version.desc())
    )
    return tuple(map(_entry, conn.execute(query)))


def by_id(conn: Connection, entry_id: int) -> DirectoryEntry:
    """Return one version of an entry.

    Raises:
        NotFoundError: there is none with this key.
    """
    row = conn.execute(select(table).where(table.c.id == entry_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such entry in the directory")
    return _entry(row)


def by_key(conn: Connection, key: str) -> tuple[DirectoryEntry, ...]:
    """Return the newest version of every entry that is named so, at any origin."""
    return tuple(map(_entry, conn.execute(_newest().where(table.c.key == key))))


def newest(
    conn: Connection,
    *,
    country: str | None = None,
    kinds: Collection[DirectoryKind] = tuple(DirectoryKind),
    only_public: bool = False,
) -> tuple[DirectoryEntry, ...]:
    """Return the newest version of each entry by state, authority, office and kind."""
    query = _newest().where(table.c.kind.in_(kinds))
    if country is not None:
        query = query.where(table.c.country == country)
    if only_public:
        query = query.where(table.c.is_public)
    order = (table.c.country, table.c.authority_code, table.c.office_code, table.c.kind, table.c.id)
    return tuple(map(_entry, conn.execute(query.order_by(*order))))


def history_of(conn: Connection, origin: str) -> tuple[DirectoryEntry, ...]:
    """Return every version of every entry that a gateway keeps, in the order of entering."""
    query = select(table).where(table.c.origin == origin).order_by(table.c.id)
    return tuple(map(_entry, conn.execute(query)))


def picture(conn: Connection, entry: DirectoryEntry) -> bytes:
    """Return the picture of a specimen.

    Raises:
        NotFoundError: the entry has none.
    """
    if entry.picture_sha256 is None:
        raise NotFoundError("the entry has no picture")
    return bodies.get(conn, entry.picture_sha256)


def _newest() -> Any:
    last = (
        select(table.c.origin, table.c.key, func.max(table.c.version).label("version"))
        .group_by(table.c.origin, table.c.key)
        .subquery()
    )
    return select(table).join(
        last,
        (last.c.origin == table.c.origin)
        & (last.c.key == table.c.key)
        & (last.c.version == table.c.version),
    )


def _as_stored(conn: Connection, new: NewDirectoryEntry) -> DirectoryEntry:
    query = select(table).where(
        table.c.origin == new.origin, table.c.key == new.key, table.c.version == new.version
    )
    found = _entry(conn.execute(query).one())
    if any(getattr(found, name) != getattr(new, name) for name in _SAID):
        raise ConflictError(
            f"version {new.version} of {new.key} of {new.origin} is entered already and differs"
        )
    return found


def _entry(row: Any) -> DirectoryEntry:
    return DirectoryEntry(**row._mapping)
