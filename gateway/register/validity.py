"""Availability and the clock: what becomes usable, what expires, what customs re-opens."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection

from gateway.errors import ConflictError
from gateway.register.notes import note_state, serial_event
from gateway.register.states import ImportEvent, ImportState, IssueEvent, IssueState, advance
from gateway.store import certificates
from gateway.store.rows import CertificateRow
from gateway.store.states import EventKind, Side


def make_available(
    conn: Connection, certificate: CertificateRow, *, at: datetime
) -> CertificateRow:
    """Release a received certificate to customs and return it; one released before stays.

    Raises:
        ConflictError: it is cancelled, replaced or expired.
    """
    before = certificates.lock(conn, certificate.id)
    if before.state is not ImportState.RECEIVED:
        if before.state is ImportState.AVAILABLE:
            return before
        raise ConflictError(f"a certificate of origin that is {before.state} cannot be released")
    state = advance(before.state, ImportEvent.MAKE_AVAILABLE)
    now = certificates.change(conn, before, at=at, state=state)
    tell_available(conn, before, now, at=at)
    return now


def tell_available(
    conn: Connection, before: CertificateRow, now: CertificateRow, *, at: datetime
) -> None:
    """Journal that a certificate was released to customs, and tell the national system."""
    note_state(conn, before, now, at=at)
    serial_event(conn, EventKind.CERTIFICATE_AVAILABLE, now, at=at, message_id=now.message_id)


def expire_overdue(
    conn: Connection, today: date, *, at: datetime, limit: int = 500
) -> tuple[CertificateRow, ...]:
    """Expire certificates whose last day of validity lies before ``today`` and return them.

    Call it until it returns nothing.  What is under verification, accepted or fully used does
    not expire.
    """
    return tuple(
        _expire(conn, certificates.lock(conn, certificate_id), at)
        for certificate_id in certificates.overdue(conn, today, limit=limit)
    )


def reopen(
    conn: Connection, certificate_id: int, *, at: datetime, actor: str, reason: str
) -> CertificateRow:
    """Let customs use an expired certificate in exceptional circumstances and return it.

    Raises:
        NotFoundError, ConflictError: there is none, or it has not expired.
    """
    before = certificates.lock(conn, certificate_id)
    if before.side is not Side.RECEIVED:
        raise ConflictError("only the importing customs re-opens a certificate of origin")
    used = any(item.used for item in certificates.items(conn, certificate_id))
    event = ImportEvent.REOPEN_PART if used else ImportEvent.REOPEN
    state = advance(ImportState(before.state), event)
    now = certificates.change(conn, before, at=at, state=state)
    note_state(conn, before, now, at=at, actor=actor, reason=reason)
    return now


def _expire(conn: Connection, before: CertificateRow, at: datetime) -> CertificateRow:
    state: IssueState | ImportState
    if isinstance(before.state, IssueState):
        state = advance(before.state, IssueEvent.EXPIRE)
    else:
        state = advance(before.state, ImportEvent.EXPIRE)
    now = certificates.change(conn, before, at=at, state=state)
    note_state(conn, before, now, at=at, reason="end of validity")
    return now
