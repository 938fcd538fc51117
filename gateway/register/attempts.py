"""Attempts that are refused, but told: over-use, and a serial number used again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin
from gateway.register.contents import content_digest
from gateway.register.decision import CustomsDecision
from gateway.register.drawing import NOTHING, plain, quantities
from gateway.register.findings import Problem
from gateway.register.notes import serial_event
from gateway.store import concerned, events, journal
from gateway.store.rows import CertificateItem, CertificateRow
from gateway.store.states import EventKind


def tell_over_use(
    conn: Connection,
    certificate: CertificateRow,
    items: Sequence[CertificateItem],
    decision: CustomsDecision,
    *,
    at: datetime,
) -> None:
    """Tell customs of a decision that asks for more than remains, if this one does.

    Whichever way the decision came in, its refusal undoes the transaction; the attempt is told
    all the same.
    """
    asked = quantities(decision, items) if decision.status.uses_goods else {}
    over = [item for item in items if asked.get(item.number, NOTHING) > item.remaining]
    if not over:
        return
    data = {
        **concerned.facts_of(certificate),
        "status": decision.status,
        "declaration": decision.declaration_number,
        "drawn": {str(item.number): plain(asked[item.number]) for item in over},
        "remaining": {str(item.number): plain(item.remaining) for item in over},
    }
    events.append(
        conn,
        at=at,
        kind=EventKind.OVER_USE_ATTEMPTED,
        subject=certificate.serial_number,
        data=data,
        audience=events.audience_of(certificate),
        though_undone=True,
    )


def tell_serial_reused(
    conn: Connection,
    present: CertificateRow,
    coo: CertificateOfOrigin,
    *,
    message_id: str,
    at: datetime,
) -> None:
    """Raise the alarm that other content came under the serial number of ``present``."""
    serial_event(conn, EventKind.SERIAL_REUSED, present, at=at, message_id=message_id)
    journal.append(
        conn,
        at=at,
        action=journal.Action.UTILISATION_FLAGGED,
        subject=present.serial_number,
        detail={
            "problems": [Problem.SERIAL_REUSED],
            "registered": present.content_sha256,
            "now": content_digest(coo),
        },
    )
