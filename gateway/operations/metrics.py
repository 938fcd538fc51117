"""Prometheus metrics, gathered from the store at each scrape, for any number of processes.

Nothing is kept in memory: a scrape of any process tells about the whole gateway.  Every query
behind it is bounded (``gateway.store.measures``, ``gateway.store.tallies``).
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.metrics_core import Metric as Family
from sqlalchemy import Connection

from gateway import __version__
from gateway.errors import GatewayError
from gateway.operations.expiry import DatedUse, every_dated
from gateway.operations.home_checks import stuck_minutes
from gateway.operations.metric_names import METRICS, MetricKind
from gateway.operations.premises import Premises
from gateway.store import (
    AlertLevel,
    Peer,
    alerts,
    events,
    journal,
    measures,
    notices,
    outages,
    peers,
    tallies,
    tasks,
    watch_marks,
)

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_1_0_0
WINDOW: Final = timedelta(hours=1)
_QUANTILES: Final = (0.5, 0.9, 0.99)
_STALE: Final = timedelta(seconds=15)

Sample = tuple[tuple[str, ...], float]


def scrape(premises: Premises) -> bytes:
    """Return every metric of this gateway in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(premises))
    return generate_latest(registry)


class _Collector:
    """Gathers once per scrape; prometheus-client asks it."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def collect(self) -> Iterator[Family]:
        """Yield every family; without the database only what can be told without it."""
        began = time.monotonic()
        found = [_simple("eco_build_info", [((__version__,), 1)]), *_disks(self._premises)]
        try:
            found += _from_store(self._premises)
            up = 1
        except GatewayError as exc:
            log.warning("metrics incomplete", code=exc.code)
            up = 0
        yield from found
        yield _simple("eco_database_up", [((), up)])
        yield _simple("eco_scrape_seconds", [((), time.monotonic() - began)])


def _simple(name: str, samples: Iterable[Sample]) -> Family:
    metric = METRICS[name]
    family: GaugeMetricFamily | CounterMetricFamily
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _disks(premises: Premises) -> Iterator[Family]:
    usages = {}
    for name, path in premises.folders.items():
        usages[name] = shutil.disk_usage(path if path.exists() else path.parent)
    yield _simple("eco_disk_free_bytes", [((name,), use.free) for name, use in usages.items()])
    ratios = [((name,), use.free / use.total) for name, use in usages.items()]
    yield _simple("eco_disk_free_ratio", ratios)


def _from_store(premises: Premises) -> list[Family]:
    store, now = premises.desk.store, premises.desk.clock()
    with store.read() as conn:
        mark = watch_marks.find(conn, tallies.MARK)
    if mark is None or mark.noted_at is None or now - mark.noted_at > _STALE:
        with store.begin() as conn:  # no worker counts at present; count what is new ourselves
            tallies.fold(conn, at=now)
    with store.read() as conn:
        known = {peer.id: peer for peer in peers.every(conn)}
        return [
            *_queue(conn, known, now),
            *_ways(conn, known, now),
            *_recent(conn, known, now),
            *_counters(conn),
            *_dates(premises, conn, now),
            *_books(conn),
        ]


def _queue(conn: Connection, known: Mapping[int, Peer], now: datetime) -> Iterator[Family]:
    counts = measures.queue(conn)
    oldest: dict[str, float] = {peer.identifier: 0.0 for peer in known.values()}
    for each in counts:
        name = known[each.peer_id].identifier
        oldest[name] = max(oldest[name], (now - each.oldest_at).total_seconds())
    yield _simple(
        "eco_outbox_messages",
        [((known[c.peer_id].identifier, c.state.value), c.count) for c in counts],
    )
    yield _simple("eco_outbox_oldest_seconds", [((name,), age) for name, age in oldest.items()])
    yield _simple("eco_outbox_overdue_seconds", [((), 60 * stuck_minutes(conn, now))])
    dead = measures.dead_letters(conn)
    yield _simple(
        "eco_dead_letters", [((p.identifier,), dead.get(p.id, 0)) for p in known.values()]
    )


def _ways(conn: Connection, known: Mapping[int, Peer], now: datetime) -> Iterator[Family]:
    lanes = [(known[peer_id], lane) for peer_id, lane in measures.every_lane(conn).items()]
    lasting = {outage.peer_id: outage for outage in outages.still_open(conn)}
    active = [((peer.identifier,), float(not peer.is_suspended)) for peer in known.values()]
    yield _simple("eco_peer_active", active)
    failures = [((peer.identifier,), float(lane.failures)) for peer, lane in lanes]
    yield _simple("eco_lane_failures", failures)
    parked = [
        ((peer.identifier,), float(lane.parked_until is not None and lane.parked_until > now))
        for peer, lane in lanes
    ]
    yield _simple("eco_lane_parked", parked)
    last = [
        ((peer.identifier,), lane.last_success_at.timestamp())
        for peer, lane in lanes
        if lane.last_success_at is not None
    ]
    yield _simple("eco_peer_last_success_timestamp_seconds", last)
    seconds = [
        (
            (peer.identifier,),
            lasting[peer.id].lasted(now).total_seconds() if peer.id in lasting else 0.0,
        )
        for peer in known.values()
    ]
    yield _simple("eco_outage_seconds", seconds)


def _recent(conn: Connection, known: Mapping[int, Peer], now: datetime) -> Iterator[Family]:
    answered: dict[str, list[float]] = defaultdict(list)
    failed: Counter[str] = Counter()
    for attempt in measures.newest_attempts(conn, since=now - WINDOW):
        name = known[attempt.peer_id].identifier
        failed[name] += not attempt.answered
        if attempt.answered:
            answered[name].append(attempt.seconds)
    outcomes: list[Sample] = []
    for name, failures in failed.items():
        receipts = len(answered.get(name, ()))
        outcomes += [((name, "receipt"), receipts), ((name, "failure"), failures)]
    yield _simple("eco_recent_attempts", outcomes)
    quantiles = [
        ((name, str(share)), quantile(times, share))
        for name, times in ((name, sorted(times)) for name, times in answered.items())
        for share in _QUANTILES
    ]
    yield _simple("eco_peer_answer_seconds", quantiles)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the ordered values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_COUNTERS: Final = {
    "queued": "eco_messages_queued",
    "attempts": "eco_attempts",
    "verdicts": "eco_verdicts",
    "arrivals": "eco_arrivals",
    "arrivals_repeated": "eco_arrivals_repeated",
    "turned_away": "eco_arrivals_turned_away",
    "certificates": "eco_certificates_of_origin",
}


def _counters(conn: Connection) -> Iterator[Family]:
    counted: dict[str, list[Sample]] = {name: [] for name in _COUNTERS.values()}
    buckets: dict[str, dict[str, int]] = defaultdict(dict)
    milliseconds: dict[str, int] = {}
    for name, labels, value in tallies.every(conn):
        if name == "delivery_bucket":
            buckets[labels["peer"]][labels["le"]] = value
        elif name == "delivery_milliseconds":
            milliseconds[labels["peer"]] = value
        elif name in _COUNTERS:
            metric = METRICS[_COUNTERS[name]]
            ordered = tuple(labels.get(label, "") for label in metric.labels)
            counted[metric.name].append((ordered, value))
    for name, samples in counted.items():
        yield _simple(name, samples)
    yield _histogram(buckets, milliseconds)


def _histogram(buckets: Mapping[str, Mapping[str, int]], milliseconds: Mapping[str, int]) -> Family:
    metric = METRICS["eco_delivery_seconds"]
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    bounds = [f"{bound:g}" for bound in tallies.LATENCY_BOUNDS] + ["+Inf"]
    for peer, counts in buckets.items():
        total, cumulative = 0, []
        for bound in bounds:
            total += counts.get(bound, 0)
            cumulative.append((bound, total))
        family.add_metric((peer,), cumulative, milliseconds.get(peer, 0) / 1000)
    return family


def _dates(premises: Premises, conn: Connection, now: datetime) -> Iterator[Family]:
    days: list[Sample] = []
    due: list[Sample] = []
    age: list[Sample] = []
    for each in every_dated(premises, conn, now):
        left = each.days_left(now)
        if each.use is DatedUse.CRL:
            age.append(((each.owner, each.name), each.days_old(now)))
            due += [] if left is None else [((each.owner, each.name), left)]
        elif left is not None:
            days.append(((each.owner, each.use.value, each.name, each.fingerprint), left))
    yield _simple("eco_x509_days_left", days)
    yield _simple("eco_crl_days_left", due)
    yield _simple("eco_crl_age_days", age)


def _books(conn: Connection) -> Iterator[Family]:
    entries, _ = journal.head(conn)
    verified = watch_marks.find(conn, "journal")
    again = watch_marks.find(conn, "journal again")
    counted = watch_marks.find(conn, tallies.MARK)
    faults = [mark for mark in (verified, again) if mark is not None and mark.fault]
    levels = alerts.count_live(conn)
    yield _simple("eco_journal_entries", [((), entries)])
    yield _simple("eco_journal_verified_entries", [((), verified.position if verified else 0)])
    yield _simple("eco_journal_intact", [((), float(not faults))])
    yield _simple("eco_tally_lag_entries", [((), entries - (counted.position if counted else 0))])
    yield _simple("eco_events_cursor", [((), events.last_cursor(conn))])
    yield _simple("eco_alerts_open", [((level.value,), levels.get(level, 0)) for level in _LEVELS])
    yield _simple("eco_notices_waiting", [((), notices.waiting(conn))])
    started = [
        ((task.name,), task.last_started_at.timestamp())
        for task in tasks.every(conn)
        if task.last_started_at is not None
    ]
    yield _simple("eco_task_last_started_timestamp_seconds", started)


_LEVELS: Final = tuple(AlertLevel)
