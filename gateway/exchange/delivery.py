"""Delivery of queued messages: claim, send outside any transaction, record.

No state lives here: a worker may be killed at any line.  A claim whose lease runs out is
claimed again, the same stored bytes are sent again, and the receiver answers with the same
receipt.  Whatever goes wrong with one message, of ours or of a library, is the outcome of that
attempt and never stops the others.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from gateway.errors import ConflictError, GatewayError, InternalError, PeerFaultError
from gateway.exchange.context import Desk
from gateway.exchange.proof import outcome_of, record_late
from gateway.exchange.receipts import check_receipt
from gateway.exchange.retry import RetryPolicy
from gateway.register import register
from gateway.store import AttemptOutcome, Claim, DeliveryState, Peer, bodies, outbox, peers
from gateway.transport import PeerEndpoint, Transport
from gateway.trust import PeerTrust

log = structlog.get_logger(__name__)


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
        try:
            deliver(worker, claim)
        except Exception as exc:  # noqa: BLE001 - the others must not wait for this one
            _own_fault(exc, claim)  # its lease runs out, and the same bytes are sent again
    return len(claims)


def deliver(worker: Worker, claim: Claim) -> DeliveryState:
    """Return the state in which one attempt leaves the claimed dispatch.

    1. Renew the lease if those before this claim used most of it; a lost claim ends here.
    2. Send the stored bytes, outside any transaction.
    3. Verify the receipt: the peer signed it, for this message, for these bytes.
    4. Record the outcome; a claim that was lost meanwhile records its receipt and nothing else.

    Raises:
        GatewayError: the outcome cannot be recorded now.
    """
    with structlog.contextvars.bound_contextvars(
        message_id=claim.message_id, conversation_id=claim.conversation_id
    ):
        if not _renewed(worker, claim):  # 1
            return DeliveryState.SENDING
        outcome = _attempt(worker, claim)  # 2, 3
        _record(worker, claim, outcome)  # 4
        return outcome.state


def _renewed(worker: Worker, claim: Claim) -> bool:
    desk, lease = worker.desk, claim.lease_until - claim.claimed_at
    now = desk.clock()
    if now - claim.claimed_at < lease / 2:
        return True
    try:
        with desk.store.begin() as conn:
            outbox.renew(conn, claim, now + lease)
    except ConflictError:
        log.warning("claim lost", message_id=claim.message_id, worker=worker.name)
        return False
    return True


def _attempt(worker: Worker, claim: Claim) -> AttemptOutcome:
    """Return how the attempt ended, whatever was raised in it."""
    failures = 0
    try:
        bodies.checked(claim.envelope, claim.envelope_sha256)
    except GatewayError as exc:
        return _failure(worker, claim, exc, give_up=True)
    try:
        with worker.desk.store.read() as conn:
            peer = peers.get(conn, claim.peer_id)
            failures = peers.lane(conn, claim.peer_id).failures
            trust = worker.desk.trust_cache.of(conn, peer)
        return _sent(worker, claim, peer, trust)
    except GatewayError as exc:
        return _failure(worker, claim, exc, failures)
    except Exception as exc:  # noqa: BLE001 - a library's exception of any kind ends the attempt
        return _failure(worker, claim, _own_fault(exc, claim), failures)


def _sent(worker: Worker, claim: Claim, peer: Peer, trust: PeerTrust) -> AttemptOutcome:
    desk = worker.desk
    receipt = worker.transport.send(worker.endpoint_of(peer), claim.envelope)
    acknowledgement = check_receipt(
        desk,
        receipt,
        trust,
        sender=peer.identifier,
        message_id=claim.message_id,
        sha256=claim.envelope_sha256,
        now=desk.clock(),
    )
    outcome = outcome_of(desk, receipt, acknowledgement)
    return replace(outcome, resumes=worker.retry.table.resuming_codes)


def _failure(
    worker: Worker,
    claim: Claim,
    error: GatewayError,
    failures: int = 0,
    *,
    give_up: bool = False,
) -> AttemptOutcome:
    """Return the outcome of a failed attempt.

    Args:
        failures: attempts at this peer that failed before, since the last success.
        give_up: a person must look at once; waiting would mend nothing.
    """
    now = worker.desk.clock()
    due_at = worker.retry.next_attempt(
        since=_tried_since(worker, claim), now=now, attempt=claim.attempt, error=error
    )
    if give_up:
        due_at = None
    return AttemptOutcome(
        state=DeliveryState.FAILED if due_at is None else DeliveryState.RETRYING,
        ended_at=now,
        due_at=due_at,
        code=error.peer_code if isinstance(error, PeerFaultError) else error.code,
        detail=error.detail[:1000],
        park_until=worker.retry.parked_until(now, failures, error),
        probe_at=worker.retry.probe_at(now, error),
    )


def _tried_since(worker: Worker, claim: Claim) -> datetime:
    try:
        with worker.desk.store.read() as conn:
            return outbox.tried_since(conn, claim)
    except GatewayError:  # books that do not answer now are no reason to give a message up
        return claim.claimed_at


def _own_fault(error: Exception, claim: Claim) -> InternalError:
    """Log what should not have been raised, by type and place only, and return it as ours."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    kind = type(error).__name__
    log.error(
        "attempt broke",
        message_id=claim.message_id,
        error=kind,
        at=[f"{frame.name}:{frame.lineno}" for frame in place],
    )
    return InternalError(f"the attempt broke off with {kind}")


def _record(worker: Worker, claim: Claim, outcome: AttemptOutcome) -> None:
    """Record the outcome; if the books cannot take it, that this attempt failed.

    Raises:
        GatewayError: not even that can be recorded now.
    """
    try:
        _write(worker, claim, outcome)
    except Exception as exc:  # noqa: BLE001 - an attempt without outcome would be repeated for ever
        if not _holds(worker, claim):
            _record_lost(worker, claim, outcome)
            return
        error = exc if isinstance(exc, GatewayError) else _own_fault(exc, claim)
        _write(worker, claim, _failure(worker, claim, error))


def _record_lost(worker: Worker, claim: Claim, outcome: AttemptOutcome) -> None:
    """Let a receipt count that came after the claim was lost; a failure then means nothing."""
    standing = None
    if outcome.receipt is not None:
        actor = f"worker:{worker.name}"
        standing = record_late(worker.desk, claim.message_id, outcome, actor=actor)
    log.warning(
        "claim lost", message_id=claim.message_id, worker=worker.name, receipt_counts=standing
    )


def _holds(worker: Worker, claim: Claim) -> bool:
    with worker.desk.store.read() as conn:
        now = outbox.dispatch(conn, claim.message_id)
    return now is not None and (now.state, now.fence) == (DeliveryState.SENDING, claim.fence)


def _write(worker: Worker, claim: Claim, outcome: AttemptOutcome) -> None:
    def book(conn: Connection) -> None:
        outbox.record_attempt(conn, claim, outcome)
        register.record_delivery(conn, claim, outcome)

    worker.desk.store.together(book)
    log.info(
        "attempt recorded",
        message_id=claim.message_id,
        conversation_id=claim.conversation_id,
        peer_id=claim.peer_id,
        state=outcome.state.value,
        code=outcome.code,
        attempt=claim.attempt,
    )
