"""The JSON values of the commands: which members an answer has, whatever the tables look like.

Programs rely on these names; docs/command-forms.md describes them and a test compares both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.exchange.history import CertificateHistory
from gateway.exchange.waiting import Wait
from gateway.register.guides import guide
from gateway.store import Arrival, Dispatch, Peer, PeerCredential, PeerCrl, Sighting

Names = Mapping[int, str]
"""Identifiers of peers by their keys in the store."""


def peer_view(peer: Peer) -> dict[str, Any]:
    """Return what is said of a peer."""
    return {
        "identifier": peer.identifier,
        "name": peer.name,
        "country": peer.country,
        "state": peer.state,
        "test": peer.test,
        "channel": peer.channel,
        "url": peer.url,
        "soap_version": peer.soap_version,
        "document_types": peer.document_types,
        "algorithms": peer.algorithms,
        "revocation": peer.revocation,
        "live_from": peer.live_from,
        "collect": peer.collect,
        "registered_at": peer.created_at,
    }


def credential_view(credential: PeerCredential) -> dict[str, Any]:
    """Return what is said of one registered X.509 certificate of a peer."""
    return {
        "use": credential.use,
        "role": credential.role,
        "authority_code": credential.authority_code,
        "fingerprint": credential.fingerprint,
        "valid_from": credential.valid_from,
        "valid_until": credential.valid_until,
        "pem": credential.pem,
    }


def sighting_view(seen: Sighting | None) -> dict[str, Any] | None:
    """Return what a peer's gateway said of itself last, None before it was asked."""
    if seen is None:
        return None
    return {"at": seen.seen_at, "software": seen.software, "versions": seen.versions}


def crl_view(crl: PeerCrl) -> dict[str, Any]:
    """Return what is said of one revocation list of a peer's CA."""
    return {
        "issuer": crl.issuer,
        "this_update": crl.this_update,
        "next_update": crl.next_update,
    }


def dispatch_view(row: Dispatch, names: Names) -> dict[str, Any]:
    """Return what is said of a message sent."""
    return {
        "message_id": row.message_id,
        "peer": names.get(row.peer_id),
        "document_type": row.document_type,
        "document_number": row.document_number,
        "conversation_id": row.conversation_id,
        "test": row.test,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "verdict": row.verdict,
        "code": row.code,
        "detail": row.detail,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "envelope_sha256": row.envelope_sha256,
        "payload_sha256": row.payload_sha256,
    }


def wait_view(wait: Wait | None, language: str) -> dict[str, Any]:
    """Return why a message waits, all empty where it does not."""
    if wait is None:
        return dict.fromkeys(("owner", "why", "next_step", "next_at", "deadline"))
    return {
        "owner": wait.owner,
        "why": wait.reason.in_language(language),
        "next_step": wait.next_step.in_language(language),
        "next_at": wait.next_at,
        "deadline": wait.deadline,
    }


def dead_letter_view(
    row: Dispatch, names: Names, wait: Wait | None, now: datetime
) -> dict[str, Any]:
    """Return what is said of a message that waits for a person, reason and remedy included."""
    return dispatch_view(row, names) | {
        "age_hours": round((now - row.created_at).total_seconds() / 3600, 1),
        "owner": None if wait is None else wait.owner,
        "why": None if wait is None else wait.reason,
        "remedy": None if wait is None else wait.next_step,
    }


def arrival_view(row: Arrival, names: Names) -> dict[str, Any]:
    """Return what is said of a message received."""
    return {
        "message_id": row.message_id,
        "peer": names.get(row.peer_id),
        "document_type": row.document_type,
        "document_number": row.document_number,
        "conversation_id": row.conversation_id,
        "test": row.test,
        "verdict": row.verdict,
        "code": row.code,
        "received_at": row.received_at,
        "repeats": row.repeats,
        "envelope_sha256": row.envelope_sha256,
        "payload_sha256": row.payload_sha256,
    }


def history_view(history: CertificateHistory, names: Names) -> dict[str, Any]:
    """Return what is said of one certificate of origin and what became of it."""
    row = history.certificate
    return {
        "serial_number": row.serial_number,
        "issuing_country": row.issuing_country,
        "destination_country": row.destination_country,
        "side": row.side,
        "agreement": row.agreement,
        "kind": row.kind,
        "test": row.test,
        "state": row.state,
        "state_since": row.state_since,
        "waits_for": _waits_for(history),
        "issued_on": row.issued_on,
        "valid_until": row.valid_until,
        "authority_code": row.authority_code,
        "exporter": row.exporter_name,
        "consignee": row.consignee_name,
        "customs_status": row.reported_status,
        "last_response": row.last_sequence,
        "missing_responses": row.missing_responses,
        "contradicted": row.contradicted,
        "over_used": row.over_used,
        "replaced_by": row.replaced_by,
        "conversation_id": row.conversation_id,
        "message_id": row.message_id,
        "payload_sha256": row.payload_sha256,
        "items": _items(history),
        "deliveries": _deliveries(history, names),
        "responses": _responses(history),
        "steps": [
            {"at": step.at, "what": step.what, "detail": step.detail} for step in history.steps
        ],
    }


def _waits_for(history: CertificateHistory) -> dict[str, Any] | None:
    row = history.certificate
    found = guide(row.state)
    if found is None:
        return None
    return {
        "owner": found.owner,
        "deadline": found.deadline(row.state_since, row.valid_until),
        "reason": found.reason,
        "next_step": found.next_step,
    }


def _items(history: CertificateHistory) -> list[dict[str, Any]]:
    return [
        {
            "number": item.number,
            "hs_code": item.hs_code,
            "country_of_origin": item.country_of_origin,
            "description": item.description,
            "unit": item.unit,
            "certified": item.certified,
            "used": item.used,
            "reexported": item.reexported,
            "remaining": item.remaining,
        }
        for item in history.items
    ]


def _deliveries(history: CertificateHistory, names: Names) -> list[dict[str, Any]]:
    return [
        {
            "peer": names.get(delivery.peer_id),
            "message_id": delivery.message_id,
            "role": delivery.role,
            "state": delivery.state,
            "code": delivery.code,
            "updated_at": delivery.updated_at,
        }
        for delivery in history.deliveries
    ]


def _responses(history: CertificateHistory) -> list[dict[str, Any]]:
    return [
        {
            "sequence_number": response.sequence_number,
            "response_number": response.response_number,
            "status": response.status,
            "standing": response.standing,
            "reference": response.reference_key,
            "declaration_number": response.declaration_number,
            "officer": response.officer,
            "reasons": response.reasons,
            "items": response.items,
            "decided_at": response.decided_at,
            "stored_at": response.stored_at,
            "message_id": response.message_id,
        }
        for response in history.responses
    ]


def names_of(found: Iterable[Peer]) -> dict[int, str]:
    """Return the identifiers of peers by key."""
    return {peer.id: peer.identifier for peer in found}
