"""Make the balances of reconciled days; keep when a peer made what arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DUE = "due_at IS NOT NULL"


def upgrade() -> None:
    """Make the table and the indexes that find the messages of one day."""
    _balances()
    op.create_index("ix_balances_statement_id", "balances", ["statement_id"], unique=False)
    op.create_index("ix_balances_day_id", "balances", ["day", "id"], unique=False)
    op.create_index(
        "ix_balances_due",
        "balances",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text(_DUE),
        postgresql_where=sa.text(_DUE),
    )
    op.add_column("arrivals", sa.Column("created_at", UtcMoment(), nullable=True))
    for table in ("arrivals", "dispatches"):
        name = f"ix_{table}_peer_id_created_at"
        op.create_index(name, table, ["peer_id", "created_at"], unique=False)


def _balances() -> None:
    op.create_table(
        "balances",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(length=70), nullable=True),
        sa.Column("up_to", sa.String(length=70), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("first_round", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.String(length=70), nullable=True),
        sa.Column("answer_id", sa.String(length=70), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.Column("statement_sha256", sa.String(length=64), nullable=True),
        sa.Column("answer_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint("side IN ('SENT', 'RECEIVED')", name=op.f("ck_balances_side")),
        sa.CheckConstraint(
            "state IN ('STATED', 'DIFFERENT', 'AGREED', 'ASKS_PERSON')",
            name=op.f("ck_balances_state"),
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_balances_peer_id")),
        sa.ForeignKeyConstraint(
            ["statement_sha256"], ["bodies.sha256"], name=op.f("fk_balances_statement_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["answer_sha256"], ["bodies.sha256"], name=op.f("fk_balances_answer_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balances")),
        sa.UniqueConstraint(
            "peer_id", "side", "day", "part", name=op.f("uq_balances_peer_id_side_day_part")
        ),
    )
