"""Remember what each peer's gateway said of itself when it was asked last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, JsonText, UtcMoment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of sightings, empty until the next ping."""
    op.create_table(
        "peer_sightings",
        sa.Column("peer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("seen_at", UtcMoment(), nullable=False),
        sa.Column("software", sa.String(length=70), nullable=False),
        sa.Column("versions", JsonText(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_peer_sightings_peer_id")),
        sa.PrimaryKeyConstraint("peer_id", name=op.f("pk_peer_sightings")),
    )
