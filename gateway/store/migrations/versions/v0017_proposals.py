"""Make the table of decisions that a second person must confirm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, JsonText, UtcMoment

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table with its index."""
    op.create_table(
        "decision_proposals",
        sa.Column("id", BigId, nullable=False),
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("organisation_id", BigId, nullable=False),
        sa.Column("reference", sa.String(length=70), nullable=False),
        sa.Column("action", JsonText(), nullable=False),
        sa.Column("proposed_by", BigId, nullable=False),
        sa.Column("proposed_at", UtcMoment(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("settled_by", BigId, nullable=True),
        sa.Column("settled_at", UtcMoment(), nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "state IN ('OPEN', 'CONFIRMED', 'RETURNED')",
            name=op.f("ck_decision_proposals_state"),
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_decision_proposals_certificate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_decision_proposals_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["people.id"], name=op.f("fk_decision_proposals_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["people.id"], name=op.f("fk_decision_proposals_settled_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_proposals")),
        sa.UniqueConstraint(
            "certificate_id", "reference", name=op.f("uq_decision_proposals_reference")
        ),
    )
    op.create_index(
        "ix_decision_proposals_organisation_id",
        "decision_proposals",
        ["organisation_id", "state"],
        unique=False,
    )
