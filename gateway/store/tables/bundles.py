"""What went out in bundle files, and which receipts are owed for what came in them."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, UniqueConstraint

from gateway.store.states import BundleKind
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import UtcMoment

bundle_members = Table(
    "bundle_members",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    choice("kind", BundleKind),
    Column("message_id", String(70), nullable=False),
    Column("bundle_id", String(70), nullable=False),
    Column("noted_at", UtcMoment, nullable=False),
    Column("exported_at", UtcMoment),
    UniqueConstraint("peer_id", "kind", "message_id"),
)
