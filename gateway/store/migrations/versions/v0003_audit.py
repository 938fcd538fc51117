"""Make the tables of journal, feed, idempotency keys and tasks; guard what only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those it refers to."""
    _chain_heads()
    _journal()
    _events()
    _idempotency_keys()
    _scheduled_tasks()
    _first_head()
    _guard()


def _chain_heads() -> None:
    op.create_table(
        "chain_heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal_sequence", sa.BigInteger(), nullable=False),
        sa.Column("journal_hash", sa.String(length=64), nullable=False),
        sa.Column("event_cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_heads")),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("sequence", BigId, autoincrement=False, nullable=False),
        sa.Column("at", UtcMoment(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_action", "journal", ["action", "sequence"], unique=False)
    op.create_index("ix_journal_subject", "journal", ["subject", "sequence"], unique=False)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("cursor", BigId, autoincrement=False, nullable=False),
        sa.Column("at", UtcMoment(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cursor", name=op.f("pk_events")),
    )
    op.create_index("ix_events_subject", "events", ["subject", "cursor"], unique=False)


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )


def _scheduled_tasks() -> None:
    op.create_table(
        "scheduled_tasks",
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("last_started_at", UtcMoment(), nullable=True),
        sa.Column("last_ended_at", UtcMoment(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduled_tasks")),
    )


# Stored bytes may be pruned one day, when the law lets them go; they never change.
_GUARDED = (
    ("journal", "UPDATE"),
    ("journal", "DELETE"),
    ("utilisation_entries", "UPDATE"),
    ("utilisation_entries", "DELETE"),
    ("bodies", "UPDATE"),
)


def _first_head() -> None:
    heads = sa.table(
        "chain_heads",
        sa.column("id"),
        sa.column("journal_sequence"),
        sa.column("journal_hash"),
        sa.column("event_cursor"),
    )
    op.bulk_insert(
        heads, [{"id": 1, "journal_sequence": 0, "journal_hash": "0" * 64, "event_cursor": 0}]
    )


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION eco_grows_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'this table only grows' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table, deed in _GUARDED:
        op.execute(_trigger(table, deed))


def _trigger(table: str, deed: str) -> str:
    name = f"{table}_no_{deed.lower()}"
    if op.get_bind().dialect.name == "postgresql":
        return (
            f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION eco_grows_only()"
        )
    return (
        f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'this table only grows'); END"
    )
