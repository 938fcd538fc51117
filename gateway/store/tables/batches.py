"""Batches of the national side: what was handed in, how far it has come, what became of each line.

The bytes lie in small pieces beside their batch, so that neither taking nor keeping nor backing
up a large one needs more memory than a few of them; they go when the batch has ended.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from gateway.store.batch_states import BatchForm, BatchKind, BatchState, LineOutcome
from gateway.store.tables.base import choice, id_column, metadata, partial_index, reference
from gateway.store.types import BigId, JsonText, UtcMoment

batches = Table(
    "batches",
    metadata,
    id_column(),
    Column("batch_id", String(40), nullable=False, unique=True),
    reference("organisation_id", "organisations"),
    choice("kind", BatchKind),
    choice("form", BatchForm),
    Column("format", String(40)),
    Column("dry_run", Boolean, nullable=False),
    choice("state", BatchState),
    Column("credential", String(200), nullable=False),
    Column("scopes", JsonText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64)),
    Column("units", BigInteger, nullable=False),
    Column("units_done", BigInteger, nullable=False),
    Column("position", JsonText, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("code", String(40)),
    Column("detail", Text),
    Column("created_at", UtcMoment, nullable=False),
    Column("started_at", UtcMoment),
    Column("ended_at", UtcMoment),
    Column("updated_at", UtcMoment, nullable=False),
    Column("due_at", UtcMoment, nullable=False),
    Column("lease_owner", String(100)),
    Column("fence", Integer, nullable=False),
)
BATCH_DUE = "state IN ('WAITING', 'RUNNING')"
partial_index("ix_batches_due_at", BATCH_DUE, batches.c.due_at, batches.c.id)
partial_index("ix_batches_receiving", "state = 'RECEIVING'", batches.c.updated_at)
partial_index("ix_batches_ended_at", "ended_at IS NOT NULL", batches.c.ended_at)
partial_index(
    "ix_batches_organisation_id", "state <> 'RECEIVING'", batches.c.organisation_id, batches.c.id
)

batch_pieces = Table(
    "batch_pieces",
    metadata,
    Column("batch_id", BigId, ForeignKey("batches.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch_id", BigId, ForeignKey("batches.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(300)),
    choice("outcome", LineOutcome),
    Column("reference", String(140)),
    Column("document_number", String(70)),
    Column("issuing_country", String(2)),
    Column("serial_number", String(70)),
    Column("message_id", String(70)),
    Column("receiver", String(40)),
    Column("code", String(40)),
    Column("detail", Text),
    Column("findings", JsonText, nullable=False),
    Column("peer_findings", JsonText, nullable=False),
    Column("would_refuse", Boolean),
)
partial_index(
    "ix_batch_lines_refused",
    "outcome = 'REFUSED'",
    batch_lines.c.batch_id,
    batch_lines.c.number,
)
