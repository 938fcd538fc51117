"""What the calendar does to the books: certificates past their validity expire, old answers go."""

from __future__ import annotations

from datetime import timedelta

import structlog

from gateway.exchange.context import Desk
from gateway.register import register
from gateway.store import idempotency, tasks

log = structlog.get_logger(__name__)

EXPIRY = "expire certificates"
EXPIRY_PERIOD = timedelta(hours=1)
ANSWERS_KEPT = timedelta(days=7)
"""How long the answer under an idempotency key is repeated."""


def expire_certificates(desk: Desk, worker: str) -> int:
    """Return how many certificates expired; at most once per period over all workers.

    None does while our own signing certificate is not valid: then either the clock has leapt, or
    nothing can be exchanged anyhow; and what has expired stays so when the clock is right again.
    """
    now = desk.clock()
    if not desk.gateway_credential.holds_at(now):
        log.error("nothing expires", reason="own signing certificate not valid now")
        return 0
    with desk.store.begin() as conn:
        turn = tasks.claim(conn, EXPIRY, worker, now, period=EXPIRY_PERIOD)
    if turn is None:
        return 0
    expired = 0
    while batch := _expire_batch(desk):
        expired += batch
    with desk.store.begin() as conn:
        idempotency.forget_before(conn, now - ANSWERS_KEPT)
        tasks.end(conn, turn, at=desk.clock())
    return expired


def _expire_batch(desk: Desk) -> int:
    now = desk.clock()
    with desk.store.begin() as conn:
        return len(register.expire_overdue(conn, now.date(), at=now))
