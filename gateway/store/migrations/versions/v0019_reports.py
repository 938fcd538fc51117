"""Make the tables of what reports count; the workers' watch fills them from the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables with their indexes."""
    _groups()
    _counts()
    op.create_table(
        "report_certificates",
        sa.Column("certificate_id", BigId, autoincrement=False, nullable=False),
        sa.Column("group_id", BigId, nullable=False),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_report_certificates_certificate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["report_groups.id"], name=op.f("fk_report_certificates_group_id")
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_report_certificates")),
    )
    op.create_index(
        "ix_report_certificates_group_id",
        "report_certificates",
        ["group_id", "certificate_id"],
        unique=False,
    )
    op.create_table(
        "report_failures",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("peer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("test", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_report_failures_peer_id")),
        sa.PrimaryKeyConstraint(
            "month", "peer_id", "test", "rule", name=op.f("pk_report_failures")
        ),
    )


def _groups() -> None:
    op.create_table(
        "report_groups",
        sa.Column("id", BigId, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("issuing_country", sa.String(length=2), nullable=False),
        sa.Column("destination_country", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("authority_key", sa.String(length=140), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.CheckConstraint("side IN ('ISSUED', 'RECEIVED')", name=op.f("ck_report_groups_side")),
        sa.CheckConstraint(
            "kind IN ('STANDARD', 'RETROSPECTIVE', 'REEXPORT', 'SIMPLIFIED')",
            name=op.f("ck_report_groups_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_groups")),
        sa.UniqueConstraint(
            "month",
            "side",
            "issuing_country",
            "destination_country",
            "kind",
            "authority_key",
            "test",
            name=op.f("uq_report_groups_month"),
        ),
    )


def _counts() -> None:
    op.create_table(
        "report_counts",
        sa.Column("group_id", BigId, nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["report_groups.id"], name=op.f("fk_report_counts_group_id")
        ),
        sa.PrimaryKeyConstraint("group_id", "measure", "name", name=op.f("pk_report_counts")),
    )
