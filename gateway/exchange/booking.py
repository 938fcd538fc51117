"""Booking a prepared message: queued, registered and journalled in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.agreements import RegisterFacts
from gateway.documents import (
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    Finding,
    document_number_of,
)
from gateway.envelope import Header
from gateway.exchange.context import Desk
from gateway.register import register
from gateway.store import NewDispatch, Peer, journal, outbox
from gateway.xml.national import FormatMark


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Is a message ready to be queued.

    Attributes:
        payload: the signed document, byte for byte as it will be archived and sent.
        envelope: the signed envelope around it.
        findings: warnings and queries that did not stop it.
    """

    document: Document
    header: Header
    peer: Peer
    payload: bytes
    envelope: bytes
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Seen:
    """Is all that the books say about a submission; while it is the same, so is the answer."""

    peer: Peer | None
    earlier: str | None
    known: RegisterFacts


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """Is a document judged and signed while nobody waited.

    Attributes:
        seen: what the books said then.
        prepared: None where it was submitted before.
    """

    document: Document
    signed: bytes | None
    mapping: FormatMark | None
    seen: Seen
    prepared: Prepared | None


def book(desk: Desk, conn: Connection, prepared: Prepared, mapping: FormatMark | None) -> str:
    """Return the message id of what was queued, registered and journalled.

    Args:
        mapping: the mapping file of the national format that it was read with, if any.
    """
    dispatch = outbox.enqueue(conn, _new_dispatch(desk, prepared))
    _register(conn, prepared)
    if mapping is not None:
        journal.append(
            conn,
            at=prepared.header.created_at,
            action=journal.Action.DOCUMENT_MAPPED,
            subject=document_number_of(prepared.document),
            detail={
                "message_id": dispatch.message_id,
                "mapping": mapping.name,
                "version": mapping.version,
                "sha256": mapping.sha256,
            },
        )
    return dispatch.message_id


def _new_dispatch(desk: Desk, prepared: Prepared) -> NewDispatch:
    header = prepared.header
    return NewDispatch(
        message_id=header.message_id,
        peer_id=prepared.peer.id,
        document_type=header.document_type,
        document_number=document_number_of(prepared.document),
        conversation_id=header.conversation_id,
        refers_to=header.refers_to,
        envelope=prepared.envelope,
        payload=prepared.payload,
        created_at=header.created_at,
        test=header.test,
        head_start=desk.priorities.head_start(prepared.document),
    )


def _register(conn: Connection, prepared: Prepared) -> None:
    document, header = prepared.document, prepared.header
    if isinstance(document, CertificateOfOrigin):
        carriage = register.Carriage(
            payload=prepared.payload,
            message_id=header.message_id,
            conversation_id=header.conversation_id,
            peer_id=prepared.peer.id,
            at=header.created_at,
        )
        register.record_issued(conn, document, carriage)
    elif isinstance(document, CustomsResponse):
        register.record_response_sent(
            conn,
            document,
            payload=prepared.payload,
            message_id=header.message_id,
            at=header.created_at,
        )
