"""What the law keeps and lets go: legal holds, what was erased, and the digests that stay.

A body that was erased keeps its row and digest in ``bodies`` with empty content.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from gateway.store.states import ErasedKind, HoldScope
from gateway.store.tables.base import choice, id_column, metadata, partial_index
from gateway.store.types import BigId, UtcMoment

legal_holds = Table(
    "legal_holds",
    metadata,
    id_column(),
    choice("scope", HoldScope),
    Column("subject", String(140), nullable=False),
    Column("subject_key", String(140), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("since", UtcMoment, nullable=False),
    Column("lifted_at", UtcMoment),
    Column("lifted_by", String(100)),
    Column("lift_reason", Text),
)
IN_FORCE = "lifted_at IS NULL"
partial_index(
    "uq_legal_holds_in_force",
    IN_FORCE,
    legal_holds.c.scope,
    legal_holds.c.subject_key,
    unique=True,
)

erasures = Table(
    "erasures",
    metadata,
    id_column(),
    choice("kind", ErasedKind),
    Column("row_id", BigId, nullable=False),
    Column("retention_class", String(40), nullable=False),
    Column("erased_at", UtcMoment, nullable=False),
    UniqueConstraint("kind", "row_id"),
)

erased_bodies = Table(
    "erased_bodies",
    metadata,
    Column("sha256", String(64), ForeignKey("bodies.sha256"), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("erased_at", UtcMoment, nullable=False),
)
