"""The register: what becomes of a certificate of origin that was issued here or received.

Every function runs in the caller's transaction and writes journal and events in it.  Run
again with the same document it changes nothing, so a crash between two lines is harmless.
Checks come before writes: after an ``InvalidDocumentError`` the transaction holds nothing but
the alarm, and the caller may go on in it to store the refusal.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from gateway.agreements.facts import KnownCertificate, KnownItem
from gateway.documents import CertificateOfOrigin, CustomsResponse, Purpose, UtilisationStatus
from gateway.errors import ConflictError, InvalidDocumentError, NotFoundError
from gateway.register import endings, reexport
from gateway.register.attempts import tell_serial_reused
from gateway.register.carriage import Carriage, new_certificate
from gateway.register.contents import content_digest
from gateway.register.delivered import record_delivery
from gateway.register.findings import Problem, finding
from gateway.register.issuing import ReceivedResponse
from gateway.register.issuing import apply_response as record_response_received
from gateway.register.states import ImportEvent, ImportState, IssueState, advance
from gateway.register.validity import expire_overdue, make_available, reopen, tell_available
from gateway.store import certificates, journal, peers, utilisation
from gateway.store.rows import CertificateRow, ResponseRow
from gateway.store.states import DeliveryRole, ResponseStanding, Side

__all__ = [
    "Carriage",
    "ReceivedResponse",
    "expire_overdue",
    "known",
    "make_available",
    "record_delivery",
    "record_issued",
    "record_received",
    "record_response_received",
    "record_response_sent",
    "reopen",
]


def record_issued(conn: Connection, coo: CertificateOfOrigin, carriage: Carriage) -> CertificateRow:
    """Register a certificate issued here, or the cancellation or replacement of one.

    A cancellation returns the certificate it cancels.  The same certificate sent to a further
    peer only adds a delivery.

    Raises:
        InvalidDocumentError: V84 serial taken, V66 re-export balance, ALREADY_USED, or the
            certificate to be cancelled is unknown; nothing was written.
    """
    if coo.purpose is Purpose.CANCELLATION:
        return endings.ask_cancel(conn, coo, carriage)
    present = _same_serial(conn, Side.ISSUED, coo, carriage)
    if present is not None:
        _deliver(conn, present, carriage)
        return present
    replaced = endings.replaceable(conn, coo)
    original = reexport.original_of(conn, coo)
    drawn = () if original is None else _shares(conn, coo, original)
    stored = _insert(conn, Side.ISSUED, coo, carriage, IssueState.ISSUED)
    _deliver(conn, stored, carriage)
    if original is not None:
        serial = coo.serial_number
        reexport.enter(conn, original, drawn, reference=serial, at=carriage.at)
    if replaced is not None:
        endings.ask_replace(conn, replaced, stored, carriage)
    return stored


def record_received(
    conn: Connection, coo: CertificateOfOrigin, carriage: Carriage, *, available: bool = True
) -> CertificateRow:
    """Register a certificate received from a peer, or carry out its cancellation.

    Args:
        available: customs may use it at once; False leaves it RECEIVED for an officer.

    Raises:
        InvalidDocumentError: V84 serial taken, V76 not the issuer, ALREADY_USED; nothing was
            written but the alarm.
    """
    if coo.purpose is Purpose.CANCELLATION:
        return endings.cancel_received(conn, coo, carriage)
    present = _same_serial(conn, Side.RECEIVED, coo, carriage)
    if present is not None:
        return present
    replaced = endings.replaceable_received(conn, coo, carriage)
    state = advance(ImportState.RECEIVED, ImportEvent.MAKE_AVAILABLE)
    stored = _insert(
        conn, Side.RECEIVED, coo, carriage, state if available else ImportState.RECEIVED
    )
    if replaced is not None:
        endings.replace_received(conn, replaced, stored, carriage)
    if available:
        before = replace(stored, state=ImportState.RECEIVED)
        tell_available(conn, before, stored, at=carriage.at)
    return stored


def record_response_sent(
    conn: Connection,
    response: CustomsResponse,
    *,
    payload: bytes,
    message_id: str,
    at: datetime,
) -> ResponseRow:
    """Attach the signed customs response to the decision it was drawn from.

    Raises:
        NotFoundError: nothing was drawn under that certificate and sequence number.
        ConflictError: the document does not say what was drawn, or another one is attached.
    """
    named = response.certificate
    country, serial = named.issuing_country, named.serial_number
    certificate = certificates.reserve(conn, Side.RECEIVED, country, serial)
    found = (
        ()
        if certificate is None
        else utilisation.at_sequence(conn, certificate.id, response.sequence_number)
    )
    if not found:
        raise NotFoundError(f"no response {response.sequence_number} to {serial} was drawn")
    drawn = found[0]
    _require_drawn(drawn, response)
    if drawn.standing is ResponseStanding.SENT:
        if drawn.message_id != message_id:
            raise ConflictError(f"response {response.sequence_number} to {serial} was sent before")
        return drawn
    stored = utilisation.attach_document(
        conn,
        drawn,
        response_number=response.response_number,
        message_id=message_id,
        payload=payload,
        officer=response.officer.identifier,
    )
    detail = {"sequence": stored.sequence_number, "status": stored.status, "message": message_id}
    action = journal.Action.RESPONSE_SENT
    journal.append(conn, at=at, action=action, subject=serial, detail=detail)
    return stored


def known(
    conn: Connection,
    issuing_country: str,
    serial: str,
    *,
    side: Side,
    document: CertificateOfOrigin | None = None,
) -> KnownCertificate | None:
    """Return a certificate as the business rules want to know it, None if it is not known.

    Args:
        document: what is being judged, to be compared with what is registered.
    """
    row = certificates.find(conn, side, issuing_country, serial)
    if row is None:
        return None
    sender = None if side is Side.ISSUED or row.peer_id is None else peers.get(conn, row.peer_id)
    return KnownCertificate(
        serial_number=row.serial_number,
        issuing_country=row.issuing_country,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        destination_country=row.destination_country,
        state=row.state.value,
        content_sha256=row.payload_sha256,
        same_content=document is not None and content_digest(document) == row.content_sha256,
        items=_known_items(conn, row),
        last_sequence=row.last_sequence,
        received_from_country=None if sender is None else sender.country,
        open_grounds=_open_grounds(conn, row),
    )


def _known_items(conn: Connection, row: CertificateRow) -> tuple[KnownItem, ...]:
    return tuple(
        KnownItem(
            number=item.number,
            unit=item.unit,
            certified=item.certified,
            used=item.used,
            reexported=item.reexported,
            hs_code=item.hs_code,
            country_of_origin=item.country_of_origin,
        )
        for item in certificates.items(conn, row.id)
    )


def _open_grounds(conn: Connection, row: CertificateRow) -> tuple[str, ...]:
    if row.reported_status not in (UtilisationStatus.UNDER_QUERY, UtilisationStatus.PENDING):
        return ()
    newest = utilisation.newest(conn, row.id)
    return () if newest is None else newest.reasons


def _same_serial(
    conn: Connection, side: Side, coo: CertificateOfOrigin, carriage: Carriage
) -> CertificateRow | None:
    """Return the certificate if it is registered already, with the very same content.

    Raises:
        InvalidDocumentError: V84, the serial is registered with other content.
    """
    present = certificates.reserve(conn, side, coo.exporting_country, coo.serial_number)
    if present is None or present.content_sha256 == content_digest(coo):
        return present
    tell_serial_reused(conn, present, coo, message_id=carriage.message_id, at=carriage.at)
    problem = finding(Problem.SERIAL_REUSED, "serial_number", serial=coo.serial_number)
    raise InvalidDocumentError(problem.message.en, findings=[problem])


def _insert(
    conn: Connection,
    side: Side,
    coo: CertificateOfOrigin,
    carriage: Carriage,
    state: IssueState | ImportState,
) -> CertificateRow:
    stored = certificates.register(conn, new_certificate(coo, carriage, side=side, state=state))
    if stored is None:
        raise ConflictError(f"the serial number {coo.serial_number} was registered meanwhile")
    issued = side is Side.ISSUED
    action = journal.Action
    journal.append(
        conn,
        at=carriage.at,
        action=action.CERTIFICATE_ISSUED if issued else action.CERTIFICATE_RECEIVED,
        subject=stored.serial_number,
        detail={"message_id": carriage.message_id, "payload_sha256": stored.payload_sha256},
    )
    return stored


def _shares(
    conn: Connection, coo: CertificateOfOrigin, original: CertificateRow
) -> tuple[reexport.Share, ...]:
    return reexport.shares(coo, original, certificates.items(conn, original.id))


def _deliver(conn: Connection, certificate: CertificateRow, carriage: Carriage) -> None:
    if carriage.peer_id is not None:
        certificates.add_delivery(
            conn,
            certificate,
            peer_id=carriage.peer_id,
            message_id=carriage.message_id,
            role=DeliveryRole.DOCUMENT,
            at=carriage.at,
        )


def _require_drawn(drawn: ResponseRow, response: CustomsResponse) -> None:
    stated = {item.number: item.cumulative.value for item in response.items}
    ours = {item.number: item.cumulative for item in drawn.items}
    if (drawn.status, ours) != (response.status, stated):
        raise ConflictError(
            f"response {response.sequence_number} to {response.certificate.serial_number} "
            "does not say what was drawn"
        )
