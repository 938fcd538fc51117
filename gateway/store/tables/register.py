"""Certificates of origin on both sides, their goods items, customs responses, utilisation."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from gateway.documents.codes import CertificateKind, UtilisationStatus
from gateway.store.states import (
    DeliveryRole,
    EntryKind,
    ExchangeState,
    ImportState,
    IssueState,
    ResponseStanding,
    Side,
)
from gateway.store.tables.base import (
    body_reference,
    choice,
    id_column,
    metadata,
    partial_index,
    reference,
)
from gateway.store.types import ExactDecimal, JsonText, UtcMoment

_ISSUED_STATES = ", ".join(f"'{state}'" for state in IssueState)
_RECEIVED_STATES = ", ".join(f"'{state}'" for state in ImportState)

certificates = Table(
    "certificates",
    metadata,
    id_column(),
    choice("side", Side),
    Column("agreement", String(40), nullable=False),
    choice("kind", CertificateKind),
    Column("serial_number", String(70), nullable=False),
    Column("serial_key", String(140), nullable=False),
    Column("issuing_country", String(2), nullable=False),
    Column("destination_country", String(2), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("authority_code", String(70), nullable=False),
    Column("exporter_name", String(200), nullable=False),
    Column("exporter_number", String(70)),
    Column("exporter_key", String(140), index=True),
    Column("consignee_name", String(200), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("state", String(24), nullable=False),
    Column("state_since", UtcMoment, nullable=False),
    choice("reported_status", UtilisationStatus, nullable=True),
    Column("last_sequence", Integer, nullable=False),
    Column("missing_responses", Integer, nullable=False),
    Column("contradicted", Boolean, nullable=False),
    Column("over_used", Boolean, nullable=False),
    reference("peer_id", "peers", nullable=True),
    Column("conversation_id", String(70), nullable=False, index=True),
    Column("message_id", String(70), nullable=False, index=True),
    Column("original_country", String(2)),
    Column("original_key", String(140)),
    Column("replaces_key", String(140)),
    Column("replaced_by", String(70)),
    Column("ended_by", String(70), index=True),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
    Column("content_sha256", String(64), nullable=False),
    body_reference("payload_sha256"),
    UniqueConstraint("side", "issuing_country", "serial_key"),
    CheckConstraint(
        f"(side = 'ISSUED' AND state IN ({_ISSUED_STATES}))"
        f" OR (side = 'RECEIVED' AND state IN ({_RECEIVED_STATES}))",
        name="state",
    ),
)
Index("ix_certificates_serial_key", certificates.c.serial_key)
Index("ix_certificates_side_state_id", certificates.c.side, certificates.c.state, certificates.c.id)
Index("ix_certificates_side_id", certificates.c.side, certificates.c.id)
Index("ix_certificates_issued_on_id", certificates.c.issued_on, certificates.c.id)
UNEXPIRED = (
    "state IN ('ISSUED', 'RECEIVED', 'AVAILABLE', 'PRESENTED', 'PARTIALLY_UTILISED')"
    " AND (reported_status IS NULL OR reported_status <> 'FULL')"
)
partial_index(
    "ix_certificates_expiring",
    UNEXPIRED,
    certificates.c.valid_until,
    certificates.c.id,
)
_AT_EASE = "AND NOT over_used AND NOT contradicted"
FEEDBACK = {
    "refused": "reported_status = 'REJECTED'",
    "over_used": (
        "reported_status <> 'REJECTED'"
        " AND (over_used OR contradicted OR reported_status = 'WITHDRAWN')"
    ),
    "doubted": f"reported_status IN ('UNDER_QUERY', 'PENDING') {_AT_EASE}",
    "used": (
        "reported_status IN ('RECEIVED', 'ACCEPTED', 'ACCEPTED_MINOR', 'PARTIAL', 'FULL',"
        f" 'EXPIRED_UNUSED') {_AT_EASE}"
    ),
}
"""What customs reported, most urgent first; every certificate is in one at most."""
for _name, _rows in FEEDBACK.items():
    partial_index(
        f"ix_certificates_{_name}",
        _rows,
        certificates.c.side,
        certificates.c.updated_at,
        certificates.c.id,
    )

certificate_items = Table(
    "certificate_items",
    metadata,
    id_column(),
    reference("certificate_id", "certificates"),
    Column("number", Integer, nullable=False),
    Column("hs_code", String(16), nullable=False),
    Column("country_of_origin", String(2), nullable=False),
    Column("description", String(200), nullable=False),
    Column("unit", String(35), nullable=False),
    Column("certified", ExactDecimal, nullable=False),
    Column("used", ExactDecimal, nullable=False),
    Column("reexported", ExactDecimal, nullable=False),
    UniqueConstraint("certificate_id", "number"),
)

certificate_deliveries = Table(
    "certificate_deliveries",
    metadata,
    id_column(),
    reference("certificate_id", "certificates"),
    reference("peer_id", "peers"),
    Column("message_id", String(70), nullable=False),
    choice("role", DeliveryRole),
    choice("state", ExchangeState),
    Column("code", String(40)),
    Column("updated_at", UtcMoment, nullable=False),
    UniqueConstraint("message_id", "role"),
)
Index("ix_certificate_deliveries_certificate_id", certificate_deliveries.c.certificate_id)

responses = Table(
    "responses",
    metadata,
    id_column(),
    reference("certificate_id", "certificates"),
    Column("sequence_number", Integer, nullable=False),
    choice("status", UtilisationStatus),
    choice("standing", ResponseStanding),
    Column("response_number", String(70)),
    Column("response_key", String(140), index=True),
    Column("reference_key", String(140)),
    Column("content_sha256", String(64), nullable=False),
    Column("items", JsonText, nullable=False),
    Column("findings", JsonText, nullable=False),
    Column("reasons", JsonText, nullable=False),
    Column("declaration_number", String(70)),
    Column("declaration_key", String(140), index=True),
    Column("officer", String(70)),
    Column("message_id", String(70), index=True),
    Column("decided_at", UtcMoment, nullable=False),
    Column("stored_at", UtcMoment, nullable=False),
    body_reference("payload_sha256", nullable=True),
    UniqueConstraint("certificate_id", "sequence_number", "content_sha256"),
    UniqueConstraint("certificate_id", "reference_key"),
)

utilisation_entries = Table(
    "utilisation_entries",
    metadata,
    id_column(),
    reference("certificate_id", "certificates"),
    Column("item_number", Integer, nullable=False),
    choice("kind", EntryKind),
    Column("quantity", ExactDecimal, nullable=False),
    Column("unit", String(35), nullable=False),
    Column("total_after", ExactDecimal, nullable=False),
    Column("sequence_number", Integer),
    Column("reference", String(140), nullable=False),
    Column("entered_at", UtcMoment, nullable=False),
)
Index(
    "ix_utilisation_entries_item",
    utilisation_entries.c.certificate_id,
    utilisation_entries.c.item_number,
    utilisation_entries.c.id,
)
