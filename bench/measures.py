"""Every measure there is, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from bench import (
    archive,
    exchange,
    floors,
    harness,
    items,
    peers,
    raw,
    rooms,
    scaling,
    trips,
    wire_limit,
)
from bench.contestants import as2, side_by_side

GROUPS = (
    raw.SIGNATURES,
    raw.XML,
    raw.COMMITS,
    wire_limit.BARE_WIRE,
    floors.FLOORS,
    rooms.DOCUMENTS,
    rooms.TRUST,
    rooms.ENVELOPES,
    side_by_side.SIGNING,
    side_by_side.VERIFYING,
    side_by_side.VALIDATING,
    side_by_side.EXCHANGING,
    exchange.PIPELINES,
    scaling.SCALING,
    items.ITEMS,
    archive.ARCHIVE,
    peers.PEERS,
    trips.WIRE,
    trips.TRIPS,
    as2.WHOLE,
)


def chosen(words: Sequence[str] = ()) -> list[harness.Measure]:
    """Return the measures that ``words`` name (or all) with those they are compared with."""
    found = harness.with_limits(harness.registered(words))
    return sorted(found, key=lambda each: GROUPS.index(each.group))
