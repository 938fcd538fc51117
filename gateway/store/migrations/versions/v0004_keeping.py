"""Make the tables of retention, and let stored bytes be erased, but never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, then open the guard of ``bodies`` by the one door that the law needs."""
    _legal_holds()
    _erasures()
    _erased_bodies()
    op.execute(_drop_guard())
    op.execute(_guard())


def _legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=140), nullable=False),
        sa.Column("subject_key", sa.String(length=140), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("since", UtcMoment(), nullable=False),
        sa.Column("lifted_at", UtcMoment(), nullable=True),
        sa.Column("lifted_by", sa.String(length=100), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "scope IN ('SERIAL', 'CONVERSATION', 'PEER')", name=op.f("ck_legal_holds_scope")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(
        "uq_legal_holds_in_force",
        "legal_holds",
        ["scope", "subject_key"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("row_id", BigId, nullable=False),
        sa.Column("retention_class", sa.String(length=40), nullable=False),
        sa.Column("erased_at", UtcMoment(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('CERTIFICATE', 'DISPATCH', 'ARRIVAL')", name=op.f("ck_erasures_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("kind", "row_id", name=op.f("uq_erasures_kind_row_id")),
    )


def _erased_bodies() -> None:
    op.create_table(
        "erased_bodies",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("erased_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["bodies.sha256"], name=op.f("fk_erased_bodies_sha256")
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_erased_bodies")),
    )


def _drop_guard() -> str:
    if op.get_bind().dialect.name == "postgresql":
        return "DROP TRIGGER bodies_no_update ON bodies"
    return "DROP TRIGGER bodies_no_update"


def _guard() -> str:
    """Forbid every change but to nothing, and back from nothing to bytes of the same digest."""
    forbidden = "NEW.sha256 <> OLD.sha256 OR (length(NEW.content) > 0 AND length(OLD.content) > 0)"
    if op.get_bind().dialect.name == "postgresql":
        return (
            "CREATE TRIGGER bodies_no_update BEFORE UPDATE ON bodies FOR EACH ROW "
            f"WHEN ({forbidden}) EXECUTE FUNCTION eco_grows_only()"
        )
    return (
        f"CREATE TRIGGER bodies_no_update BEFORE UPDATE ON bodies WHEN {forbidden} "
        "BEGIN SELECT RAISE(ABORT, 'this table only grows'); END"
    )
