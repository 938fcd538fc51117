"""How far what comes for an organisation was handed over into a folder."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from gateway.store.tables.base import metadata
from gateway.store.types import BigId, UtcMoment

hand_overs = Table(
    "hand_overs",
    metadata,
    Column("name", String(40), primary_key=True),
    Column(
        "organisation_id",
        BigId,
        ForeignKey("organisations.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("cursor", BigInteger, nullable=False),
    Column("batch", String(32)),
    Column("updated_at", UtcMoment, nullable=False),
)
