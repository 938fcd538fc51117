"""Recording a receipt that came otherwise than as the answer to a call of ours.

Collected messages and bundles bring receipts back by ways of their own.  They are checked like
the answer of a call and end in the same books: outbox, register, journal and feed, at once.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.documents import Acknowledgement, Verdict
from gateway.errors import NotFoundError
from gateway.exchange.context import Desk
from gateway.exchange.receipts import check_receipt
from gateway.register import register
from gateway.store import (
    AttemptOutcome,
    DeliveryState,
    Dispatch,
    Peer,
    collecting,
    outbox,
    verdicts,
)
from gateway.store.verdicts import Standing


def record_proof(
    desk: Desk, peer: Peer, message_id: str, receipt: bytes, *, actor: str
) -> tuple[Verdict, Standing]:
    """Return the verdict that holds and what ``receipt`` counted for, after recording it.

    1. The message was sent to this peer.
    2. The receipt is the peer's, for this message and these bytes (``check_receipt``).
    3. Under a claim of the peer it ends that attempt; else it decides what was undecided.

    Raises:
        NotFoundError: no such message was sent to this peer.
        ReceiptError: the receipt proves nothing; nothing was changed.
    """
    with desk.store.read() as conn:
        dispatch = outbox.dispatch(conn, message_id)
        if dispatch is None or dispatch.peer_id != peer.id:
            raise NotFoundError(f"no message {message_id} was sent to {peer.identifier}")  # 1
        trust = desk.trust_cache.of(conn, peer)
    acknowledgement = check_receipt(  # 2
        desk,
        receipt,
        trust,
        sender=peer.identifier,
        message_id=message_id,
        sha256=dispatch.envelope_sha256,
        now=desk.clock(),
    )
    outcome = outcome_of(desk, receipt, acknowledgement)
    with desk.store.begin() as conn:
        standing, decided = _record(conn, peer, dispatch, outcome, actor)  # 3
    return decided or acknowledgement.verdict, standing


def record_late(desk: Desk, message_id: str, outcome: AttemptOutcome, *, actor: str) -> Standing:
    """Return what a checked receipt counts for that was brought by who holds no claim any more.

    The receipt is proof, whoever brings it: it decides unless another one has decided before.

    Args:
        outcome: the end of the delivery that the receipt proves.
    """
    with desk.store.begin() as conn:
        stored, standing = verdicts.record(conn, message_id, outcome, actor=actor)
        if standing is Standing.DECIDES:
            register.record_delivery(conn, stored, outcome)
    return standing


def outcome_of(desk: Desk, receipt: bytes, acknowledgement: Acknowledgement) -> AttemptOutcome:
    """Return the end of a delivery that a checked receipt proves."""
    refused = acknowledgement.verdict is Verdict.REFUSED
    return AttemptOutcome(
        state=DeliveryState.REFUSED if refused else DeliveryState.DELIVERED,
        ended_at=desk.clock(),
        code=acknowledgement.code,
        detail="; ".join(f"{f.rule} {f.path}" for f in acknowledgement.findings)[:1000] or None,
        receipt=receipt,
        verdict=acknowledgement.verdict,
    )


def _record(
    conn: Connection, peer: Peer, dispatch: Dispatch, outcome: AttemptOutcome, actor: str
) -> tuple[Standing, Verdict | None]:
    claim = collecting.held_by(conn, peer, dispatch)
    if claim is not None:
        outbox.record_attempt(conn, claim, outcome)
        register.record_delivery(conn, claim, outcome)
        return Standing.DECIDES, outcome.verdict
    stored, standing = verdicts.record(conn, dispatch.message_id, outcome, actor=actor)
    if standing is Standing.DECIDES:
        register.record_delivery(conn, stored, outcome)
    return standing, stored.verdict
