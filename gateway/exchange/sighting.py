"""Noting that a peer was seen: a ping that it answered opens its lane and ends its outage."""

from __future__ import annotations

from typing import Final

from gateway.exchange.context import Desk
from gateway.exchange.maintenance import take_note
from gateway.store import Peer, Sighting, outages, sightings
from gateway.transport import PingAnswer

MOST_VERSIONS: Final = 200
"""More are not kept of what a peer states; a gateway has a dozen."""


def note_answer(desk: Desk, peer: Peer, answer: PingAnswer) -> bool:
    """Return whether ``answer`` is the peer's, after noting in that case that it was reached.

    Raises:
        BusyError: the books cannot be written now.
    """
    if (answer.identifier, answer.country) != (peer.identifier, peer.country):
        return False
    now = desk.clock()
    sighting = Sighting(
        peer_id=peer.id,
        seen_at=now,
        software=answer.software_version,
        versions=answer.versions[:MOST_VERSIONS],
    )
    with desk.store.begin() as conn:
        sightings.note(conn, sighting)
        take_note(conn, peer, answer.maintenance or (), at=now)
        outages.reached(conn, peer.id, at=now)
    return True
