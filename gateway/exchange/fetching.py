"""Collect mode, the collector's side: fetch what waits for us at a peer, accept it, confirm.

No state lives here: whoever is killed between two lines has lost nothing.  What was fetched and
not accepted waits at the peer again after its lease; what was accepted and not confirmed is
fetched again, answered with the same receipt, and confirmed then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from gateway.documents import Verdict
from gateway.errors import (
    ConflictError,
    GatewayError,
    PeerFaultError,
    PeerSuspendedError,
)
from gateway.exchange.context import Desk
from gateway.exchange.inbound import Carrier, accept_from
from gateway.store import Peer, PeerChannel, peers, tasks
from gateway.transport import (
    CollectTransport,
    Decline,
    PeerEndpoint,
    WaitingEnvelope,
    plain_text,
)

log = structlog.get_logger(__name__)

PERIOD: Final = timedelta(minutes=1)
"""How often the workers look at each peer that we fetch from."""

_BATCH: Final = 20
_MOST_BATCHES: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Fetches messages for one desk.

    Attributes:
        name: names the worker that takes turns; unique among running workers.
        endpoint_of: where and with which credentials a peer is reached.
    """

    name: str
    desk: Desk
    transport: CollectTransport
    endpoint_of: Callable[[Peer], PeerEndpoint]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Is what became of one message that waited for us.

    Attributes:
        verdict: what we answered, where the message could be taken.
        code: why it could not be taken, or not be confirmed.
    """

    message_id: str
    verdict: Verdict | None
    code: str | None = None


def collect_due(collector: Collector) -> int:
    """Return how many messages were fetched from the peers that we collect from.

    Each peer's turn comes once per period over all workers; a peer that cannot be reached
    keeps no other waiting.
    """
    with collector.desk.store.read() as conn:
        wanted = [peer for peer in peers.every(conn) if peer.collect and not peer.is_suspended]
    return sum(_take_turn(collector, peer) for peer in wanted)


def collect_from(collector: Collector, peer: Peer) -> tuple[Fetched, ...]:
    """Return what became of every message that waited for us at ``peer``.

    Raises:
        ConflictError: the peer is one that cannot be called.
        PeerSuspendedError: exchange with it rests.
        TransportError: the peer gave no usable answer; what came before is settled.
    """
    if peer.channel is PeerChannel.COLLECT:
        raise ConflictError(f"{peer.identifier} cannot be called; it collects from us")
    if peer.is_suspended:
        raise PeerSuspendedError(f"the peer {peer.identifier} is suspended")
    endpoint = collector.endpoint_of(peer)
    seen: dict[str, Fetched] = {}
    for _ in range(_MOST_BATCHES):
        batch = collector.transport.collect(endpoint, _BATCH).messages
        fresh = [waiting for waiting in batch if waiting.message_id not in seen]
        if not fresh:
            break
        for waiting in fresh:
            seen[waiting.message_id] = _settle(collector, peer, endpoint, waiting)
    return tuple(seen.values())


def _take_turn(collector: Collector, peer: Peer) -> int:
    desk, task = collector.desk, f"collect {peer.identifier}"[:70]
    with desk.store.begin() as conn:
        turn = tasks.claim(conn, task, collector.name, desk.clock(), period=PERIOD)
    if turn is None:
        return 0
    error: str | None = None
    fetched: tuple[Fetched, ...] = ()
    try:
        fetched = collect_from(collector, peer)
    except GatewayError as exc:
        error = exc.code
        log.warning("collection failed", peer=peer.identifier, code=exc.code)
    with desk.store.begin() as conn:
        tasks.end(conn, turn, at=desk.clock(), error=error)
    return len(fetched)


def _settle(
    collector: Collector, peer: Peer, endpoint: PeerEndpoint, waiting: WaitingEnvelope
) -> Fetched:
    """Accept one message and confirm it; a fault concerns this message alone.

    Raises:
        TransportError: the way to the peer is gone.
    """
    message_id, verdict, code = waiting.message_id, None, None
    try:
        receipt = accept_from(collector.desk, waiting.envelope, Carrier(peer=peer))
    except GatewayError as exc:
        code = exc.code
        _decline(collector, endpoint, message_id, exc)
    else:
        try:
            verdict = collector.transport.confirm(endpoint, message_id, receipt).verdict
        except PeerFaultError as exc:
            code = exc.peer_code
    log.info("message fetched", message_id=message_id, peer=peer.identifier, code=code)
    return Fetched(message_id=message_id, verdict=verdict, code=code)


def _decline(
    collector: Collector, endpoint: PeerEndpoint, message_id: str, error: GatewayError
) -> None:
    """Tell the holder why; one that does not know this call sees a lease run out instead."""
    why = Decline(code=error.code, detail=plain_text(error.detail), retryable=error.retryable)
    try:
        collector.transport.decline(endpoint, message_id, why)
    except PeerFaultError as exc:
        log.warning("fault not reported", message_id=message_id, code=exc.peer_code)
