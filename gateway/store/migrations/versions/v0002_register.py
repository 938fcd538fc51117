"""Make the tables of the register and the utilisation ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.types import BigId, ExactDecimal, UtcMoment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those it refers to."""
    _certificates()
    _certificate_items()
    _certificate_deliveries()
    _responses()
    _utilisation_entries()


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", BigId, nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("agreement", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("serial_number", sa.String(length=70), nullable=False),
        sa.Column("serial_key", sa.String(length=140), nullable=False),
        sa.Column("issuing_country", sa.String(length=2), nullable=False),
        sa.Column("destination_country", sa.String(length=2), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("authority_code", sa.String(length=70), nullable=False),
        sa.Column("exporter_name", sa.String(length=200), nullable=False),
        sa.Column("exporter_number", sa.String(length=70), nullable=True),
        sa.Column("exporter_key", sa.String(length=140), nullable=True),
        sa.Column("consignee_name", sa.String(length=200), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("state_since", UtcMoment(), nullable=False),
        sa.Column("reported_status", sa.String(length=40), nullable=True),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("missing_responses", sa.Integer(), nullable=False),
        sa.Column("contradicted", sa.Boolean(), nullable=False),
        sa.Column("over_used", sa.Boolean(), nullable=False),
        sa.Column("peer_id", BigId, nullable=True),
        sa.Column("conversation_id", sa.String(length=70), nullable=False),
        sa.Column("message_id", sa.String(length=70), nullable=False),
        sa.Column("original_country", sa.String(length=2), nullable=True),
        sa.Column("original_key", sa.String(length=140), nullable=True),
        sa.Column("replaces_key", sa.String(length=140), nullable=True),
        sa.Column("replaced_by", sa.String(length=70), nullable=True),
        sa.Column("ended_by", sa.String(length=70), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(side = 'ISSUED' AND state IN ('ISSUED', 'CANCELLING', 'REPLACING', "
            "'CANCELLED', 'REPLACED', 'EXPIRED')) OR (side = 'RECEIVED' AND state "
            "IN ('RECEIVED', 'AVAILABLE', 'PRESENTED', 'ACCEPTED', "
            "'ACCEPTED_MINOR', 'UNDER_VERIFICATION', 'PENDING', "
            "'PARTIALLY_UTILISED', 'UTILISED', 'REJECTED', 'WITHDRAWN', "
            "'CANCELLED', 'REPLACED', 'EXPIRED'))",
            name=op.f("ck_certificates_state"),
        ),
        sa.ForeignKeyConstraint(
            ["payload_sha256"], ["bodies.sha256"], name=op.f("fk_certificates_payload_sha256")
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peers.id"], name=op.f("fk_certificates_peer_id")),
        sa.CheckConstraint("side IN ('ISSUED', 'RECEIVED')", name=op.f("ck_certificates_side")),
        sa.CheckConstraint(
            "kind IN ('STANDARD', 'RETROSPECTIVE', 'REEXPORT', 'SIMPLIFIED')",
            name=op.f("ck_certificates_kind"),
        ),
        sa.CheckConstraint(
            "reported_status IN ('RECEIVED', 'ACCEPTED', 'ACCEPTED_MINOR', "
            "'PARTIAL', 'FULL', 'UNDER_QUERY', 'PENDING', 'REJECTED', 'WITHDRAWN', "
            "'EXPIRED_UNUSED')",
            name=op.f("ck_certificates_reported_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint(
            "side",
            "issuing_country",
            "serial_key",
            name=op.f("uq_certificates_side_issuing_country_serial_key"),
        ),
    )
    op.create_index(
        op.f("ix_certificates_conversation_id"), "certificates", ["conversation_id"], unique=False
    )
    op.create_index(op.f("ix_certificates_ended_by"), "certificates", ["ended_by"], unique=False)
    op.create_index(
        "ix_certificates_expiring",
        "certificates",
        ["valid_until", "id"],
        unique=False,
        sqlite_where=sa.text(
            "state IN ('ISSUED', 'RECEIVED', 'AVAILABLE', 'PRESENTED', "
            "'PARTIALLY_UTILISED') AND (reported_status IS NULL OR reported_status "
            "<> 'FULL')"
        ),
        postgresql_where=sa.text(
            "state IN ('ISSUED', 'RECEIVED', 'AVAILABLE', 'PRESENTED', "
            "'PARTIALLY_UTILISED') AND (reported_status IS NULL OR reported_status "
            "<> 'FULL')"
        ),
    )
    op.create_index(
        op.f("ix_certificates_exporter_key"), "certificates", ["exporter_key"], unique=False
    )
    op.create_index(
        op.f("ix_certificates_message_id"), "certificates", ["message_id"], unique=False
    )
    op.create_index("ix_certificates_serial_key", "certificates", ["serial_key"], unique=False)
    op.create_index("ix_certificates_side_id", "certificates", ["side", "id"], unique=False)
    op.create_index(
        "ix_certificates_side_state_id", "certificates", ["side", "state", "id"], unique=False
    )


def _certificate_items() -> None:
    op.create_table(
        "certificate_items",
        sa.Column("id", BigId, nullable=False),
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hs_code", sa.String(length=16), nullable=False),
        sa.Column("country_of_origin", sa.String(length=2), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=35), nullable=False),
        sa.Column("certified", ExactDecimal(), nullable=False),
        sa.Column("used", ExactDecimal(), nullable=False),
        sa.Column("reexported", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_certificate_items_certificate_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_items")),
        sa.UniqueConstraint(
            "certificate_id", "number", name=op.f("uq_certificate_items_certificate_id_number")
        ),
    )


def _certificate_deliveries() -> None:
    op.create_table(
        "certificate_deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("peer_id", BigId, nullable=False),
        sa.Column("message_id", sa.String(length=70), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_certificate_deliveries_certificate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peers.id"], name=op.f("fk_certificate_deliveries_peer_id")
        ),
        sa.CheckConstraint(
            "role IN ('DOCUMENT', 'ENDING')", name=op.f("ck_certificate_deliveries_role")
        ),
        sa.CheckConstraint(
            "state IN ('QUEUED', 'SENT', 'DELIVERED', 'RECEIVED', "
            "'REFUSED_BY_PEER', 'UNDELIVERABLE')",
            name=op.f("ck_certificate_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_deliveries")),
        sa.UniqueConstraint(
            "message_id", "role", name=op.f("uq_certificate_deliveries_message_id_role")
        ),
    )
    op.create_index(
        "ix_certificate_deliveries_certificate_id",
        "certificate_deliveries",
        ["certificate_id"],
        unique=False,
    )


def _responses() -> None:
    op.create_table(
        "responses",
        sa.Column("id", BigId, nullable=False),
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("standing", sa.String(length=40), nullable=False),
        sa.Column("response_number", sa.String(length=70), nullable=True),
        sa.Column("response_key", sa.String(length=140), nullable=True),
        sa.Column("reference_key", sa.String(length=140), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("declaration_number", sa.String(length=70), nullable=True),
        sa.Column("declaration_key", sa.String(length=140), nullable=True),
        sa.Column("officer", sa.String(length=70), nullable=True),
        sa.Column("message_id", sa.String(length=70), nullable=True),
        sa.Column("decided_at", UtcMoment(), nullable=False),
        sa.Column("stored_at", UtcMoment(), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_responses_certificate_id")
        ),
        sa.ForeignKeyConstraint(
            ["payload_sha256"], ["bodies.sha256"], name=op.f("fk_responses_payload_sha256")
        ),
        sa.CheckConstraint(
            "status IN ('RECEIVED', 'ACCEPTED', 'ACCEPTED_MINOR', 'PARTIAL', "
            "'FULL', 'UNDER_QUERY', 'PENDING', 'REJECTED', 'WITHDRAWN', "
            "'EXPIRED_UNUSED')",
            name=op.f("ck_responses_status"),
        ),
        sa.CheckConstraint(
            "standing IN ('DRAWN', 'SENT', 'APPLIED', 'LATE', 'CONTRADICTING')",
            name=op.f("ck_responses_standing"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint(
            "certificate_id",
            "reference_key",
            name=op.f("uq_responses_certificate_id_reference_key"),
        ),
        sa.UniqueConstraint(
            "certificate_id",
            "sequence_number",
            "content_sha256",
            name=op.f("uq_responses_certificate_id_sequence_number_content_sha256"),
        ),
    )
    op.create_index(
        op.f("ix_responses_declaration_key"), "responses", ["declaration_key"], unique=False
    )
    op.create_index(op.f("ix_responses_message_id"), "responses", ["message_id"], unique=False)
    op.create_index(op.f("ix_responses_response_key"), "responses", ["response_key"], unique=False)


def _utilisation_entries() -> None:
    op.create_table(
        "utilisation_entries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("item_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("unit", sa.String(length=35), nullable=False),
        sa.Column("total_after", ExactDecimal(), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=True),
        sa.Column("reference", sa.String(length=140), nullable=False),
        sa.Column("entered_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_utilisation_entries_certificate_id"),
        ),
        sa.CheckConstraint(
            "kind IN ('USE', 'REEXPORT', 'REVERSAL')", name=op.f("ck_utilisation_entries_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utilisation_entries")),
    )
    op.create_index(
        "ix_utilisation_entries_item",
        "utilisation_entries",
        ["certificate_id", "item_number", "id"],
        unique=False,
    )
