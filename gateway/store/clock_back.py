"""What was put off by a clock that was ahead is brought back when the clock is right again.

Retries, leases, parked lanes and turns end at a moment of the day.  A moment computed by a
clock an hour ahead lies an hour away once that clock is set back; such rows are known by having
been written later than now.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, literal, or_, text, update

from gateway.store.states import DeliveryState
from gateway.store.tables import (
    alert_notices,
    balances,
    batches,
    dispatches,
    lanes,
    scheduled_tasks,
    webhook_deliveries,
    webhooks,
)
from gateway.store.tables.batches import BATCH_DUE
from gateway.store.tables.books import BALANCE_DUE
from gateway.store.tables.exchange import DUE
from gateway.store.tables.operations import NOTICE_DUE
from gateway.store.types import UtcMoment
from gateway.store.webhooks import LONGEST_PAUSE

TOLERANCE = timedelta(minutes=1)
"""Clocks of hosts that share the books may differ by so much without anything being touched."""


def bring_back(conn: Connection, now: datetime, *, lease_seconds: int) -> int:
    """Let everything that was written later than now be due by the present clock.

    A message under way keeps a whole lease, so that its attempt may end.  Returns how many rows
    were brought back; doing it again changes nothing.
    """
    later = now + TOLERANCE
    lease = timedelta(seconds=lease_seconds)
    sending = dispatches.c.state == DeliveryState.SENDING
    overlong = sending & (dispatches.c.due_at > later + lease)
    anew = case((sending, literal(now + lease, UtcMoment)), else_=literal(now, UtcMoment))
    statements = (
        update(dispatches)
        .where(text(DUE), dispatches.c.due_at > now)
        .where(or_(dispatches.c.updated_at > later, overlong))
        .values(due_at=anew, updated_at=now),
        update(lanes)
        .where(lanes.c.parked_until > now)
        .where(or_(lanes.c.claimed_at > later, lanes.c.last_failure_at > later))
        .values(parked_until=None, claimed_at=now),
        update(scheduled_tasks)
        .where(scheduled_tasks.c.due_at > now, scheduled_tasks.c.last_started_at > later)
        .values(due_at=now, last_started_at=now),
        update(balances)
        .where(text(BALANCE_DUE), balances.c.due_at > now, balances.c.updated_at > later)
        .values(due_at=now, updated_at=now),
        update(alert_notices)
        .where(text(NOTICE_DUE), alert_notices.c.due_at > now, alert_notices.c.created_at > later)
        .values(due_at=now),
        update(webhooks)
        .where(webhooks.c.parked_until > later + LONGEST_PAUSE)
        .values(parked_until=None),
        update(webhook_deliveries)
        .where(webhook_deliveries.c.due_at > later + LONGEST_PAUSE)
        .values(due_at=now),
        update(batches)
        .where(text(BATCH_DUE), batches.c.due_at > now, batches.c.updated_at > later)
        .values(due_at=now, updated_at=now),
    )
    return sum(conn.execute(statement).rowcount for statement in statements)
