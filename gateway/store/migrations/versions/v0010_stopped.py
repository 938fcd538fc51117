"""Find what is under way to a peer, and what was stopped, without walking through its history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UNDER_WAY = "state = 'SENDING'"
_STOPPED = "state IN ('HELD', 'REFUSED', 'FAILED')"


def upgrade() -> None:
    """Add two indexes over few rows each."""
    _index("ix_dispatches_under_way", ["peer_id", "due_at"], _UNDER_WAY)
    _index("ix_dispatches_stopped", ["peer_id", "id"], _STOPPED)


def _index(name: str, columns: list[str], rows: str) -> None:
    op.create_index(
        name,
        "dispatches",
        columns,
        unique=False,
        sqlite_where=sa.text(rows),
        postgresql_where=sa.text(rows),
    )
