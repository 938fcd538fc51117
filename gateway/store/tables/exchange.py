"""What was sent and what arrived: signed bytes, dispatches, attempts, arrivals.

Signed bytes lie in ``bodies`` under their SHA-256, apart from the rows that change, so that
a change of state never rewrites a document and a document is stored once.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.documents.codes import DocumentType, Verdict
from gateway.store.states import DeliveryState
from gateway.store.tables.base import (
    body_reference,
    choice,
    id_column,
    kind,
    metadata,
    partial_index,
    reference,
)
from gateway.store.types import UtcMoment

bodies = Table(
    "bodies",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

dispatches = Table(
    "dispatches",
    metadata,
    id_column(),
    Column("message_id", String(70), nullable=False, unique=True),
    reference("peer_id", "peers"),
    kind("document_type", DocumentType),
    Column("document_number", String(70), nullable=False),
    Column("document_key", String(140), nullable=False, index=True),
    Column("conversation_id", String(70), nullable=False),
    Column("refers_to", String(70), index=True),
    Column("test", Boolean, nullable=False),
    choice("state", DeliveryState),
    Column("due_at", UtcMoment),
    Column("rank_at", UtcMoment, nullable=False),
    Column("lease_owner", String(100)),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    choice("verdict", Verdict, nullable=True),
    Column("code", String(40)),
    Column("detail", Text),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
    body_reference("envelope_sha256"),
    body_reference("payload_sha256"),
    body_reference("receipt_sha256", nullable=True),
)
DUE = "due_at IS NOT NULL"
OPEN = "state IN ('QUEUED', 'SENDING', 'RETRYING', 'HELD')"
UNDER_WAY = "state = 'SENDING'"
STOPPED = "state IN ('HELD', 'REFUSED', 'FAILED')"
"""Few of all messages ever; one peer's are found without walking through what it got."""
partial_index(
    "ix_dispatches_due",
    DUE,
    dispatches.c.peer_id,
    dispatches.c.due_at,
    dispatches.c.id,
)
partial_index(
    "ix_dispatches_rank",
    DUE,
    dispatches.c.peer_id,
    dispatches.c.rank_at,
    dispatches.c.id,
)
partial_index(
    "ix_dispatches_open",
    OPEN,
    dispatches.c.peer_id,
    dispatches.c.conversation_id,
    dispatches.c.id,
)
partial_index(
    "ix_dispatches_under_way",
    UNDER_WAY,
    dispatches.c.peer_id,
    dispatches.c.due_at,
)
partial_index(
    "ix_dispatches_stopped",
    STOPPED,
    dispatches.c.peer_id,
    dispatches.c.id,
)
Index("ix_dispatches_peer_id_id", dispatches.c.peer_id, dispatches.c.id)
Index("ix_dispatches_state_id", dispatches.c.state, dispatches.c.id)
Index("ix_dispatches_peer_id_created_at", dispatches.c.peer_id, dispatches.c.created_at)
Index("ix_dispatches_conversation_id_id", dispatches.c.conversation_id, dispatches.c.id)

attempts = Table(
    "attempts",
    metadata,
    id_column(),
    reference("dispatch_id", "dispatches"),
    Column("number", Integer, nullable=False),
    Column("worker", String(100), nullable=False),
    Column("started_at", UtcMoment, nullable=False),
    Column("ended_at", UtcMoment),
    Column("code", String(40)),
    Column("detail", Text),
    Column("http_status", Integer),
    UniqueConstraint("dispatch_id", "number"),
)

arrivals = Table(
    "arrivals",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    Column("message_id", String(70), nullable=False),
    kind("document_type", DocumentType),
    Column("document_number", String(70)),
    Column("document_key", String(140), index=True),
    Column("conversation_id", String(70), nullable=False),
    Column("refers_to", String(70), index=True),
    Column("test", Boolean, nullable=False),
    Column("signer_fingerprint", String(64)),
    choice("verdict", Verdict),
    Column("code", String(40)),
    Column("received_at", UtcMoment, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("created_at", UtcMoment),
    body_reference("envelope_sha256"),
    body_reference("payload_sha256", nullable=True),
    body_reference("receipt_sha256"),
    UniqueConstraint("peer_id", "message_id"),
)
Index("ix_arrivals_envelope_sha256", arrivals.c.envelope_sha256)
Index("ix_arrivals_peer_id_id", arrivals.c.peer_id, arrivals.c.id)
Index("ix_arrivals_peer_id_created_at", arrivals.c.peer_id, arrivals.c.created_at)
Index("ix_arrivals_conversation_id_id", arrivals.c.conversation_id, arrivals.c.id)
