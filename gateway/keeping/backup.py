"""Taking a backup while every process goes on working.

1. One read transaction sees one moment of the books: every table is streamed from it.
2. Settings and public certificates follow as they stand in the home.
3. Private files are encrypted together under the passphrase, or left out.
4. The manifest with all digests is signed by the gateway's key.
5. The journal tells that it was made.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

import gateway
from gateway.errors import ConfigError
from gateway.keeping.archive import ArchiveWriter, new_archive
from gateway.keeping.manifest import (
    FilePart,
    JournalHead,
    KeyProtection,
    Manifest,
    SourceEngine,
    TablePart,
)
from gateway.keeping.seal import lock_files
from gateway.store import Store, events, journal
from gateway.store.migrations import newest_revision, present_revision
from gateway.store.portable import TableShape, rows, shapes
from gateway.trust import Credential

KEYS_PART = "keys.enc"
_BATCH = 400


@dataclass(frozen=True, kw_only=True)
class HomeFiles:
    """Is what of a gateway home belongs into a backup, by path from the home.

    Attributes:
        private: keys and whatever may hold one.
    """

    public: Mapping[str, bytes]
    private: Mapping[str, bytes]

    def __repr__(self) -> str:
        """Return paths only."""
        return f"HomeFiles({sorted(self.public)}, private {sorted(self.private)})"


@dataclass(frozen=True, kw_only=True)
class BackupOrder:
    """Says what is to be backed up, and for whom.

    Attributes:
        passphrase: encrypts the private files; None leaves them out.
    """

    store: Store
    files: HomeFiles
    credential: Credential
    identifier: str
    country: str
    passphrase: bytes | None

    def __repr__(self) -> str:
        """Return whose backup it is."""
        return f"BackupOrder({self.identifier})"


def make_backup(path: Path, order: BackupOrder, *, at: datetime, actor: str) -> Manifest:
    """Write a backup to ``path`` and return its manifest.

    Raises:
        ConflictError: the file exists.
        ConfigError: the folder, the passphrase or the version of the tables do not allow it.
        BusyError: the database does not answer.
    """
    backup_id = str(uuid.uuid4())
    with new_archive(path) as writer:
        with order.store.read() as conn:  # 1
            _require_newest(conn)
            sequence, last_hash = journal.head(conn)
            cursor = events.last_cursor(conn)
            tables = tuple(_table(writer, conn, shape) for shape in shapes())
        files = _files(writer, order.files.public)  # 2
        keys = _keys(writer, order, backup_id)  # 3
        manifest = Manifest(
            backup_id=backup_id,
            made_at=at,
            identifier=order.identifier,
            country=order.country,
            software_version=gateway.__version__,
            schema_revision=newest_revision(),
            engine=SourceEngine(order.store.dialect),
            journal=JournalHead(sequence=sequence, hash=last_hash),
            event_cursor=cursor,
            signer_sha256=order.credential.fingerprint,
            parts=writer.parts,
            tables=tables,
            files=files,
            keys=keys,
        )
        writer.finish(manifest, order.credential)  # 4
    _note(order.store, manifest, at=at, actor=actor)  # 5
    return manifest


def _require_newest(conn: Connection) -> None:
    found = present_revision(conn)
    if found != newest_revision():
        raise ConfigError(f"the tables are of version {found}; run `eco migrate` first")


def _table(writer: ArchiveWriter, conn: Connection, shape: TableShape) -> TablePart:
    count = 0

    def pieces() -> Iterator[bytes]:
        nonlocal count
        waiting: list[str] = []
        for row in rows(conn, shape):
            count += 1
            waiting.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
            if len(waiting) == _BATCH:
                yield ("\n".join(waiting) + "\n").encode("utf-8")
                waiting.clear()
        if waiting:
            yield ("\n".join(waiting) + "\n").encode("utf-8")

    part = writer.add(f"tables/{shape.name}.jsonl", pieces())
    return TablePart(
        name=shape.name, part=part.name, rows=count, columns=shape.columns, key=shape.key
    )


def _files(writer: ArchiveWriter, public: Mapping[str, bytes]) -> tuple[FilePart, ...]:
    found = []
    for number, (path, content) in enumerate(sorted(public.items())):
        part = writer.add(f"files/{number:03}", [content])
        found.append(FilePart(path=path, part=part.name))
    return tuple(found)


def _keys(writer: ArchiveWriter, order: BackupOrder, backup_id: str) -> KeyProtection | None:
    if order.passphrase is None or not order.files.private:
        return None
    how, locked = lock_files(
        order.files.private, order.passphrase, part=KEYS_PART, backup_id=backup_id
    )
    writer.add(KEYS_PART, [locked])
    return how


def _note(store: Store, manifest: Manifest, *, at: datetime, actor: str) -> None:
    with store.begin() as conn:
        journal.append(
            conn,
            at=at,
            actor=actor,
            action=journal.Action.BACKUP_MADE,
            subject=manifest.backup_id,
            detail={
                "journal_sequence": manifest.journal.sequence,
                "rows": sum(table.rows for table in manifest.tables),
                "with_keys": manifest.keys is not None,
            },
        )
