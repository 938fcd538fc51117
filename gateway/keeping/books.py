"""The books of a backup: written into an empty database, brought forward, and proved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from gateway.errors import BackupDamagedError, ConfigError, ConflictError
from gateway.keeping.archive import ArchiveReader
from gateway.keeping.manifest import Manifest
from gateway.store import Store, events, journal
from gateway.store.integrity import is_empty, skip_cursors, verify_bodies
from gateway.store.migrations import (
    NEWEST,
    known_revisions,
    newest_revision,
    present_revision,
    upgrade,
)
from gateway.store.portable import count, write

CURSOR_GAP = 1_000_000
"""How far event cursors jump, so that none that was given out after the backup comes again."""


class Proof(StrEnum):
    """Names what a restore has proved, in the order in which it does."""

    SIGNATURE = "SIGNATURE"
    TABLES = "TABLES"
    JOURNAL = "JOURNAL"
    DOCUMENTS = "DOCUMENTS"
    VERSION = "VERSION"
    FILES = "FILES"
    KEYS = "KEYS"


@dataclass(frozen=True, kw_only=True)
class Proved:
    """Is one thing that holds; ``detail`` gives the figures."""

    proof: Proof
    detail: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """Says when and by whom the books were restored."""

    at: datetime
    actor: str


def restore_books(reader: ArchiveReader, store: Store, note: Note | None) -> list[Proved]:
    """Write the tables of a backup into an empty database, and return what was proved.

    Args:
        note: when and by whom, for journal and feed; None only proves.

    Raises:
        ConfigError: the backup was made by newer software.
        ConflictError: the database holds books already.
        BackupDamagedError: rows, journal or documents are not what they were.
    """
    manifest = reader.manifest
    if manifest.schema_revision not in known_revisions():
        raise ConfigError(
            f"the backup was made by a newer version ({manifest.software_version}, tables of "
            f"version {manifest.schema_revision}); install that one"
        )
    with store.begin() as conn:
        if present_revision(conn) is not None and not is_empty(conn):
            raise ConflictError("the database holds books already; name an empty one")
        upgrade(conn, manifest.schema_revision)
        for table in manifest.tables:
            written = write(conn, table.shape(), _rows(reader, table.part))
            if (written, count(conn, table.shape())) != (table.rows, table.rows):
                raise BackupDamagedError(f"{table.name} has {written} rows, not {table.rows}")
        upgrade(conn, NEWEST)
        proved = _prove_books(conn, manifest)
        if note is not None:
            _tell(conn, manifest, note)
    return proved


def _rows(reader: ArchiveReader, part: str) -> Iterator[list[Any]]:
    for line in reader.lines(part):
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise BackupDamagedError(f"a line of {part} is no JSON") from exc
        if not isinstance(row, list):
            raise BackupDamagedError(f"a line of {part} is no row")
        yield row


def _prove_books(conn: Connection, manifest: Manifest) -> list[Proved]:
    chain = journal.verify_chain(conn)
    if not chain.holds:
        raise BackupDamagedError(f"the journal breaks at {chain.broken_at}: {chain.reason}")
    if journal.head(conn) != (manifest.journal.sequence, manifest.journal.hash):
        raise BackupDamagedError("the journal ends elsewhere than the manifest says")
    documents = verify_bodies(conn)
    if not documents.holds:
        raise BackupDamagedError(f"stored documents were changed: {', '.join(documents.changed)}")
    total = sum(table.rows for table in manifest.tables)
    found = (
        (Proof.TABLES, f"{total} rows in {len(manifest.tables)} tables"),
        (Proof.JOURNAL, f"{chain.entries} entries chain up to {chain.last_hash[:16]}…"),
        (Proof.DOCUMENTS, f"{documents.intact} intact, {documents.erased} erased by retention"),
        (Proof.VERSION, f"{manifest.schema_revision} brought forward to {newest_revision()}"),
    )
    return [Proved(proof=proof, detail=detail) for proof, detail in found]


def _tell(conn: Connection, manifest: Manifest, note: Note) -> None:
    """Let journal and feed tell that what follows the backup is missing from these books."""
    journal.append(
        conn,
        at=note.at,
        actor=note.actor,
        action=journal.Action.BACKUP_RESTORED,
        subject=manifest.backup_id,
        detail={
            "made_at": manifest.made_at.isoformat(),
            "journal_sequence": manifest.journal.sequence,
        },
    )
    skip_cursors(conn, CURSOR_GAP)
    events.append(
        conn,
        at=note.at,
        kind=events.Kind.BOOKS_RESTORED,
        subject=manifest.backup_id,
        data={
            "made_at": manifest.made_at.isoformat(),
            "last_cursor_in_backup": manifest.event_cursor,
        },
        audience=events.EVERYBODY,
    )
