"""Delivery of queued messages: claim, send outside any transaction, record.

No state lives here: a worker may be killed at any line.  A claim whose lease runs out is
claimed again, the same stored bytes are sent again, and the receiver answers with the same
receipt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from gateway.documents import Acknowledgement, Verdict
from gateway.errors import (
    ConflictError,
    GatewayError,
    PeerFaultError,
    TimedOutError,
    TlsError,
    UnreachableError,
)
from gateway.exchange.context import Desk
from gateway.exchange.receipts import check_receipt
from gateway.exchange.retry import RetryPolicy
from gateway.register import register
from gateway.store import AttemptOutcome, Claim, DeliveryState, Peer, outbox, peers
from gateway.transport import PeerEndpoint, Transport

log = structlog.get_logger(__name__)

_WAY_IS_BLOCKED = (UnreachableError, TimedOutError, TlsError)
"""Failures of the way itself: nothing else needs to try it for a while."""

FIRST_PARKING = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Delivers due messages for one desk.

    Attributes:
        name: names the worker in claims; unique among running workers.
        endpoint_of: where and with which credentials a peer is reached.
        batch: claims taken at a time.
    """

    name: str
    desk: Desk
    transport: Transport
    endpoint_of: Callable[[Peer], PeerEndpoint]
    retry: RetryPolicy
    lease_seconds: int
    batch: int


def deliver_due(worker: Worker) -> int:
    """Return how many due messages were claimed and tried."""
    desk = worker.desk
    with desk.store.begin() as conn:
        claims = outbox.claim_due(
            conn,
            worker=worker.name,
            now=desk.clock(),
            lease_seconds=worker.lease_seconds,
            limit=worker.batch,
        )
    for claim in claims:
        deliver(worker, claim)
    return len(claims)


def deliver(worker: Worker, claim: Claim) -> DeliveryState:
    """Return the state in which one attempt leaves the claimed dispatch.

    1. Send the stored bytes, outside any transaction.
    2. Verify the receipt: the peer signed it, for this message, for these bytes.
    3. Record the outcome; a claim that was lost meanwhile records nothing.
    """
    desk = worker.desk
    with desk.store.read() as conn:
        peer = peers.get(conn, claim.peer_id)
        trust = desk.trust_cache.of(conn, peer)
    try:
        raw = worker.transport.send(worker.endpoint_of(peer), claim.envelope)  # 1
        acknowledgement = check_receipt(  # 2
            desk,
            raw,
            trust,
            sender=peer.identifier,
            message_id=claim.message_id,
            sha256=claim.envelope_sha256,
            now=desk.clock(),
        )
    except GatewayError as exc:
        outcome = _failure(worker, claim, exc)
    else:
        outcome = _success(desk, raw, acknowledgement)
    _record(worker, peer, claim, outcome)  # 3
    return outcome.state


def _success(desk: Desk, receipt: bytes, acknowledgement: Acknowledgement) -> AttemptOutcome:
    refused = acknowledgement.verdict is Verdict.REFUSED
    return AttemptOutcome(
        state=DeliveryState.REFUSED if refused else DeliveryState.DELIVERED,
        ended_at=desk.clock(),
        code=acknowledgement.code,
        detail="; ".join(f"{f.rule} {f.path}" for f in acknowledgement.findings)[:1000] or None,
        receipt=receipt,
        verdict=acknowledgement.verdict,
    )


def _failure(worker: Worker, claim: Claim, error: GatewayError) -> AttemptOutcome:
    now = worker.desk.clock()
    due_at = worker.retry.next_attempt(
        created_at=claim.created_at, now=now, attempt=claim.attempt, error=error
    )
    blocked = isinstance(error, _WAY_IS_BLOCKED)
    return AttemptOutcome(
        state=DeliveryState.FAILED if due_at is None else DeliveryState.RETRYING,
        ended_at=now,
        due_at=due_at,
        code=error.peer_code if isinstance(error, PeerFaultError) else error.code,
        detail=error.detail[:1000],
        park_until=now + FIRST_PARKING if blocked else None,
    )


def _record(worker: Worker, peer: Peer, claim: Claim, outcome: AttemptOutcome) -> None:
    desk = worker.desk
    try:
        with desk.store.begin() as conn:
            outbox.record_attempt(conn, claim, outcome)
            register.record_delivery(conn, claim, outcome)
    except ConflictError:
        log.warning("claim lost", message_id=claim.message_id, worker=worker.name)
        return
    log.info(
        "attempt recorded",
        message_id=claim.message_id,
        conversation_id=claim.conversation_id,
        peer=peer.identifier,
        state=outcome.state.value,
        code=outcome.code,
        attempt=claim.attempt,
    )
