"""People at the console: accounts, identities, sessions, one-time codes, failures to sign in.

No secret stands here: passwords as Argon2id, sessions and codes as digests; the seeds of second
factors are derived from a key in the home and the numbers kept here.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, text

from gateway.store.roles import PersonRole, PersonState
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import BigId, UtcMoment

people = Table(
    "people",
    metadata,
    id_column(),
    Column("login", String(60), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    reference("organisation_id", "organisations"),
    choice("role", PersonRole),
    Column("administers", Boolean, nullable=False),
    choice("state", PersonState),
    Column("language", String(2), nullable=False),
    Column("password_hash", String(200)),
    Column("password_set_at", UtcMoment),
    Column("factor_version", Integer, nullable=False),
    Column("factor_confirmed", Boolean, nullable=False),
    Column("factor_step", BigId, nullable=False),
    Column("last_signed_in_at", UtcMoment),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
)
Index("ix_people_organisation_id", people.c.organisation_id)

one_time_codes = Table(
    "one_time_codes",
    metadata,
    id_column(),
    reference("person_id", "people"),
    Column("code_mac", String(64), nullable=False),
    Column("is_recovery", Boolean, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Column("used_at", UtcMoment),
)
Index("ix_one_time_codes_person_id", one_time_codes.c.person_id)

console_sessions = Table(
    "console_sessions",
    metadata,
    id_column(),
    Column("token_mac", String(64), nullable=False, unique=True),
    reference("person_id", "people"),
    Column("created_at", UtcMoment, nullable=False),
    Column("last_seen_at", UtcMoment, nullable=False),
    Column("factor_at", UtcMoment),
    Column("ended_at", UtcMoment),
    Column("network", String(50), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("through_provider", Boolean, nullable=False, server_default=text("false")),
)
Index("ix_console_sessions_person_id", console_sessions.c.person_id)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    id_column(),
    Column("at", UtcMoment, nullable=False),
    Column("login_mac", String(64), nullable=False),
    Column("network", String(50), nullable=False),
)
Index("ix_sign_in_failures_login_mac", sign_in_failures.c.login_mac, sign_in_failures.c.at)
Index("ix_sign_in_failures_network", sign_in_failures.c.network, sign_in_failures.c.at)

identities = Table(
    "identities",
    metadata,
    id_column(),
    reference("person_id", "people"),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("linked_at", UtcMoment, nullable=False),
    Column("last_used_at", UtcMoment),
    UniqueConstraint("issuer", "subject"),
    UniqueConstraint("person_id", "issuer"),
)

provider_journeys = Table(
    "provider_journeys",
    metadata,
    id_column(),
    Column("token_mac", String(64), nullable=False, unique=True),
    Column("leads_to", String(2000), nullable=False),
    reference("person_id", "people", nullable=True),
    Column("expires_at", UtcMoment, nullable=False),
    Column("used_at", UtcMoment),
)
Index("ix_provider_journeys_expires_at", provider_journeys.c.expires_at)
