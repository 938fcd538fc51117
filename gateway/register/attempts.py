"""Attempts to use more of a certificate of origin than remains: refused, but told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from gateway.register.decision import CustomsDecision
from gateway.register.drawing import NOTHING, plain, quantities
from gateway.register.notes import serial_event
from gateway.store import certificates
from gateway.store.states import EventKind, Side


def tell_over_use(conn: Connection, decision: CustomsDecision, *, at: datetime) -> bool:
    """Tell customs of a decision that asks for more than remains; return whether it does."""
    country, serial = decision.issuing_country, decision.serial_number
    found = certificates.find(conn, Side.RECEIVED, country, serial)
    if found is None or not decision.status.uses_goods:
        return False
    items = certificates.items(conn, found.id)
    asked = quantities(decision, items)
    over = [item for item in items if asked.get(item.number, NOTHING) > item.remaining]
    if over:
        serial_event(
            conn,
            EventKind.OVER_USE_ATTEMPTED,
            found,
            at=at,
            status=decision.status,
            declaration=decision.declaration_number,
            drawn={str(item.number): plain(asked[item.number]) for item in over},
            remaining={str(item.number): plain(item.remaining) for item in over},
        )
    return bool(over)
