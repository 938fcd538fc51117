"""Appending to journal and feed: what a transaction says is chained just before its commit.

Entries are kept in memory with the connection until ``Store.begin`` seals them.  Only then is
the one row of ``chain_heads`` locked, after every other row the transaction needs, so writers
wait for each other no longer than a commit takes and cannot deadlock on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.store.statements import Statement, inserting
from gateway.store.states import EventCircle, EventKind, JournalAction
from gateway.store.tables import chain_heads, events, journal
from gateway.store.types import canonical_json

GENESIS = "0" * 64
_PENDING = "eco_pending"
_LOCK_HEAD = Statement(select(chain_heads).with_for_update())
_ADD_ENTRIES = inserting(journal, journal.c.keys())
_ADD_EVENTS = inserting(events, events.c.keys())
_MOVE_HEAD = Statement(update(chain_heads), ("journal_sequence", "journal_hash", "event_cursor"))


@dataclass(frozen=True)
class PendingEntry:
    """Is a journal entry before it has its place in the chain."""

    at: datetime
    actor: str
    action: JournalAction
    subject: str
    details: str


@dataclass(frozen=True)
class PendingEvent:
    """Is an event before it has its cursor."""

    at: datetime
    kind: EventKind
    subject: str
    data: Mapping[str, Any]
    audience: Audience


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Says who is told of an event; see ``Event``."""

    circle: EventCircle
    country: str | None = None
    authority: str | None = None
    certificate_id: int | None = None


@dataclass
class Pending:
    """Holds what one transaction will append when it commits.

    Attributes:
        attempts: events that are told though the transaction is undone.
        bodies: digests of the bytes that it has stored already.
    """

    entries: list[PendingEntry] = field(default_factory=list)
    events: list[PendingEvent] = field(default_factory=list)
    attempts: list[PendingEvent] = field(default_factory=list)
    bodies: set[str] = field(default_factory=set)


def open_pending(conn: Connection) -> None:
    """Forget what an earlier transaction of this connection left and start empty."""
    conn.info[_PENDING] = Pending()


def close_pending(conn: Connection) -> None:
    """Forget what the transaction wanted to append, written or not."""
    conn.info.pop(_PENDING, None)


def pending(conn: Connection) -> Pending:
    """Return what the transaction will append.

    Raises:
        RuntimeError: the connection was not given by ``Store.begin``.
    """
    found = conn.info.get(_PENDING)
    if not isinstance(found, Pending):
        raise RuntimeError("journal and events are written inside Store.begin() only")  # noqa: TRY004
    return found


def seal(conn: Connection) -> None:
    """Write what is pending in the order of the chain; the head stays locked until commit."""
    waiting = pending(conn)
    if not waiting.entries and not waiting.events:
        return
    head = _LOCK_HEAD.first(conn)
    entries, last_hash = _chained(waiting.entries, head.journal_sequence, head.journal_hash)
    feed = _numbered(waiting.events, head.event_cursor)
    _ADD_ENTRIES.run_each(conn, entries)
    _ADD_EVENTS.run_each(conn, feed)
    _MOVE_HEAD.run(
        conn,
        journal_sequence=head.journal_sequence + len(entries),
        journal_hash=last_hash,
        event_cursor=head.event_cursor + len(feed),
    )


def entry_hash(sequence: int, entry: PendingEntry, previous_hash: str) -> str:
    """Return the SHA-256 that chains ``entry`` at ``sequence`` to the one before."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = [previous_hash, sequence, at, entry.actor, str(entry.action), entry.subject]
    return hashlib.sha256(canonical_json([*fields, entry.details]).encode()).hexdigest()


def _chained(
    entries: list[PendingEntry], sequence: int, last_hash: str
) -> tuple[list[dict[str, Any]], str]:
    rows = []
    for number, entry in enumerate(entries, start=sequence + 1):
        own_hash = entry_hash(number, entry, last_hash)
        rows.append(
            {
                "sequence": number,
                "at": entry.at,
                "actor": entry.actor,
                "action": str(entry.action),
                "subject": entry.subject,
                "details": entry.details,
                "previous_hash": last_hash,
                "entry_hash": own_hash,
            }
        )
        last_hash = own_hash
    return rows, last_hash


def _numbered(waiting: list[PendingEvent], cursor: int) -> list[dict[str, Any]]:
    return [
        {
            "cursor": number,
            "at": event.at,
            "kind": event.kind,
            "subject": event.subject,
            "data": dict(event.data),
            "circle": event.audience.circle,
            "country": event.audience.country,
            "authority": event.audience.authority,
            "certificate_id": event.audience.certificate_id,
        }
        for number, event in enumerate(waiting, start=cursor + 1)
    ]
