"""Certificates, decisions and responses that the register's tests start from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.documents import (
    CertificateKind,
    CertificateOfOrigin,
    CustomsResponse,
    Purpose,
    UtilisationStatus,
)
from gateway.documents.base import Quantity
from gateway.documents.certificate_of_origin import OriginalCertificate, ReplacedCertificate
from gateway.documents.customs_response import CertificateReference, Declaration, UtilisedItem
from gateway.documents.parties import DocumentReference
from gateway.register import register
from gateway.register.ledger import CustomsDecision, DrawnItem, ReceivedResponse, UsePolicy
from gateway.store import Peer, PeerChannel, PeerProfile, Store, peers
from tests.factories import certificate, customs_response, goods_item

NOW = datetime(2026, 3, 20, 8, 0, tzinfo=UTC)
SERIAL = "ZM-20260309-000123"
PARTIAL, FULL = UtilisationStatus.PARTIAL, UtilisationStatus.FULL
MANY = UsePolicy(partial=True)
ONCE = UsePolicy(partial=False)
_numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    """Return NOW plus some seconds."""
    return NOW + timedelta(seconds=seconds)


def add_peer(store: Store, identifier: str = "ZM-GW") -> Peer:
    """Register a peer and return it."""
    profile = PeerProfile(
        identifier=identifier,
        country=identifier[:2],
        name=identifier,
        channel=PeerChannel.REST,
        url="https://peer.example",
    )
    with store.begin() as conn:
        return peers.add(conn, profile, at=NOW, actor="user:test")


def kilograms(value: int | str) -> Quantity:
    """Return a mass."""
    return Quantity(value=Decimal(value), unit="KGM")


def coo(quantities: Mapping[int, int] | None = None, **changes: Any) -> CertificateOfOrigin:
    """Return the certificate of the factories with items of these masses."""
    items = tuple(
        goods_item(number, quantity=kilograms(quantity))
        for number, quantity in (quantities or {1: 12_000}).items()
    )
    return certificate(items=items, **changes)


def cancellation(**changes: Any) -> CertificateOfOrigin:
    """Return the message that cancels ``coo()``."""
    return coo(purpose=Purpose.CANCELLATION, cancellation_reason="The exporter asked.", **changes)


def replacement(serial: str = "ZM-20260321-000200", **changes: Any) -> CertificateOfOrigin:
    """Return a certificate that replaces ``coo()``."""
    old = ReplacedCertificate(
        serial_number=SERIAL, issued_on=coo().issued_at.date(), reason="The consignee was wrong."
    )
    return coo(purpose=Purpose.REPLACEMENT, serial_number=serial, replaces=old, **changes)


def reexport_of(serial: str, quantity: int, number: int = 1) -> CertificateOfOrigin:
    """Return a re-export certificate of Kenya on ``coo()``."""
    original = OriginalCertificate(
        serial_number=SERIAL,
        issued_on=coo().issued_at.date(),
        country="ZM",
        import_declaration=DocumentReference(number="KE2026NMG0099881"),
    )
    return certificate(
        serial_number=serial,
        kind=CertificateKind.REEXPORT,
        exporting_country="KE",
        destination_country="UG",
        original_certificate=original,
        items=(goods_item(number, quantity=kilograms(quantity)),),
    )


def carriage(peer: Peer | None, **changes: Any) -> register.Carriage:
    """Return the way a document travels; ids are new each time."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "payload": b"<signed/>",
        "message_id": f"urn:uuid:r{number}",
        "conversation_id": "conversation-1",
        "peer_id": None if peer is None else peer.id,
        "at": NOW,
    }
    return register.Carriage(**(values | changes))


def decision(
    status: UtilisationStatus = PARTIAL, drawn: Mapping[int, int] | None = None, **changes: Any
) -> CustomsDecision:
    """Return a decision of customs on ``coo()``; references are new each time."""
    values: dict[str, Any] = {
        "issuing_country": "ZM",
        "serial_number": SERIAL,
        "status": status,
        "reference": f"KE2026NMG-{next(_numbers)}",
        "decided_at": NOW,
        "items": tuple(
            DrawnItem(number=number, quantity=kilograms(quantity))
            for number, quantity in (drawn or {}).items()
        ),
        "officer": "KE-KRA-O-112",
    }
    return CustomsDecision(**(values | changes))


def response(
    sequence: int,
    cumulative: Mapping[int, int | str] | None = None,
    *,
    status: UtilisationStatus = PARTIAL,
    number: str | None = None,
    **changes: Any,
) -> CustomsResponse:
    """Return the customs response with this sequence number and these totals."""
    items = tuple(
        UtilisedItem(number=item, quantity=kilograms(0), cumulative=kilograms(total))
        for item, total in (cumulative or {}).items()
    )
    return customs_response(
        sequence_number=sequence,
        response_number=number or f"KE-RES-{sequence}",
        status=status,
        items=items,
        certificate=CertificateReference(
            serial_number=SERIAL, issued_on=coo().issued_at.date(), issuing_country="ZM"
        ),
        declaration=Declaration(number=f"KE-{sequence}", declared_on=NOW.date()),
        **changes,
    )


def received(document: CustomsResponse, peer: Peer, **changes: Any) -> ReceivedResponse:
    """Return a response as it comes out of the inbound pipeline."""
    values: dict[str, Any] = {
        "document": document,
        "payload": f"<signed>{next(_numbers)}</signed>".encode(),
        "message_id": f"urn:uuid:a{next(_numbers)}",
        "peer_id": peer.id,
        "at": NOW,
    }
    return ReceivedResponse(**(values | changes))
