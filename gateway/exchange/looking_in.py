"""Looking in on peers: each is asked now and then who it is, what it runs and what it announces.

Only peers to whom the way is open are asked; where it is not, delivery probes the way itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from gateway.errors import GatewayError
from gateway.exchange.context import Desk
from gateway.exchange.sighting import note_answer
from gateway.store import Peer, PeerChannel, measures, peers, tasks
from gateway.transport import PeerEndpoint, Transport

log = structlog.get_logger(__name__)

LOOK_IN: Final = "look-in"
LOOK_IN_PERIOD: Final = timedelta(minutes=10)


def look_in(
    desk: Desk,
    endpoint_of: Callable[[Peer], PeerEndpoint],
    transport: Transport,
    worker: str,
) -> int:
    """Return how many peers answered, if it was this worker's turn to ask them.

    The first turn comes a whole period after the first start.
    """
    now = desk.clock()
    with desk.store.begin() as conn:
        turn = tasks.claim(conn, LOOK_IN, worker, now, period=LOOK_IN_PERIOD, first=LOOK_IN_PERIOD)
    if turn is None:
        return 0
    with desk.store.read() as conn:
        lanes = measures.every_lane(conn)
        asked = [each for each in peers.every(conn) if _is_asked(each, lanes[each.id].failures)]
    answered = sum(_answers(desk, each, endpoint_of, transport) for each in asked)
    with desk.store.begin() as conn:
        tasks.end(conn, turn, at=desk.clock())
    return answered


def _is_asked(peer: Peer, failures: int) -> bool:
    return not peer.is_suspended and peer.channel is not PeerChannel.COLLECT and failures == 0


def _answers(
    desk: Desk, peer: Peer, endpoint_of: Callable[[Peer], PeerEndpoint], transport: Transport
) -> bool:
    try:
        return note_answer(desk, peer, transport.ping(endpoint_of(peer)))
    except GatewayError as exc:
        log.info("a peer was asked and did not answer", peer=peer.identifier, code=exc.code)
        return False
