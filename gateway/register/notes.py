"""What register and ledger say to journal and feed, in one wording."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.store import concerned, events, journal
from gateway.store.rows import CertificateRow
from gateway.store.states import EventKind, ImportState, IssueState

_ENDINGS: Mapping[IssueState | ImportState, EventKind] = {
    IssueState.CANCELLED: EventKind.CERTIFICATE_CANCELLED,
    IssueState.REPLACED: EventKind.CERTIFICATE_REPLACED,
    IssueState.EXPIRED: EventKind.CERTIFICATE_EXPIRED,
    ImportState.CANCELLED: EventKind.CERTIFICATE_CANCELLED,
    ImportState.REPLACED: EventKind.CERTIFICATE_REPLACED,
    ImportState.EXPIRED: EventKind.CERTIFICATE_EXPIRED,
}
"""What national systems act on has a kind of its own; every other state is a change."""


def serial_event(
    conn: Connection, kind: EventKind, certificate: CertificateRow, *, at: datetime, **data: Any
) -> None:
    """Tell the national system ``kind`` about a certificate, with its state."""
    events.append(
        conn,
        at=at,
        kind=kind,
        subject=certificate.serial_number,
        data={**concerned.facts_of(certificate), **data},
        audience=events.audience_of(certificate),
    )


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
    kind = _ENDINGS.get(now.state, EventKind.CERTIFICATE_CHANGED)
    more = {"previous_state": before.state, "reason": reason}
    if now.replaced_by is not None:
        more["replaced_by"] = now.replaced_by
    serial_event(conn, kind, now, at=at, **more)
