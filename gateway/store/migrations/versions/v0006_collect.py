"""Let peers collect what waits for them, and remember what travelled in bundle files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = "channel IN ('SOAP', 'REST')"
_AFTER = "channel IN ('SOAP', 'REST', 'COLLECT')"


def upgrade() -> None:
    """Widen the vocabulary of channels, mark whom we fetch from, make the table of bundles."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_peers_channel"), "peers", type_="check")
        op.create_check_constraint(op.f("ck_peers_channel"), "peers", _AFTER)
    else:
        _widen_in_place()
    op.add_column(
        "peers", sa.Column("collect", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _bundle_members()


def _widen_in_place() -> None:
    """Rewrite the CHECK of a populated SQLite table that others refer to.

    Copying the table would drop the rows that foreign keys point at.  Changing a CHECK touches
    no stored row, so its text is edited, as SQLite's page on ALTER TABLE describes.
    """
    conn = op.get_bind()
    version = conn.exec_driver_sql("PRAGMA schema_version").scalar_one()
    conn.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = conn.execute(
        sa.text(
            "UPDATE sqlite_master SET sql = replace(sql, :before, :after) "
            "WHERE type = 'table' AND name = 'peers' AND instr(sql, :before) > 0"
        ),
        {"before": _BEFORE, "after": _AFTER},
    )
    if changed.rowcount != 1:
        raise RuntimeError("the table of peers does not have the CHECK that version 0001 made")
    conn.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    conn.exec_driver_sql("PRAGMA writable_schema = OFF")


def _bundle_members() -> None:
    op.create_table(
        "bundle_members",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=70), nullable=False),
        sa.Column("bundle_id", sa.String(length=70), nullable=False),
        sa.Column("noted_at", UtcMoment(), nullable=False),
        sa.Column("exported_at", UtcMoment(), nullable=True),
        sa.CheckConstraint("kind IN ('ENVELOPE', 'RECEIPT')", name=op.f("ck_bundle_members_kind")),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_bundle_members_peer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle_members")),
        sa.UniqueConstraint(
            "peer_id",
            "kind",
            "message_id",
            name=op.f("uq_bundle_members_peer_id_kind_message_id"),
        ),
    )
