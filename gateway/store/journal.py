"""The journal: append-only and hash-chained, so that a change or a gap shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.store import chain
from gateway.store.rows import JournalEntry
from gateway.store.states import JournalAction as Action
from gateway.store.tables import chain_heads
from gateway.store.tables import journal as table
from gateway.store.types import canonical_json

GATEWAY = "gateway"
_BATCH = 250
"""Rows held at a time: what a walk takes, a process that runs for years never gives back."""

__all__ = [
    "GATEWAY",
    "Action",
    "ChainReport",
    "append",
    "entry_of",
    "head",
    "page",
    "verify_chain",
    "verify_part",
]


@dataclass(frozen=True, kw_only=True)
class ChainReport:
    """Is the result of walking the journal.

    Attributes:
        entries: entries that chain correctly from the first on.
        broken_at: sequence number where the chain breaks; None when it holds.
        reason: what does not fit there.
        last_hash: hash of the last good entry, to be countersigned elsewhere.
    """

    entries: int
    broken_at: int | None
    reason: str | None
    last_hash: str

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, taken out or cut off."""
        return self.broken_at is None


def append(
    conn: Connection,
    *,
    at: datetime,
    action: Action,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    actor: str = GATEWAY,
) -> None:
    """Add an entry to the journal when the transaction commits.

    Args:
        subject: what it is about: a message id, serial number, peer or digest.
        detail: codes, digests, counts; never payloads, secrets or personal data.
        actor: who did it: ``gateway``, ``worker:…``, ``user:…``, ``peer:…``.
    """
    details = canonical_json(dict(detail or {}))
    entry = chain.PendingEntry(at, actor[:100], action, subject[:140], details)
    chain.pending(conn).entries.append(entry)


def page(
    conn: Connection,
    *,
    subject: str | None = None,
    action: Action | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[JournalEntry, ...]:
    """Return the newest entries first, those below ``before`` only."""
    query = select(table).order_by(table.c.sequence.desc()).limit(limit)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    if action is not None:
        query = query.where(table.c.action == action)
    if before is not None:
        query = query.where(table.c.sequence < before)
    return tuple(entry_of(row) for row in conn.execute(query))


def head(conn: Connection) -> tuple[int, str]:
    """Return sequence and hash of the last entry; 0 and zeros for an empty journal."""
    row = conn.execute(select(chain_heads)).one()
    return row.journal_sequence, row.journal_hash


def verify_chain(conn: Connection, *, after: int = 0, anchor: str = chain.GENESIS) -> ChainReport:
    """Return whether every entry still hashes to what the next one and the head remember.

    Args:
        after: sequence number of the last entry that was verified before.
        anchor: hash that entry had then.
    """
    expected, last_hash = after + 1, anchor
    for row in _rows(conn, after):
        reason = _fault(row, expected, last_hash)
        if reason is not None:
            return _report(expected - 1 - after, last_hash, expected, reason)
        expected, last_hash = expected + 1, row.entry_hash
    if head(conn) != (expected - 1, last_hash):
        return _report(expected - 1 - after, last_hash, expected, "entries at the end are missing")
    return _report(expected - 1 - after, last_hash)


def verify_part(conn: Connection, *, after: int, anchor: str, limit: int) -> ChainReport:
    """Return whether the next ``limit`` entries follow the one that was verified last.

    What ``verify_chain`` does in one walk, in steps: the last step, which finds fewer entries
    than it might take, also compares the end with the head.

    Args:
        after: sequence number of the last entry that was verified before.
        anchor: hash that entry had then.
    """
    last_hash, good = anchor, 0
    for row in islice(_rows(conn, after), limit):
        reason = _fault(row, after + good + 1, last_hash)
        if reason is not None:
            return _report(good, last_hash, after + good + 1, reason)
        last_hash, good = row.entry_hash, good + 1
    if good < limit and head(conn) != (after + good, last_hash):
        return _report(good, last_hash, after + good + 1, "entries at the end are missing")
    return _report(good, last_hash)


def _report(
    entries: int, last_hash: str, broken_at: int | None = None, reason: str | None = None
) -> ChainReport:
    return ChainReport(entries=entries, broken_at=broken_at, reason=reason, last_hash=last_hash)


def _fault(row: Row[Any], expected: int, last_hash: str) -> str | None:
    if row.sequence != expected:
        return "an entry is missing"
    if row.previous_hash != last_hash:
        return "the entry does not follow the one before"
    entry = chain.PendingEntry(row.at, row.actor, row.action, row.subject, row.details)
    if chain.entry_hash(row.sequence, entry, last_hash) != row.entry_hash:
        return "the entry was changed"
    return None


def _rows(conn: Connection, after: int) -> Iterator[Row[Any]]:
    while True:
        query = select(table).where(table.c.sequence > after).order_by(table.c.sequence)
        batch = conn.execute(query.limit(_BATCH)).all()
        yield from batch
        if len(batch) < _BATCH:
            return
        after = batch[-1].sequence


def entry_of(row: Row[Any]) -> JournalEntry:
    """Return a row of the table as an entry."""
    return JournalEntry(
        sequence=row.sequence,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=json.loads(row.details),
        previous_hash=row.previous_hash,
        entry_hash=row.entry_hash,
    )
