"""Make the tables of announced maintenance, and of what has been in force since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, JsonText, UtcMoment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_STANDING = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Make both tables, empty until an operator announces something and a worker looks.

    Tasks of the clock also remember when they last ended well, so that one that only fails shows.
    """
    op.add_column("scheduled_tasks", sa.Column("last_well_at", UtcMoment(), nullable=True))
    op.create_table(
        "maintenance",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=True),
        sa.Column("begins_at", UtcMoment(), nullable=False),
        sa.Column("ends_at", UtcMoment(), nullable=False),
        sa.Column("note", JsonText(), nullable=False),
        sa.Column("announced_at", UtcMoment(), nullable=False),
        sa.Column("announced_by", sa.String(length=100), nullable=False),
        sa.Column("closed_at", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_maintenance_peer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_index(
        "ix_maintenance_standing",
        "maintenance",
        ["ends_at"],
        unique=False,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_table(
        "parts_in_force",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("since", UtcMoment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts_in_force")),
    )
    op.create_index("ix_parts_in_force_name", "parts_in_force", ["name", "id"], unique=False)
