"""Collect mode, the holder's side: a peer that cannot be called fetches and confirms.

What is handed out is only lent: until the peer's signed receipt is in our books the message is
not delivered, and after its lease it waits again.  The same stored bytes are handed out each
time, and the receiver repeats its receipt, so that nothing is lost or taken twice at any line.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.envelope import USUAL_ENVELOPE_BYTES
from gateway.errors import ConflictError, GatewayError, NotFoundError, PeerFaultError
from gateway.exchange.context import Desk
from gateway.exchange.proof import record_proof
from gateway.exchange.retry import RetryPolicy
from gateway.register import register
from gateway.store import (
    AttemptOutcome,
    Claim,
    DeliveryState,
    Peer,
    bodies,
    collecting,
    outbox,
)
from gateway.transport import Collected, Confirmed, Decline, Declined, WaitingEnvelope, plain_text

LEASE: Final = timedelta(minutes=5)
"""How long a collector has for accepting and confirming one batch."""

USUAL_LIMIT: Final = 20
HIGHEST_LIMIT: Final = 100
MOST_BYTES: Final = USUAL_ENVELOPE_BYTES
"""Bound of the envelopes of one answer together: what fits into one SOAP message."""


def hand_out(desk: Desk, peer: Peer, limit: int | None = None) -> Collected:
    """Return the most urgent messages that wait for ``peer``, leased to it.

    Of each conversation only the first open message is handed out; the next one follows when
    that is confirmed.
    """
    with desk.store.begin() as conn:
        claims = collecting.hand_out(
            conn,
            peer,
            desk.clock(),
            lease=LEASE,
            limit=min(limit or USUAL_LIMIT, HIGHEST_LIMIT),
            max_bytes=MOST_BYTES,
        )
        waiting = [_lent(desk, conn, claim) for claim in claims]
    return Collected(messages=tuple(each for each in waiting if each is not None))


def confirm(desk: Desk, peer: Peer, message_id: str, receipt: bytes) -> Confirmed:
    """Return what is recorded after ``peer`` handed in its receipt for a message.

    The same receipt again changes nothing; one that comes after the lease, or after somebody
    gave the message up, counts all the same.

    Raises:
        NotFoundError: no such message was sent to this peer.
        ReceiptError: the receipt proves nothing; nothing was changed.
    """
    verdict, _ = record_proof(desk, peer, message_id, receipt, actor=collecting.taker(peer))
    return Confirmed(message_id=message_id, verdict=verdict)


def decline(desk: Desk, peer: Peer, message_id: str, why: Decline, retry: RetryPolicy) -> Declined:
    """Return what follows when ``peer`` cannot take a message that was handed out to it.

    Its word is not signed and decides nothing.  It ends the peer's turn like a fault that a
    worker's call is answered with: the message waits, and our operator sees why.

    Raises:
        NotFoundError: no such message was sent to this peer.
        ConflictError: the peer does not hold the message (any more).
    """
    fault = PeerFaultError(
        f"{why.code}: {plain_text(why.detail) or 'no detail'}",
        peer_code=why.code,
        peer_retryable=why.retryable,
    )
    with desk.store.begin() as conn:
        dispatch = outbox.dispatch(conn, message_id)
        if dispatch is None or dispatch.peer_id != peer.id:
            raise NotFoundError(f"no message {message_id} was sent to {peer.identifier}")
        claim = collecting.held_by(conn, peer, dispatch)
        if claim is None:
            raise ConflictError(f"{peer.identifier} does not hold {message_id}")
        outcome = _outcome(claim, fault, retry, desk.clock())
        outbox.record_attempt(conn, claim, outcome)
        register.record_delivery(conn, claim, outcome)
    return Declined(message_id=message_id, waits_until=outcome.due_at)


def _outcome(
    claim: Claim, fault: PeerFaultError, retry: RetryPolicy, now: datetime
) -> AttemptOutcome:
    # A collector comes when it can: a message is not given up because it waited long for it.
    due_at = retry.next_attempt(since=now, now=now, attempt=claim.attempt, error=fault)
    return AttemptOutcome(
        state=DeliveryState.FAILED if due_at is None else DeliveryState.RETRYING,
        ended_at=now,
        due_at=due_at,
        code=fault.peer_code,
        detail=fault.detail,
    )


def _lent(desk: Desk, conn: Connection, claim: Claim) -> WaitingEnvelope | None:
    """Return what is handed out; of bytes that were changed in the database, nothing.

    Such a message waits for a person and keeps no other from being handed out.
    """
    try:
        envelope = bodies.checked(claim.envelope, claim.envelope_sha256)
    except GatewayError as exc:
        outcome = AttemptOutcome(
            state=DeliveryState.FAILED, ended_at=desk.clock(), code=exc.code, detail=exc.detail
        )
        outbox.record_attempt(conn, claim, outcome)
        register.record_delivery(conn, claim, outcome)
        return None
    return WaitingEnvelope(
        message_id=claim.message_id, envelope=envelope, lease_until=claim.lease_until
    )
