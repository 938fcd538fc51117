"""Announced maintenance, and what has been in force since when."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from gateway.store.tables.base import id_column, metadata, partial_index, reference
from gateway.store.types import JsonText, UtcMoment

maintenance = Table(
    "maintenance",
    metadata,
    id_column(),
    reference("peer_id", "peers", nullable=True),
    Column("begins_at", UtcMoment, nullable=False),
    Column("ends_at", UtcMoment, nullable=False),
    Column("note", JsonText, nullable=False),
    Column("announced_at", UtcMoment, nullable=False),
    Column("announced_by", String(100), nullable=False),
    Column("closed_at", UtcMoment),
)
STANDING = "closed_at IS NULL"
partial_index("ix_maintenance_standing", STANDING, maintenance.c.ends_at)

parts_in_force = Table(
    "parts_in_force",
    metadata,
    id_column(),
    Column("name", String(100), nullable=False),
    Column("version", String(60), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("since", UtcMoment, nullable=False),
)
Index("ix_parts_in_force_name", parts_in_force.c.name, parts_in_force.c.id)
