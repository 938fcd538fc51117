"""Cancellation and replacement against use: one winner, and both sides learn who won.

The importing side decides, under a lock on the certificate: what is used can no longer be
ended (``ALREADY_USED``), what is ended can no longer be used.  The issuing side asks, and
settles when every peer that holds the certificate has answered.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin, Finding
from gateway.errors import ConflictError, InvalidDocumentError
from gateway.register.carriage import Carriage
from gateway.register.findings import Problem, finding
from gateway.register.notes import note_state
from gateway.register.states import (
    ImportEvent,
    ImportState,
    IssueEvent,
    IssueState,
    advance,
    is_final,
)
from gateway.store import certificates
from gateway.store.rows import CertificateRow
from gateway.store.states import DeliveryRole, Side

_USED = (ImportState.PARTIALLY_UTILISED, ImportState.UTILISED, ImportState.WITHDRAWN)


def ask_cancel(conn: Connection, coo: CertificateOfOrigin, carriage: Carriage) -> CertificateRow:
    """Begin to cancel a certificate issued here and return it.

    Raises:
        InvalidDocumentError: it is unknown, used, or already at its end.
    """
    present = _of_side(conn, Side.ISSUED, coo.exporting_country, coo.serial_number)
    if present.ended_by is not None and present.state is IssueState.CANCELLING:
        _ask(conn, present, carriage)  # a further peer is told, or the same request again
        return present
    if present.ended_by == carriage.message_id:
        return present
    asked = IssueEvent.CANCEL if carriage.peer_id is None else IssueEvent.ASK_CANCEL
    _require_endable(conn, present, asked)
    return _end_issued(conn, present, carriage, asked)


def replaceable(conn: Connection, coo: CertificateOfOrigin) -> CertificateRow | None:
    """Return the certificate that ``coo`` replaces, locked, if it is one of ours.

    Raises:
        InvalidDocumentError: it is used, or already at its end.
    """
    if coo.replaces is None:
        return None
    serial = coo.replaces.serial_number
    present = certificates.reserve(conn, Side.ISSUED, coo.exporting_country, serial)
    if present is not None:
        _require_endable(conn, present, IssueEvent.ASK_REPLACE)
    return present


def ask_replace(
    conn: Connection, replaced: CertificateRow, new: CertificateRow, carriage: Carriage
) -> CertificateRow:
    """Begin to replace a certificate issued here by ``new`` and return it."""
    asked = IssueEvent.REPLACE if carriage.peer_id is None else IssueEvent.ASK_REPLACE
    return _end_issued(conn, replaced, carriage, asked, replaced_by=new.serial_number)


def cancel_received(
    conn: Connection, coo: CertificateOfOrigin, carriage: Carriage
) -> CertificateRow:
    """Cancel a certificate received earlier, unless it was used, and return it.

    Raises:
        InvalidDocumentError: it is unknown, came from another peer, or is used.
    """
    present = _of_side(conn, Side.RECEIVED, coo.exporting_country, coo.serial_number)
    _require_issuer(present, carriage)
    return _end_received(conn, present, carriage, ImportEvent.CANCEL)


def replaceable_received(
    conn: Connection, coo: CertificateOfOrigin, carriage: Carriage
) -> CertificateRow | None:
    """Return the received certificate that ``coo`` replaces, locked; None where not known.

    Raises:
        InvalidDocumentError: it came from another peer, or is used.
    """
    if coo.replaces is None:
        return None
    serial = coo.replaces.serial_number
    present = certificates.reserve(conn, Side.RECEIVED, coo.exporting_country, serial)
    if present is not None:
        _require_issuer(present, carriage)
        _require_unused(conn, present)
    return present


def replace_received(
    conn: Connection, replaced: CertificateRow, new: CertificateRow, carriage: Carriage
) -> CertificateRow:
    """Put ``new`` in the place of a received certificate and return the replaced one."""
    return _end_received(
        conn, replaced, carriage, ImportEvent.REPLACE, replaced_by=new.serial_number
    )


def _end_issued(
    conn: Connection,
    present: CertificateRow,
    carriage: Carriage,
    asked: IssueEvent,
    *,
    replaced_by: str | None = None,
) -> CertificateRow:
    state = advance(IssueState(present.state), asked)
    now = certificates.change(
        conn,
        present,
        at=carriage.at,
        state=state,
        ended_by=carriage.message_id,
        replaced_by=replaced_by,
    )
    note_state(conn, present, now, at=carriage.at, reason=carriage.message_id)
    _ask(conn, now, carriage)
    return now


def _ask(conn: Connection, present: CertificateRow, carriage: Carriage) -> None:
    if carriage.peer_id is not None:
        certificates.add_delivery(
            conn,
            present,
            peer_id=carriage.peer_id,
            message_id=carriage.message_id,
            role=DeliveryRole.ENDING,
            at=carriage.at,
        )


def _end_received(
    conn: Connection,
    present: CertificateRow,
    carriage: Carriage,
    event: ImportEvent,
    *,
    replaced_by: str | None = None,
) -> CertificateRow:
    _require_unused(conn, present)
    state = ImportState(present.state)
    now = certificates.change(
        conn,
        present,
        at=carriage.at,
        state=state if is_final(state) else advance(state, event),  # a dead one stays as it is
        ended_by=carriage.message_id,
        replaced_by=replaced_by,
    )
    note_state(conn, present, now, at=carriage.at, reason=carriage.message_id)
    return now


def _of_side(conn: Connection, side: Side, country: str, serial: str) -> CertificateRow:
    present = certificates.reserve(conn, side, country, serial)
    if present is None:
        raise _refusal(
            finding(Problem.UNKNOWN_CERTIFICATE, "serial_number", serial=serial, country=country)
        )
    return present


def _require_issuer(present: CertificateRow, carriage: Carriage) -> None:
    if present.peer_id != carriage.peer_id:
        serial = present.serial_number
        raise _refusal(finding(Problem.NOT_THE_ISSUER, "serial_number", serial=serial))


def _require_unused(conn: Connection, present: CertificateRow) -> None:
    items = certificates.items(conn, present.id)
    if present.state in _USED or any(item.used or item.reexported for item in items):
        serial = present.serial_number
        raise _refusal(finding(Problem.ALREADY_USED, "serial_number", serial=serial))


def _require_endable(conn: Connection, present: CertificateRow, asked: IssueEvent) -> None:
    _require_unused(conn, present)
    state = IssueState(present.state)
    try:
        advance(state, asked)
    except ConflictError as exc:
        serial = present.serial_number
        problem = finding(Problem.WRONG_STATE, "purpose", serial=serial, state=state, asked=asked)
        raise _refusal(problem) from exc


def _refusal(problem: Finding) -> InvalidDocumentError:
    return InvalidDocumentError(problem.message.en, findings=[problem])
