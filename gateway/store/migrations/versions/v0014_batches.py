"""Make batches, the pieces of what they hold, and what became of each of their lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _choice(table: str, name: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=op.f(f"ck_{table}_{name}"))


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Make the three tables."""
    _batches()
    _batch_pieces()
    _batch_lines()


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", BigId, nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("credential", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("units_done", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("started_at", UtcMoment(), nullable=True),
        sa.Column("ended_at", UtcMoment(), nullable=True),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        _choice("batches", "kind", "CERTIFICATES", "RESPONSES"),
        _choice("batches", "form", "NDJSON", "CSV", "ZIP"),
        _choice(
            *("batches", "state"),
            *("RECEIVING", "WAITING", "RUNNING", "DONE", "CANCELLED", "FAILED"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_batches_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_batches_batch_id")),
    )
    _partial("ix_batches_due_at", "batches", ["due_at", "id"], "state IN ('WAITING', 'RUNNING')")
    _partial("ix_batches_receiving", "batches", ["updated_at"], "state = 'RECEIVING'")
    _partial("ix_batches_ended_at", "batches", ["ended_at"], "ended_at IS NOT NULL")
    own = ["organisation_id", "id"]
    _partial("ix_batches_organisation_id", "batches", own, "state <> 'RECEIVING'")


def _batch_pieces() -> None:
    op.create_table(
        "batch_pieces",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_batch_pieces_batch_id")
        ),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_batch_pieces")),
    )


def _batch_lines() -> None:
    op.create_table(
        "batch_lines",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=140), nullable=True),
        sa.Column("document_number", sa.String(length=70), nullable=True),
        sa.Column("issuing_country", sa.String(length=2), nullable=True),
        sa.Column("serial_number", sa.String(length=70), nullable=True),
        sa.Column("message_id", sa.String(length=70), nullable=True),
        sa.Column("receiver", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("peer_findings", sa.Text(), nullable=False),
        sa.Column("would_refuse", sa.Boolean(), nullable=True),
        _choice("batch_lines", "outcome", "ACCEPTED", "REPEATED", "REFUSED"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_lines_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_batch_lines")),
    )
    _partial(
        *("ix_batch_lines_refused", "batch_lines", ["batch_id", "number"]),
        "outcome = 'REFUSED'",
    )
