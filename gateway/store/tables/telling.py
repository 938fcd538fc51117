"""How far each organisation has read the feed, and the webhooks with what they wait for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table
from sqlalchemy import UniqueConstraint as Unique

from gateway.store.states import WebhookState
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import BigId, JsonText, UtcMoment

event_readers = Table(
    "event_readers",
    metadata,
    Column(
        "organisation_id",
        BigId,
        ForeignKey("organisations.id"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("cursor", BigInteger, nullable=False),
    Column("confirmed_at", UtcMoment, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    Column("hook_id", String(24), nullable=False, unique=True),
    reference("organisation_id", "organisations"),
    Column("label", String(100), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("kinds", JsonText, nullable=False),
    choice("state", WebhookState),
    Column("cursor", BigInteger, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("secret_check", String(64), nullable=False),
    Column("rotated_at", UtcMoment),
    Column("failures", Integer, nullable=False),
    Column("parked_until", UtcMoment),
    Column("last_success_at", UtcMoment),
    Column("last_failure_at", UtcMoment),
    Column("last_error", String(40)),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
)
Index("ix_webhooks_organisation_id", webhooks.c.organisation_id)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    id_column(),
    reference("webhook_id", "webhooks"),
    Column("event_cursor", BigInteger, nullable=False),
    Column("lane", String(160), nullable=False),
    Column("due_at", UtcMoment, nullable=False),
    Column("token", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", UtcMoment),
    Unique("webhook_id", "event_cursor"),
)
"""Only what waits or is under way: what was taken has no row any more."""
Index(
    "ix_webhook_deliveries_lane",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.lane,
    webhook_deliveries.c.event_cursor,
)
