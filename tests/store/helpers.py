"""Small records that the store's tests start from."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.documents import DocumentType, Verdict
from gateway.store import (
    AttemptOutcome,
    CredentialUse,
    DeliveryState,
    NewArrival,
    NewCredential,
    NewDispatch,
    Peer,
    PeerChannel,
    PeerProfile,
    Store,
    peers,
)

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    """Return NOW plus some seconds."""
    return NOW + timedelta(seconds=seconds)


def profile(identifier: str = "KE-GW", **changes: Any) -> PeerProfile:
    """Return a peer profile; keyword arguments replace fields."""
    values: dict[str, Any] = {
        "identifier": identifier,
        "country": identifier[:2],
        "name": f"Gateway {identifier}",
        "channel": PeerChannel.REST,
        "url": "https://peer.example/rest/v1",
    }
    return PeerProfile(**(values | changes))


def add_peer(store: Store, identifier: str = "KE-GW", **changes: Any) -> Peer:
    """Register a peer and return it."""
    with store.begin() as conn:
        return peers.add(conn, profile(identifier, **changes), at=NOW, actor="user:test")


def credential(**changes: Any) -> NewCredential:
    """Return a TLS registration; keyword arguments replace fields."""
    values: dict[str, Any] = {
        "use": CredentialUse.TLS,
        "pem": "-----BEGIN CERTIFICATE-----",
        "fingerprint": "ab" * 32,
        "country": "KE",
    }
    return NewCredential(**(values | changes))


def new_dispatch(peer_id: int, **changes: Any) -> NewDispatch:
    """Return a message to be queued; ids and bytes are new each time."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "message_id": f"urn:uuid:{number}",
        "peer_id": peer_id,
        "document_type": DocumentType.CERTIFICATE_OF_ORIGIN,
        "document_number": f"ZM-20260309-{number:06}",
        "conversation_id": f"conversation-{number}",
        "envelope": f"<envelope>{number}</envelope>".encode(),
        "payload": f"<document>{number}</document>".encode(),
        "created_at": NOW,
    }
    return NewDispatch(**(values | changes))


def new_arrival(peer_id: int, **changes: Any) -> NewArrival:
    """Return a message that arrived; ids and bytes are new each time."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "peer_id": peer_id,
        "message_id": f"urn:uuid:{number}",
        "document_type": DocumentType.CERTIFICATE_OF_ORIGIN,
        "document_number": f"ZM-20260309-{number:06}",
        "conversation_id": f"conversation-{number}",
        "envelope": f"<envelope>{number}</envelope>".encode(),
        "payload": f"<document>{number}</document>".encode(),
        "receipt": f"<receipt>{number}</receipt>".encode(),
        "verdict": Verdict.ACCEPTED,
        "received_at": NOW,
    }
    return NewArrival(**(values | changes))


def delivered(**changes: Any) -> AttemptOutcome:
    """Return the outcome of a successful attempt."""
    values: dict[str, Any] = {
        "state": DeliveryState.DELIVERED,
        "ended_at": after(1),
        "receipt": b"<receipt/>",
        "verdict": Verdict.ACCEPTED,
        "http_status": 200,
    }
    return AttemptOutcome(**(values | changes))


def retrying(seconds: float = 30, **changes: Any) -> AttemptOutcome:
    """Return the outcome of an attempt that found nobody."""
    values: dict[str, Any] = {
        "state": DeliveryState.RETRYING,
        "ended_at": after(1),
        "due_at": after(seconds),
        "code": "UNREACHABLE",
    }
    return AttemptOutcome(**(values | changes))


def take(conn: Connection, worker: str = "worker-1", now: datetime = NOW, **changes: Any) -> Any:
    """Claim what is due with the tests' usual lease."""
    from gateway.store import outbox

    values: dict[str, Any] = {"lease_seconds": 60, "limit": 10, "per_peer": 1}
    return outbox.claim_due(conn, worker, now, **(values | changes))
