"""Let perishable goods go first: by what a message counts as having been queued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import UtcMoment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LONG_AGO = "1970-01-01T00:00:00.000000Z"
_DUE = "due_at IS NOT NULL"


def upgrade() -> None:
    """Add the moment that messages are ranked by; those that wait keep their order."""
    op.add_column(
        "dispatches",
        sa.Column("rank_at", UtcMoment(), nullable=False, server_default=_LONG_AGO),
    )
    op.execute(sa.text("UPDATE dispatches SET rank_at = created_at"))
    op.create_index(
        "ix_dispatches_rank",
        "dispatches",
        ["peer_id", "rank_at", "id"],
        unique=False,
        sqlite_where=sa.text(_DUE),
        postgresql_where=sa.text(_DUE),
    )
