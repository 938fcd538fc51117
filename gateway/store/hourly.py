"""What went and came by peer and hour, for the last days: what the operator's plots show.

Counted beside the other tallies from the journal, under names that hold the day, so that a day
is read and forgotten as one range of the key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, select

from gateway.store.tables import tallies as table
from gateway.store.types import canonical_json

PREFIX: Final = "hourly "
KEPT: Final = timedelta(days=3)
NOBODY: Final = ""
"""Stands for the peer of arrivals whose sender could not be proved."""


class Flow(StrEnum):
    """Names what is counted.

    Attributes:
        FAILED: an attempt that ended without a receipt.
        CAME: a message that was taken.
        REFUSED_HERE: a message that we refused with a receipt.
        TURNED_AWAY: a call that got a fault and no receipt.
    """

    QUEUED = "QUEUED"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    CAME = "CAME"
    REFUSED_HERE = "REFUSED_HERE"
    TURNED_AWAY = "TURNED_AWAY"


@dataclass(frozen=True, kw_only=True)
class HourlyCount:
    """Is how often something happened with one peer within the hour that began at ``hour``."""

    hour: datetime
    peer: str
    flow: Flow
    count: int


def key(at: datetime, flow: Flow, peer: str = NOBODY) -> tuple[str, str]:
    """Return name and labels of the counter for something that happened ``at``."""
    labels = {"flow": flow.value, "hour": at.hour, "peer": peer}
    return f"{PREFIX}{at:%Y-%m-%d}", canonical_json(labels)


def since(conn: Connection, moment: datetime) -> tuple[HourlyCount, ...]:
    """Return the counts of the hours that began at ``moment`` or later, the earliest first."""
    named = table.c.name >= f"{PREFIX}{moment:%Y-%m-%d}"
    query = select(table).where(named, table.c.name.like(f"{PREFIX}%"))
    found = [_count(row.name, row.labels, row.value) for row in conn.execute(query)]
    return tuple(
        sorted(
            (each for each in found if each.hour >= moment),
            key=lambda each: (each.hour, each.peer, each.flow),
        )
    )


def forget(conn: Connection, now: datetime) -> int:
    """Delete the counts of days that no plot shows any more; return how many there were."""
    old = table.c.name < f"{PREFIX}{now - KEPT:%Y-%m-%d}"
    return conn.execute(delete(table).where(old, table.c.name.like(f"{PREFIX}%"))).rowcount


def _count(name: str, labels: str, value: int) -> HourlyCount:
    day = datetime.strptime(name.removeprefix(PREFIX), "%Y-%m-%d").replace(tzinfo=UTC)
    said = json.loads(labels)
    return HourlyCount(
        hour=day + timedelta(hours=said["hour"]),
        peer=said["peer"],
        flow=Flow(said["flow"]),
        count=value,
    )
