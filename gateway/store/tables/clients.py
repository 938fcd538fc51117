"""Organisations of the national side, their API keys, and the index they search by."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from gateway.store.roles import OrganisationKind, OrganisationState
from gateway.store.states import SearchField
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import BigId, EnumText, JsonText, UtcMoment

TERM_LENGTH = 200

organisations = Table(
    "organisations",
    metadata,
    id_column(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    choice("kind", OrganisationKind),
    Column("country", String(2), nullable=False),
    Column("authority_code", String(70)),
    choice("state", OrganisationState),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    Column("key_id", String(24), nullable=False, unique=True),
    reference("organisation_id", "organisations"),
    Column("label", String(100), nullable=False),
    Column("secret_mac", String(64), nullable=False),
    Column("scopes", JsonText, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Column("revoked_at", UtcMoment),
    Column("last_used_at", UtcMoment),
    Column("replaces", String(24)),
)
Index("ix_api_keys_organisation_id", api_keys.c.organisation_id)

TERM = String(TERM_LENGTH).with_variant(String(TERM_LENGTH, collation="C"), "postgresql")
"""Compared byte by byte on either database, so that a prefix is a range of the index."""

search_keys = Table(
    "search_keys",
    metadata,
    Column("certificate_id", BigId, ForeignKey("certificates.id"), primary_key=True),
    Column("field", EnumText(SearchField), primary_key=True),
    Column("term", TERM, primary_key=True),
)
Index(
    "ix_search_keys_field_term",
    search_keys.c.field,
    search_keys.c.term,
    search_keys.c.certificate_id,
)
