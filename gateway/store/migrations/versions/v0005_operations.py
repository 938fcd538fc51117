"""Make the tables of operating: counters, marks, outages, alerts and their notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those it refers to."""
    _counters()
    _outages()
    _alerts()
    _alert_notices()


def _counters() -> None:
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("labels", sa.String(length=400), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_tallies")),
    )
    op.create_table(
        "watch_marks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.String(length=64), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("noted_at", UtcMoment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_marks")),
    )


def _outages() -> None:
    op.create_table(
        "outages",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("opened_at", UtcMoment(), nullable=False),
        sa.Column("noticed_at", UtcMoment(), nullable=False),
        sa.Column("closed_at", UtcMoment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_outages_peer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_outages_open",
        "outages",
        ["peer_id"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index("ix_outages_peer_id_id", "outages", ["peer_id", "id"], unique=False)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_at", UtcMoment(), nullable=False),
        sa.Column("last_at", UtcMoment(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_at", UtcMoment(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=True),
        sa.Column("acknowledged_at", UtcMoment(), nullable=True),
        sa.Column("acknowledged_why", sa.Text(), nullable=True),
        sa.Column("cleared_at", UtcMoment(), nullable=True),
        sa.CheckConstraint(_LEVELS, name=op.f("ck_alerts_level")),
        sa.CheckConstraint(
            "state IN ('OPEN', 'ACKNOWLEDGED', 'CLEARED')", name=op.f("ck_alerts_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    live = sa.text("state <> 'CLEARED'")
    op.create_index(
        "uq_alerts_live",
        "alerts",
        ["rule", "subject"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _alert_notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("id", BigId, nullable=False),
        sa.Column("alert_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("ended_at", UtcMoment(), nullable=True),
        sa.CheckConstraint(_LEVELS, name=op.f("ck_alert_notices_level")),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENT', 'FAILED')", name=op.f("ck_alert_notices_state")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_notices_alert_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_alert_notices_due",
        "alert_notices",
        ["due_at", "id"],
        unique=False,
        sqlite_where=due,
        postgresql_where=due,
    )
    op.create_index("ix_alert_notices_alert_id", "alert_notices", ["alert_id"], unique=False)


_LEVELS = "level IN ('INFO', 'WARNING', 'CRITICAL')"
