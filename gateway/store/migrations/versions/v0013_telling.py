"""Let events say who may be told of them; make readers, webhooks and their queue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
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
    *map(
        sa.column,
        ("cursor", "kind", "subject", "data", "circle", "country", "authority", "certificate_id"),
    ),
)
_DELIVERIES = sa.table("certificate_deliveries", *map(sa.column, ("certificate_id", "message_id")))
_RESPONSES = sa.table("responses", *map(sa.column, ("certificate_id", "message_id")))
_CERTIFICATES = sa.table(
    "certificates",
    *map(
        sa.column,
        (
            "id",
            "side",
            "serial_key",
            "issuing_country",
            "destination_country",
            "authority_code",
        ),
    ),
)
_TELL = (
    sa.update(_EVENTS)
    .where(_EVENTS.c.cursor == sa.bindparam("own"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("circle", "country", "authority", "certificate_id")
        }
    )
)
_EVERYBODY = {
    "new_circle": "EVERYBODY",
    "new_country": None,
    "new_authority": None,
    "new_certificate_id": None,
}


def _fill(conn: Connection) -> None:
    """Find out whom the events so far concern; what cannot be found out stays the operators'."""
    after = 0
    query = sa.select(_EVENTS.c.cursor, _EVENTS.c.kind, _EVENTS.c.subject, _EVENTS.c.data)
    while rows := conn.execute(
        query.where(_EVENTS.c.cursor > after).order_by(_EVENTS.c.cursor).limit(_BATCH)
    ).all():
        batch = _Batch(conn, [(row, json.loads(row.data)) for row in rows])
        told = [{"own": cursor, **values} for cursor, values in batch.told()]
        if told:
            conn.execute(_TELL, told)
        after = rows[-1].cursor


class _Batch:
    """Is some events with the certificates that they may be about, asked for all at once."""

    def __init__(self, conn: Connection, rows: Sequence[tuple[Any, dict[str, Any]]]) -> None:
        self._rows = rows
        own = _CERTIFICATES.c
        serials = {canonical_key(data["serial_number"]) for _, data in rows if _names(data)}
        named = conn.execute(sa.select(_CERTIFICATES).where(own.serial_key.in_(serials)))
        self._by_serial = {(row.side, row.issuing_country, row.serial_key): row for row in named}
        messages = {row.subject for row, _ in rows}
        self._by_message = {
            row.message_id: row
            for side, carrying in (("RECEIVED", _RESPONSES), ("ISSUED", _DELIVERIES))
            for row in conn.execute(
                sa.select(_CERTIFICATES, carrying.c.message_id)
                .join(carrying, carrying.c.certificate_id == own.id)
                .where(carrying.c.message_id.in_(messages), own.side == side)
            )
        }

    def told(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield cursor and audience of each event that not only operators are told of."""
        for row, data in self._rows:
            if row.kind == "BOOKS_RESTORED":
                yield row.cursor, _EVERYBODY
            elif (found := self._certificate(row.subject, data)) is not None:
                yield row.cursor, _audience(found)

    def _certificate(self, subject: str, data: dict[str, Any]) -> Any:
        if _names(data):
            key = canonical_key(data["serial_number"])
            return self._by_serial.get((data["side"], data["issuing_country"], key))
        return self._by_message.get(subject)


def _names(data: dict[str, Any]) -> bool:
    """Return whether an event names its certificate."""
    return {"serial_number", "side", "issuing_country"} <= data.keys()


def _audience(found: Any) -> dict[str, Any]:
    issued = found.side == "ISSUED"
    return {
        "new_circle": found.side,
        "new_country": found.issuing_country if issued else found.destination_country,
        "new_authority": canonical_key(found.authority_code)[:140],
        "new_certificate_id": found.id,
    }
