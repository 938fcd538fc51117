"""Peers, their X.509 certificates, revocation lists and lanes, and when they were seen."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.store.states import (
    AlgorithmLevel,
    CredentialUse,
    PeerChannel,
    PeerState,
    RevocationLevel,
)
from gateway.store.tables.base import choice, id_column, metadata, partial_index, reference
from gateway.store.types import BigId, JsonText, UtcMoment

peers = Table(
    "peers",
    metadata,
    id_column(),
    Column("identifier", String(70), nullable=False, unique=True),
    Column("country", String(2), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    choice("state", PeerState),
    choice("channel", PeerChannel),
    Column("url", String(2000), nullable=False),
    Column("soap_version", String(3), nullable=False),
    Column("document_types", JsonText, nullable=False),
    choice("algorithms", AlgorithmLevel),
    choice("revocation", RevocationLevel),
    Column("live_from", UtcMoment),
    Column("retry", JsonText, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("collect", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
)

peer_credentials = Table(
    "peer_credentials",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    choice("use", CredentialUse),
    Column("pem", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("role", String(24)),
    Column("authority_code", String(70)),
    Column("valid_from", UtcMoment),
    Column("valid_until", UtcMoment),
    Column("created_at", UtcMoment, nullable=False),
    UniqueConstraint("peer_id", "use", "fingerprint"),
)
partial_index(
    "uq_peer_credentials_tls",
    "use = 'TLS'",
    peer_credentials.c.fingerprint,
    unique=True,
)

peer_crls = Table(
    "peer_crls",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    Column("issuer", String(1000), nullable=False),
    Column("this_update", UtcMoment, nullable=False),
    Column("next_update", UtcMoment),
    Column("stored_at", UtcMoment, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("peer_id", "issuer"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("peer_id", BigId, ForeignKey("peers.id"), primary_key=True, autoincrement=False),
    Column("parked_until", UtcMoment),
    Column("failures", Integer, nullable=False),
    Column("claimed_at", UtcMoment),
    Column("last_success_at", UtcMoment),
    Column("last_failure_at", UtcMoment),
)

peer_sightings = Table(
    "peer_sightings",
    metadata,
    Column("peer_id", BigId, ForeignKey("peers.id"), primary_key=True, autoincrement=False),
    Column("seen_at", UtcMoment, nullable=False),
    Column("software", String(70), nullable=False),
    Column("versions", JsonText, nullable=False),
)
