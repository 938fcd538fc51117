"""What goes with an event where it is handed over whole: the signed document, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.documents import DocumentType, Finding
from gateway.errors import GatewayError, NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.receipts import receipt_findings
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import Event, EventKind, Side, bodies, certificates, inbox, journal, outbox
from gateway.xml.parsing import parse


class EnclosureKind(StrEnum):
    """Names the document that goes with an event."""

    CERTIFICATE = "certificate"
    RESPONSE = "response"


_TYPES: Final = {
    EnclosureKind.CERTIFICATE: DocumentType.CERTIFICATE_OF_ORIGIN,
    EnclosureKind.RESPONSE: DocumentType.CUSTOMS_RESPONSE,
}


@dataclass(frozen=True, kw_only=True)
class Enclosure:
    """Is a document that goes with an event.

    Attributes:
        signed: the bytes as they were signed and received.
        canonical: what they say, in canonical JSON; None where this version cannot read them.
        viewed: it is a certificate that another state issued, so that handing it over is a view.
    """

    kind: EnclosureKind
    signed: bytes
    canonical: bytes | None
    viewed: bool


def enclosure_of(counter: Counter, caller: Caller, event: Event) -> Enclosure | None:
    """Return the document that ``event`` tells of, None where it tells of none that is here."""
    caller.require(Scope.EVENTS)
    with counter.desk.store.read() as conn:
        if event.kind is EventKind.CERTIFICATE_AVAILABLE:
            return _certificate(counter.desk, conn, caller, event)
        if event.kind is EventKind.RESPONSE_RECEIVED:
            return _response(counter.desk, conn, event)
    return None


def findings_of(counter: Counter, event: Event) -> tuple[Finding, ...]:
    """Return what the peer found in a document of ours that ``event`` says it refused."""
    message_id = event.data.get("message_id")
    if event.kind is not EventKind.MESSAGE_REFUSED or not isinstance(message_id, str):
        return ()
    with counter.desk.store.read() as conn:
        sent = outbox.dispatch(conn, message_id)
        return () if sent is None else receipt_findings(counter.desk, conn, sent)


def note_handed_over(conn: Connection, counter: Counter, caller: Caller, subject: str) -> None:
    """Write into the journal that a certificate of another state was handed over."""
    journal.append(
        conn,
        at=counter.desk.clock(),
        actor=caller.actor,
        action=journal.Action.DOCUMENT_VIEWED,
        subject=subject,
        detail={
            "organisation": caller.organisation.code,
            "certificates": 1,
            "purpose": "handed over as files",
        },
    )


def _certificate(desk: Desk, conn: Connection, caller: Caller, event: Event) -> Enclosure | None:
    if event.certificate_id is None:
        return None
    row = certificates.get(conn, event.certificate_id)
    if not caller.may_see(row) or Scope.READ not in caller.scopes:
        return None
    viewed = row.side is Side.RECEIVED
    return _enclosure(desk, conn, row.payload_sha256, EnclosureKind.CERTIFICATE, viewed=viewed)


def _response(desk: Desk, conn: Connection, event: Event) -> Enclosure | None:
    message_id = event.data.get("message_id")
    received = inbox.find_by_message(conn, message_id) if isinstance(message_id, str) else ()
    for arrival in received:
        of_kind = arrival.document_type is DocumentType.CUSTOMS_RESPONSE
        if of_kind and arrival.payload_sha256 is not None:
            sha256 = arrival.payload_sha256
            return _enclosure(desk, conn, sha256, EnclosureKind.RESPONSE, viewed=False)
    return None


def _enclosure(
    desk: Desk, conn: Connection, sha256: str, kind: EnclosureKind, *, viewed: bool
) -> Enclosure | None:
    try:
        raw = bodies.get(conn, sha256)
    except NotFoundError:  # erased when its retention ended
        return None
    try:
        document = desk.tables[_TYPES[kind]].read(parse(raw))
    except GatewayError:  # kept as it came; this version's tables may not read it
        return Enclosure(kind=kind, signed=raw, canonical=None, viewed=viewed)
    canonical = document.model_dump_json(exclude_none=True).encode()
    return Enclosure(kind=kind, signed=raw, canonical=canonical, viewed=viewed)
