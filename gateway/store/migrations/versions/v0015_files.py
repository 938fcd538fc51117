"""Make the cursors of folders into which events and documents are handed over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "hand_overs",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", BigId, autoincrement=False, nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=True),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_hand_overs_organisation_id")
        ),
        sa.PrimaryKeyConstraint("name", "organisation_id", name=op.f("pk_hand_overs")),
    )
