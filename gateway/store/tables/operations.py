"""What operating the gateway needs: counters, marks, outages, alerts and their notices."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gateway.store.states import AlertLevel, AlertState, NoticeKind, NoticeState
from gateway.store.tables.base import choice, id_column, kind, metadata, partial_index, reference
from gateway.store.types import JsonText, UtcMoment

tallies = Table(
    "tallies",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("labels", String(400), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

watch_marks = Table(
    "watch_marks",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("anchor", String(64)),
    Column("fault", Text),
    Column("noted_at", UtcMoment),
)

outages = Table(
    "outages",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    Column("opened_at", UtcMoment, nullable=False),
    Column("noticed_at", UtcMoment, nullable=False),
    Column("closed_at", UtcMoment),
    Column("failures", Integer, nullable=False),
    Column("code", String(40), nullable=False),
)
OUTAGE_OPEN = "closed_at IS NULL"
partial_index(
    "uq_outages_open",
    OUTAGE_OPEN,
    outages.c.peer_id,
    unique=True,
)
Index("ix_outages_peer_id_id", outages.c.peer_id, outages.c.id)

alerts = Table(
    "alerts",
    metadata,
    id_column(),
    Column("rule", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    choice("level", AlertLevel),
    choice("state", AlertState),
    Column("step", String(20), nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("first_at", UtcMoment, nullable=False),
    Column("last_at", UtcMoment, nullable=False),
    Column("count", Integer, nullable=False),
    Column("told_at", UtcMoment),
    Column("acknowledged_by", String(100)),
    Column("acknowledged_at", UtcMoment),
    Column("acknowledged_why", Text),
    Column("cleared_at", UtcMoment),
)
LIVE = "state <> 'CLEARED'"
partial_index(
    "uq_alerts_live",
    LIVE,
    alerts.c.rule,
    alerts.c.subject,
    unique=True,
)

alert_notices = Table(
    "alert_notices",
    metadata,
    id_column(),
    reference("alert_id", "alerts"),
    kind("kind", NoticeKind),
    choice("level", AlertLevel),
    Column("recipient", String(300), nullable=False),
    choice("state", NoticeState),
    Column("due_at", UtcMoment),
    Column("attempts", Integer, nullable=False),
    Column("last_error", String(200)),
    Column("created_at", UtcMoment, nullable=False),
    Column("ended_at", UtcMoment),
)
NOTICE_DUE = "due_at IS NOT NULL"
partial_index(
    "ix_alert_notices_due",
    NOTICE_DUE,
    alert_notices.c.due_at,
    alert_notices.c.id,
)
Index("ix_alert_notices_alert_id", alert_notices.c.alert_id)
