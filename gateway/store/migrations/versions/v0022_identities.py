"""Make the tables of identities at a provider and of sign-ins on their way to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; sessions that are open were opened here."""
    op.create_table(
        "identities",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("linked_at", UtcMoment(), nullable=False),
        sa.Column("last_used_at", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identities_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer_subject")),
        sa.UniqueConstraint("person_id", "issuer", name=op.f("uq_identities_person_id_issuer")),
    )
    op.create_table(
        "provider_journeys",
        sa.Column("id", BigId, nullable=False),
        sa.Column("token_mac", sa.String(length=64), nullable=False),
        sa.Column("leads_to", sa.String(length=2000), nullable=False),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("expires_at", UtcMoment(), nullable=False),
        sa.Column("used_at", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_provider_journeys_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_journeys")),
        sa.UniqueConstraint("token_mac", name=op.f("uq_provider_journeys_token_mac")),
    )
    op.create_index(
        "ix_provider_journeys_expires_at", "provider_journeys", ["expires_at"], unique=False
    )
    op.add_column(
        "console_sessions",
        sa.Column(
            "through_provider", sa.Boolean(), nullable=False, server_default=sa.text("false")
        ),
    )
