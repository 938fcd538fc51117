"""Make the tables of people at the console: accounts, codes, sessions, failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ROLES = (
    "'ISSUING_OFFICER', 'ISSUING_ADMINISTRATOR', 'CUSTOMS_OFFICER', 'ORIGIN_UNIT', "
    "'OPERATOR', 'AUDITOR', 'SECRETARIAT'"
)


def upgrade() -> None:
    """Make the tables with their indexes."""
    _people()
    _codes()
    _sessions()
    _failures()


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", BigId, nullable=False),
        sa.Column("login", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", BigId, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("administers", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_set_at", UtcMoment(), nullable=True),
        sa.Column("factor_version", sa.Integer(), nullable=False),
        sa.Column("factor_confirmed", sa.Boolean(), nullable=False),
        sa.Column("factor_step", BigId, nullable=False),
        sa.Column("last_signed_in_at", UtcMoment(), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.CheckConstraint(f"role IN ({_ROLES})", name=op.f("ck_people_role")),
        sa.CheckConstraint("state IN ('ACTIVE', 'SUSPENDED')", name=op.f("ck_people_state")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_people_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_index("ix_people_organisation_id", "people", ["organisation_id"], unique=False)


def _codes() -> None:
    op.create_table(
        "one_time_codes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("code_mac", sa.String(length=64), nullable=False),
        sa.Column("is_recovery", sa.Boolean(), nullable=False),
        sa.Column("expires_at", UtcMoment(), nullable=False),
        sa.Column("used_at", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_one_time_codes_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
    )
    op.create_index("ix_one_time_codes_person_id", "one_time_codes", ["person_id"], unique=False)


def _sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("token_mac", sa.String(length=64), nullable=False),
        sa.Column("person_id", BigId, nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("last_seen_at", UtcMoment(), nullable=False),
        sa.Column("factor_at", UtcMoment(), nullable=True),
        sa.Column("ended_at", UtcMoment(), nullable=True),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_console_sessions_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_sessions")),
        sa.UniqueConstraint("token_mac", name=op.f("uq_console_sessions_token_mac")),
    )
    op.create_index(
        "ix_console_sessions_person_id", "console_sessions", ["person_id"], unique=False
    )


def _failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", UtcMoment(), nullable=False),
        sa.Column("login_mac", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index(
        "ix_sign_in_failures_login_mac", "sign_in_failures", ["login_mac", "at"], unique=False
    )
    op.create_index(
        "ix_sign_in_failures_network", "sign_in_failures", ["network", "at"], unique=False
    )
