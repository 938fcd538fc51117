"""Make the table of the directory of authorities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table with its index."""
    op.create_table(
        "directory_entries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("origin", sa.String(length=70), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("authority_code", sa.String(length=70), nullable=False),
        sa.Column("office_code", sa.String(length=70), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("officer_number", sa.String(length=70), nullable=True),
        sa.Column("address", sa.String(length=500), nullable=True),
        sa.Column("telephone", sa.String(length=70), nullable=True),
        sa.Column("email", sa.String(length=70), nullable=True),
        sa.Column("picture_sha256", sa.String(length=64), nullable=True),
        sa.Column("media_type", sa.String(length=20), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("entered_by", sa.String(length=100), nullable=False),
        sa.Column("entered_at", UtcMoment(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('OFFICE', 'STAMP', 'SIGNATURE')", name=op.f("ck_directory_entries_kind")
        ),
        sa.CheckConstraint(
            "duty IN ('ISSUING', 'CUSTOMS')", name=op.f("ck_directory_entries_duty")
        ),
        sa.ForeignKeyConstraint(
            ["picture_sha256"],
            ["bodies.sha256"],
            name=op.f("fk_directory_entries_picture_sha256"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_entries")),
        sa.UniqueConstraint("origin", "key", "version", name="uq_directory_entries_version"),
    )
    op.create_index(
        "ix_directory_entries_country",
        "directory_entries",
        ["country", "authority_code"],
        unique=False,
    )
