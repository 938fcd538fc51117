"""What reports are made of: counts by month, states, kind and authority, kept beside the books.

``report_certificates`` holds for each certificate what it was counted as, so that a change is
counted by its difference, however often and in whatever order changes are looked at.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.documents.codes import CertificateKind
from gateway.store.report_measures import Measure
from gateway.store.states import Side
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import BigId, EnumText

report_groups = Table(
    "report_groups",
    metadata,
    id_column(),
    Column("month", String(7), nullable=False),
    choice("side", Side),
    Column("issuing_country", String(2), nullable=False),
    Column("destination_country", String(2), nullable=False),
    choice("kind", CertificateKind),
    Column("authority_key", String(140), nullable=False),
    Column("test", Boolean, nullable=False),
    UniqueConstraint(
        "month",
        "side",
        "issuing_country",
        "destination_country",
        "kind",
        "authority_key",
        "test",
        name="uq_report_groups_month",
    ),
)

report_counts = Table(
    "report_counts",
    metadata,
    Column("group_id", BigId, ForeignKey("report_groups.id"), primary_key=True),
    Column("measure", EnumText(Measure), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

report_certificates = Table(
    "report_certificates",
    metadata,
    Column(
        "certificate_id",
        BigId,
        ForeignKey("certificates.id"),
        primary_key=True,
        autoincrement=False,
    ),
    reference("group_id", "report_groups"),
    Column("counted", Text, nullable=False),
)
Index(
    "ix_report_certificates_group_id",
    report_certificates.c.group_id,
    report_certificates.c.certificate_id,
)

report_failures = Table(
    "report_failures",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("peer_id", BigId, ForeignKey("peers.id"), primary_key=True, autoincrement=False),
    Column("test", Boolean, primary_key=True, autoincrement=False),
    Column("rule", String(100), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
