"""Make the tables of peers, outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, UtcMoment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those it refers to."""
    _bodies()
    _peers()
    _peer_credentials()
    _peer_crls()
    _lanes()
    _dispatches()
    _attempts()
    _arrivals()


def _bodies() -> None:
    op.create_table(
        "bodies",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_bodies")),
    )


def _peers() -> None:
    op.create_table(
        "peers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("identifier", sa.String(length=70), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("soap_version", sa.String(length=3), nullable=False),
        sa.Column("document_types", sa.Text(), nullable=False),
        sa.Column("algorithms", sa.String(length=40), nullable=False),
        sa.Column("revocation", sa.String(length=40), nullable=False),
        sa.Column("live_from", UtcMoment(), nullable=True),
        sa.Column("retry", sa.Text(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.CheckConstraint("state IN ('ACTIVE', 'SUSPENDED')", name=op.f("ck_peers_state")),
        sa.CheckConstraint("channel IN ('SOAP', 'REST')", name=op.f("ck_peers_channel")),
        sa.CheckConstraint(
            "algorithms IN ('STRICT', 'COMPATIBLE')", name=op.f("ck_peers_algorithms")
        ),
        sa.CheckConstraint(
            "revocation IN ('REQUIRE', 'WHEN_KNOWN')", name=op.f("ck_peers_revocation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peers")),
        sa.UniqueConstraint("identifier", name=op.f("uq_peers_identifier")),
    )
    op.create_index(op.f("ix_peers_country"), "peers", ["country"], unique=False)


def _peer_credentials() -> None:
    op.create_table(
        "peer_credentials",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("use", sa.String(length=40), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("authority_code", sa.String(length=70), nullable=True),
        sa.Column("valid_from", UtcMoment(), nullable=True),
        sa.Column("valid_until", UtcMoment(), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peers.id"], name=op.f("fk_peer_credentials_peer_id")
        ),
        sa.CheckConstraint(
            "use IN ('TLS', 'SIGNER', 'ANCHOR', 'SERVER_CA')", name=op.f("ck_peer_credentials_use")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer_credentials")),
        sa.UniqueConstraint(
            "peer_id",
            "use",
            "fingerprint",
            name=op.f("uq_peer_credentials_peer_id_use_fingerprint"),
        ),
    )
    op.create_index(
        "uq_peer_credentials_tls",
        "peer_credentials",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("use = 'TLS'"),
        postgresql_where=sa.text("use = 'TLS'"),
    )


def _peer_crls() -> None:
    op.create_table(
        "peer_crls",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("issuer", sa.String(length=1000), nullable=False),
        sa.Column("this_update", UtcMoment(), nullable=False),
        sa.Column("next_update", UtcMoment(), nullable=True),
        sa.Column("stored_at", UtcMoment(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_peer_crls_peer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer_crls")),
        sa.UniqueConstraint("peer_id", "issuer", name=op.f("uq_peer_crls_peer_id_issuer")),
    )


def _lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("peer_id", BigId, autoincrement=False, nullable=False),
        sa.Column("parked_until", UtcMoment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UtcMoment(), nullable=True),
        sa.Column("last_success_at", UtcMoment(), nullable=True),
        sa.Column("last_failure_at", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_lanes_peer_id")),
        sa.PrimaryKeyConstraint("peer_id", name=op.f("pk_lanes")),
    )


def _dispatches() -> None:
    op.create_table(
        "dispatches",
        sa.Column("id", BigId, nullable=False),
        sa.Column("message_id", sa.String(length=70), nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("document_type", sa.String(length=40), nullable=False),
        sa.Column("document_number", sa.String(length=70), nullable=False),
        sa.Column("document_key", sa.String(length=140), nullable=False),
        sa.Column("conversation_id", sa.String(length=70), nullable=False),
        sa.Column("refers_to", sa.String(length=70), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=True),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("receipt_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["envelope_sha256"], ["bodies.sha256"], name=op.f("fk_dispatches_envelope_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["payload_sha256"], ["bodies.sha256"], name=op.f("fk_dispatches_payload_sha256")
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_dispatches_peer_id")),
        sa.ForeignKeyConstraint(
            ["receipt_sha256"], ["bodies.sha256"], name=op.f("fk_dispatches_receipt_sha256")
        ),
        sa.CheckConstraint(
            "state IN ('QUEUED', 'SENDING', 'RETRYING', 'HELD', 'DELIVERED', 'REFUSED', 'FAILED')",
            name=op.f("ck_dispatches_state"),
        ),
        sa.CheckConstraint(
            "verdict IN ('ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'REFUSED')",
            name=op.f("ck_dispatches_verdict"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatches")),
        sa.UniqueConstraint("message_id", name=op.f("uq_dispatches_message_id")),
    )
    op.create_index(
        "ix_dispatches_conversation_id_id", "dispatches", ["conversation_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_dispatches_document_key"), "dispatches", ["document_key"], unique=False
    )
    op.create_index(
        "ix_dispatches_due",
        "dispatches",
        ["peer_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_dispatches_open",
        "dispatches",
        ["peer_id", "conversation_id", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('QUEUED', 'SENDING', 'RETRYING', 'HELD')"),
        postgresql_where=sa.text("state IN ('QUEUED', 'SENDING', 'RETRYING', 'HELD')"),
    )
    op.create_index("ix_dispatches_peer_id_id", "dispatches", ["peer_id", "id"], unique=False)
    op.create_index(op.f("ix_dispatches_refers_to"), "dispatches", ["refers_to"], unique=False)
    op.create_index("ix_dispatches_state_id", "dispatches", ["state", "id"], unique=False)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("dispatch_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("started_at", UtcMoment(), nullable=False),
        sa.Column("ended_at", UtcMoment(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["dispatch_id"], ["dispatches.id"], name=op.f("fk_attempts_dispatch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("dispatch_id", "number", name=op.f("uq_attempts_dispatch_id_number")),
    )


def _arrivals() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("message_id", sa.String(length=70), nullable=False),
        sa.Column("document_type", sa.String(length=40), nullable=False),
        sa.Column("document_number", sa.String(length=70), nullable=True),
        sa.Column("document_key", sa.String(length=140), nullable=True),
        sa.Column("conversation_id", sa.String(length=70), nullable=False),
        sa.Column("refers_to", sa.String(length=70), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("signer_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("verdict", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("received_at", UtcMoment(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=True),
        sa.Column("receipt_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["envelope_sha256"], ["bodies.sha256"], name=op.f("fk_arrivals_envelope_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["payload_sha256"], ["bodies.sha256"], name=op.f("fk_arrivals_payload_sha256")
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_arrivals_peer_id")),
        sa.ForeignKeyConstraint(
            ["receipt_sha256"], ["bodies.sha256"], name=op.f("fk_arrivals_receipt_sha256")
        ),
        sa.CheckConstraint(
            "verdict IN ('ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'REFUSED')",
            name=op.f("ck_arrivals_verdict"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        sa.UniqueConstraint("peer_id", "message_id", name=op.f("uq_arrivals_peer_id_message_id")),
    )
    op.create_index(
        "ix_arrivals_conversation_id_id", "arrivals", ["conversation_id", "id"], unique=False
    )
    op.create_index(op.f("ix_arrivals_document_key"), "arrivals", ["document_key"], unique=False)
    op.create_index("ix_arrivals_envelope_sha256", "arrivals", ["envelope_sha256"], unique=False)
    op.create_index("ix_arrivals_peer_id_id", "arrivals", ["peer_id", "id"], unique=False)
    op.create_index(op.f("ix_arrivals_refers_to"), "arrivals", ["refers_to"], unique=False)
