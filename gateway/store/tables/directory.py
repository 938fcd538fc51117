"""The directory of authorities: their offices, and specimens of stamps and signatures.

A row is never changed: what is corrected or ended gets another version, and the highest counts.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, UniqueConstraint

from gateway.store.roles import DirectoryKind, Duty
from gateway.store.tables.base import body_reference, choice, id_column, metadata
from gateway.store.types import UtcMoment

directory_entries = Table(
    "directory_entries",
    metadata,
    id_column(),
    Column("origin", String(70), nullable=False),
    Column("key", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    choice("kind", DirectoryKind),
    choice("duty", Duty),
    Column("country", String(2), nullable=False),
    Column("authority_code", String(70), nullable=False),
    Column("office_code", String(70)),
    Column("name", String(200), nullable=False),
    Column("officer_number", String(70)),
    Column("address", String(500)),
    Column("telephone", String(70)),
    Column("email", String(70)),
    body_reference("picture_sha256", nullable=True),
    Column("media_type", String(20)),
    Column("width", Integer),
    Column("height", Integer),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("is_public", Boolean, nullable=False),
    Column("reason", String(500)),
    Column("entered_by", String(100), nullable=False),
    Column("entered_at", UtcMoment, nullable=False),
    UniqueConstraint("origin", "key", "version", name="uq_directory_entries_version"),
)
Index(
    "ix_directory_entries_country",
    directory_entries.c.country,
    directory_entries.c.authority_code,
)
