"""The overview: how the gateway is, at a cost that does not grow with its archive.

Numbers come from partial indexes over what is open, from counters kept by hour and from the
rows of the peers, of which there are as many as states.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.operations.expiry import Dated, every_dated
from gateway.operations.home_checks import stuck_minutes
from gateway.services.operating.desk import OperatingDesk
from gateway.store import (
    AlertLevel,
    DeliveryState,
    Lane,
    Outage,
    Peer,
    QueueCount,
    alerts,
    hourly,
    journal,
    measures,
    outages,
    peers,
    tallies,
    watch_marks,
)
from gateway.store.hourly import Flow, HourlyCount

HOURS: Final = 24


@dataclass(frozen=True, kw_only=True)
class HourOfFlow:
    """Is what went and came in the hour that began at ``hour``."""

    hour: datetime
    counts: Mapping[Flow, int]


@dataclass(frozen=True, kw_only=True)
class PeerHealth:
    """Is how the exchange with one peer goes.

    Attributes:
        oldest_at: since when the longest waiting message waits.
        today: what went and came since midnight UTC.
        hours: the same for each of the last hours.
    """

    peer: Peer
    lane: Lane
    outage: Outage | None
    waiting: int
    oldest_at: datetime | None
    dead: int
    today: Mapping[Flow, int]
    hours: tuple[HourOfFlow, ...]

    def is_parked(self, now: datetime) -> bool:
        """Return whether the breaker keeps the way closed."""
        return self.lane.parked_until is not None and self.lane.parked_until > now


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Is how a gateway is at one moment.

    Attributes:
        states: open messages by state.
        counted_at: up to when the counters by hour were brought, None before the first time.
        next_end: what ends next of all with an end date, ours or a peer's.
        clock_behind: seconds by which our clock is behind the newest entry of the journal.
        stuck_minutes: for so long messages were due and no worker took one.
    """

    at: datetime
    peers: tuple[PeerHealth, ...]
    states: Mapping[DeliveryState, int]
    oldest_at: datetime | None
    alerts: Mapping[AlertLevel, int]
    today: Mapping[Flow, int]
    hours: tuple[HourOfFlow, ...]
    counted_at: datetime | None
    next_end: Dated | None
    clock_behind: float
    stuck_minutes: float
    journal_fault: str | None

    @property
    def waiting(self) -> int:
        """How many messages are not at their end."""
        return sum(self.states.values())

    @property
    def dead(self) -> int:
        """How many messages wait for a person."""
        return sum(each.dead for each in self.peers)

    @property
    def lasting(self) -> int:
        """How many peers cannot be reached now."""
        return sum(each.outage is not None for each in self.peers)


def overview(desk: OperatingDesk) -> Overview:
    """Return how the gateway is now."""
    now = desk.now()
    with desk.desk.store.read() as conn:
        queue = measures.queue(conn)
        counts = hourly.since(conn, _first_hour(now))
        mark = watch_marks.find(conn, tallies.MARK)
        return Overview(
            at=now,
            peers=_peers(conn, queue, counts, now),
            states=_by_state(queue),
            oldest_at=min((each.oldest_at for each in queue), default=None),
            alerts=alerts.count_live(conn),
            today=_today(counts, now),
            hours=_hours(counts, now),
            counted_at=None if mark is None else mark.noted_at,
            next_end=next_end(desk, conn, now),
            clock_behind=clock_behind(conn, now),
            stuck_minutes=stuck_minutes(conn, now),
            journal_fault=journal_fault(conn),
        )


def peer_health(conn: Connection, peer: Peer, now: datetime) -> PeerHealth:
    """Return how the exchange with one peer goes."""
    counts = hourly.since(conn, _first_hour(now))
    found = _peers(conn, measures.queue(conn), counts, now)
    return next(each for each in found if each.peer.id == peer.id)


def next_end(desk: OperatingDesk, conn: Connection, now: datetime) -> Dated | None:
    """Return what ends next, or has ended and was not replaced; None if nothing has an end."""
    dated = [each for each in every_dated(desk.premises, conn, now) if each.ends_at is not None]
    return min(dated, key=lambda each: each.ends_at or now, default=None)


def clock_behind(conn: Connection, now: datetime) -> float:
    """Return by how many seconds our clock is behind the newest entry of the journal."""
    newest = journal.page(conn, limit=1)
    return max(0.0, (newest[0].at - now).total_seconds()) if newest else 0.0


def journal_fault(conn: Connection) -> str | None:
    """Return what the watch found wrong with the journal's chain, None while it holds."""
    marks = (watch_marks.find(conn, name) for name in ("journal", "journal again"))
    return next((mark.fault for mark in marks if mark is not None and mark.fault), None)


def _first_hour(now: datetime) -> datetime:
    """Return the beginning of the earliest hour shown; midnight is never left out."""
    this = now.replace(minute=0, second=0, microsecond=0)
    return min(this - timedelta(hours=HOURS - 1), this.replace(hour=0))


def _peers(
    conn: Connection, queue: Sequence[QueueCount], counts: Sequence[HourlyCount], now: datetime
) -> tuple[PeerHealth, ...]:
    lanes, dead = measures.every_lane(conn), measures.dead_letters(conn)
    lasting = {each.peer_id: each for each in outages.still_open(conn)}
    waiting: Counter[int] = Counter()
    oldest: dict[int, datetime] = {}
    for each in queue:
        waiting[each.peer_id] += each.count
        oldest[each.peer_id] = min(oldest.get(each.peer_id, each.oldest_at), each.oldest_at)
    by_peer: dict[str, list[HourlyCount]] = defaultdict(list)
    for count in counts:
        by_peer[count.peer].append(count)
    return tuple(
        PeerHealth(
            peer=peer,
            lane=lanes[peer.id],
            outage=lasting.get(peer.id),
            waiting=waiting[peer.id],
            oldest_at=oldest.get(peer.id),
            dead=dead.get(peer.id, 0),
            today=_today(by_peer[peer.identifier], now),
            hours=_hours(by_peer[peer.identifier], now),
        )
        for peer in peers.every(conn)
    )


def _by_state(queue: Sequence[QueueCount]) -> Mapping[DeliveryState, int]:
    states: Counter[DeliveryState] = Counter()
    for each in queue:
        states[each.state] += each.count
    return states


def _today(counts: Sequence[HourlyCount], now: datetime) -> Mapping[Flow, int]:
    sums: Counter[Flow] = Counter()
    for each in counts:
        if each.hour.date() == now.date():
            sums[each.flow] += each.count
    return sums


def _hours(counts: Sequence[HourlyCount], now: datetime) -> tuple[HourOfFlow, ...]:
    sums: dict[datetime, Counter[Flow]] = defaultdict(Counter)
    for each in counts:
        sums[each.hour][each.flow] += each.count
    this = now.replace(minute=0, second=0, microsecond=0)
    wanted = [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    return tuple(HourOfFlow(hour=hour, counts=sums[hour]) for hour in wanted)
