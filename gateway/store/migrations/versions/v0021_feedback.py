"""Let what customs reported be read in the order of its urgency, newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_AT_EASE = "AND NOT over_used AND NOT contradicted"
_FEEDBACK = {
    "refused": "reported_status = 'REJECTED'",
    "over_used": (
        "reported_status <> 'REJECTED'"
        " AND (over_used OR contradicted OR reported_status = 'WITHDRAWN')"
    ),
    "doubted": f"reported_status IN ('UNDER_QUERY', 'PENDING') {_AT_EASE}",
    "used": (
        "reported_status IN ('RECEIVED', 'ACCEPTED', 'ACCEPTED_MINOR', 'PARTIAL', 'FULL',"
        f" 'EXPIRED_UNUSED') {_AT_EASE}"
    ),
}


def upgrade() -> None:
    """Add an index over the few rows of each urgency."""
    for name, rows in _FEEDBACK.items():
        op.create_index(
            f"ix_certificates_{name}",
            "certificates",
            ["side", "updated_at", "id"],
            unique=False,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )
