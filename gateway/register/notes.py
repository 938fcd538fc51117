"""What register and ledger say to journal and feed, in one wording."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.store import events, journal
from gateway.store.rows import CertificateRow
from gateway.store.states import EventKind


def serial_event(
    conn: Connection, kind: EventKind, certificate: CertificateRow, *, at: datetime, **data: Any
) -> None:
    """Tell the national system ``kind`` about a certificate, with its state."""
    facts = {
        "side": certificate.side,
        "issuing_country": certificate.issuing_country,
        "serial_number": certificate.serial_number,
        "state": certificate.state,
        **data,
    }
    events.append(conn, at=at, kind=kind, subject=certificate.serial_number, data=facts)


def note_state(
    conn: Connection,
    before: CertificateRow,
    now: CertificateRow,
    *,
    at: datetime,
    reason: str | None = None,
    actor: str = journal.GATEWAY,
) -> None:
    """Journal a change of state and tell the national system; nothing where there is none."""
    if before.state == now.state:
        return
    detail = {"side": now.side, "from": before.state, "to": now.state, "reason": reason}
    journal.append(
        conn,
        at=at,
        actor=actor,
        action=journal.Action.CERTIFICATE_STATE,
        subject=now.serial_number,
        detail=detail,
    )
    serial_event(
        conn, EventKind.CERTIFICATE_CHANGED, now, at=at, previous_state=before.state, reason=reason
    )
