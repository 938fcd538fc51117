"""Let events say who may be told of them; make readers, webhooks and their queue."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from gateway.store.keys import canonical_key
from gateway.store.types import BigId, UtcMoment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BATCH = 500


def upgrade() -> None:
    """Make the tables, then find out batch by batch whom the events so far concern."""
    op.add_column(
        "events",
        sa.Column("circle", sa.String(length=40), nullable=False, server_default="OPERATORS"),
    )
    op.add_column("events", sa.Column("country", sa.String(length=2), nullable=True))
    op.add_column("events", sa.Column("authority", sa.String(length=140), nullable=True))
    op.add_column("events", sa.Column("certificate_id", BigId, nullable=True))
    _event_readers()
    _webhooks()
    _webhook_deliveries()
    _fill(op.get_bind())


def _event_readers() -> None:
    op.create_table(
        "event_readers",
        sa.Column("organisation_id", BigId, autoincrement=False, nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", UtcMoment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_event_readers_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_event_readers")),
    )


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("hook_id", sa.String(length=24), nullable=False),
        sa.Column("organisation_id", BigId, nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("secret_check", sa.String(length=64), nullable=False),
        sa.Column("rotated_at", UtcMoment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("parked_until", UtcMoment(), nullable=True),
        sa.Column("last_success_at", UtcMoment(), nullable=True),
        sa.Column("last_failure_at", UtcMoment(), nullable=True),
        sa.Column("last_error", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('ACTIVE', 'DISABLED', 'STOPPED')", name=op.f("ck_webhooks_state")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_webhooks_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("hook_id", name=op.f("uq_webhooks_hook_id")),
    )
    op.create_index("ix_webhooks_organisation_id", "webhooks", ["organisation_id"], unique=False)


def _webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("webhook_id", BigId, nullable=False),
        sa.Column("event_cursor", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=160), nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", UtcMoment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "webhook_id", "event_cursor", name=op.f("uq_webhook_deliveries_webhook_id_event_cursor")
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_lane",
        "webhook_deliveries",
        ["webhook_id", "lane", "event_cursor"],
        unique=False,
    )


_EVENTS = sa.table(
    "events",
    *(
        sa.column(name)
        for name in (
            "cursor",
            "kind",
            "data",
            "circle",
            "country",
            "authority",
            "certificate_id",
        )
    ),
)
_CERTIFICATES = sa.table(
    "certificates",
    *(
        sa.column(name)
        for name in (
            "id",
            "side",
            "serial_key",
            "issuing_country",
            "destination_country",
            "authority_code",
            "conversation_id",
        )
    ),
)
_SIDE_OF = {"CERTIFICATE_OF_ORIGIN": "ISSUED", "CUSTOMS_RESPONSE": "RECEIVED"}


def _fill(conn: Connection) -> None:
    after = 0
    query = sa.select(_EVENTS.c.cursor, _EVENTS.c.kind, _EVENTS.c.data)
    while rows := conn.execute(
        query.where(_EVENTS.c.cursor > after).order_by(_EVENTS.c.cursor).limit(_BATCH)
    ).all():
        for row in rows:
            told = _told(conn, row.kind, json.loads(row.data))
            if told:
                own = _EVENTS.c.cursor == row.cursor
                conn.execute(sa.update(_EVENTS).where(own).values(**told))
        after = rows[-1].cursor


def _told(conn: Connection, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    if kind == "BOOKS_RESTORED":
        return {"circle": "EVERYBODY"}
    own = _CERTIFICATES.c
    if "serial_number" in data:
        key = canonical_key(data["serial_number"])
        which = [
            own.side == data["side"],
            own.issuing_country == data["issuing_country"],
            own.serial_key == key,
        ]
    elif data.get("document_type") in _SIDE_OF and data.get("conversation_id"):
        side = _SIDE_OF[data["document_type"]]
        which = [own.side == side, own.conversation_id == data["conversation_id"]]
    else:
        return {}
    found = conn.execute(sa.select(_CERTIFICATES).where(*which).limit(1)).one_or_none()
    if found is None:
        return {}
    issued = found.side == "ISSUED"
    return {
        "circle": found.side,
        "country": found.issuing_country if issued else found.destination_country,
        "authority": canonical_key(found.authority_code)[:140],
        "certificate_id": found.id,
    }
