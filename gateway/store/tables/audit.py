"""The journal, the feed of events, idempotency keys and the clock's tasks.

``chain_heads`` has one row.  Whoever appends to journal or feed holds it until commit, so
that hashes chain in order and no cursor is ever skipped by a late commit.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.states import EventCircle, EventKind
from gateway.store.tables.base import kind, metadata
from gateway.store.types import BigId, JsonText, UtcMoment

chain_heads = Table(
    "chain_heads",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("journal_sequence", BigInteger, nullable=False),
    Column("journal_hash", String(64), nullable=False),
    Column("event_cursor", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcMoment, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(140), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),
)
Index("ix_journal_subject", journal.c.subject, journal.c.sequence)
Index("ix_journal_action", journal.c.action, journal.c.sequence)

events = Table(
    "events",
    metadata,
    Column("cursor", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcMoment, nullable=False),
    kind("kind", EventKind),
    Column("subject", String(140), nullable=False),
    Column("data", JsonText, nullable=False),
    kind("circle", EventCircle),
    Column("country", String(2)),
    Column("authority", String(140)),
    Column("certificate_id", BigId),
)
Index("ix_events_subject", events.c.subject, events.c.cursor)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
Index("ix_idempotency_keys_created_at", idempotency_keys.c.created_at)

scheduled_tasks = Table(
    "scheduled_tasks",
    metadata,
    Column("name", String(70), primary_key=True),
    Column("due_at", UtcMoment, nullable=False),
    Column("lease_owner", String(100)),
    Column("fence", Integer, nullable=False),
    Column("last_started_at", UtcMoment),
    Column("last_ended_at", UtcMoment),
    Column("last_error", Text),
    Column("last_well_at", UtcMoment),
)
