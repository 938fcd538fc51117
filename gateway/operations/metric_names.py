"""The metrics that this gateway exposes: name, kind, labels and meaning, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class MetricKind(StrEnum):
    """Says how a metric behaves over time."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """Is one metric as documented and exposed; counters are exposed with ``_total``."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    meaning: str


_G, _C, _H = MetricKind.GAUGE, MetricKind.COUNTER, MetricKind.HISTOGRAM

_ALL: Final = (
    Metric("eco_build_info", _G, ("version",), "always 1; the version of the software"),
    Metric("eco_database_up", _G, (), "1 while the database answers; without it only this is told"),
    Metric("eco_scrape_seconds", _G, (), "how long it took to gather these metrics"),
    Metric("eco_outbox_messages", _G, ("peer", "state"), "messages on their way, not final"),
    Metric("eco_outbox_oldest_seconds", _G, ("peer",), "age of the oldest message on its way"),
    Metric("eco_outbox_overdue_seconds", _G, (), "how long work has been due and unclaimed"),
    Metric("eco_dead_letters", _G, ("peer",), "messages given up, waiting for a person"),
    Metric("eco_messages_queued", _C, ("peer", "document_type"), "messages put into the outbox"),
    Metric("eco_attempts", _C, ("peer", "code"), "attempts by how they ended"),
    Metric(
        "eco_verdicts",
        _C,
        ("peer", "document_type", "verdict"),
        "signed verdicts that peers gave on our documents",
    ),
    Metric("eco_delivery_seconds", _H, ("peer",), "time from queueing to the verified receipt"),
    Metric(
        "eco_peer_answer_seconds",
        _G,
        ("peer", "quantile"),
        "time a peer took to answer, over the newest attempts of one hour",
    ),
    Metric(
        "eco_recent_attempts",
        _G,
        ("peer", "outcome"),
        "newest attempts of one hour, by receipt or failure",
    ),
    Metric(
        "eco_arrivals",
        _C,
        ("peer", "document_type", "verdict", "code"),
        "messages received, by the verdict we gave",
    ),
    Metric("eco_arrivals_repeated", _C, (), "messages received again, answered as before"),
    Metric("eco_arrivals_turned_away", _C, ("code",), "messages answered with a fault"),
    Metric("eco_peer_active", _G, ("peer",), "1 for an active peer, 0 for a suspended one"),
    Metric("eco_lane_failures", _G, ("peer",), "attempts in a row without a receipt"),
    Metric("eco_lane_parked", _G, ("peer",), "1 while nothing is sent to a peer after failures"),
    Metric(
        "eco_peer_last_success_timestamp_seconds", _G, ("peer",), "when the newest receipt came"
    ),
    Metric("eco_outage_seconds", _G, ("peer",), "how long the open outage has lasted, 0 for none"),
    Metric(
        "eco_x509_days_left",
        _G,
        ("owner", "use", "name", "fingerprint"),
        "days until a signing, TLS or CA certificate ends, ours (owner=own) and the peers'",
    ),
    Metric("eco_crl_days_left", _G, ("owner", "name"), "days until a revocation list is due"),
    Metric("eco_crl_age_days", _G, ("owner", "name"), "days since a revocation list was issued"),
    Metric("eco_certificates_of_origin", _G, ("side", "state"), "certificates of origin by state"),
    Metric("eco_journal_entries", _G, (), "sequence number of the newest journal entry"),
    Metric("eco_journal_verified_entries", _G, (), "entry up to which the chain was verified"),
    Metric("eco_journal_intact", _G, (), "0 once the chain was found broken"),
    Metric("eco_tally_lag_entries", _G, (), "journal entries not yet counted in the counters"),
    Metric("eco_events_cursor", _G, (), "cursor of the newest event for the national system"),
    Metric("eco_alerts_open", _G, ("level",), "alerts that have not cleared"),
    Metric("eco_notices_waiting", _G, (), "alert notices not yet delivered"),
    Metric("eco_disk_free_bytes", _G, ("folder",), "free room behind a watched folder"),
    Metric("eco_disk_free_ratio", _G, ("folder",), "free share behind a watched folder, 0 to 1"),
    Metric(
        "eco_task_last_started_timestamp_seconds",
        _G,
        ("task",),
        "when a task of the workers' clock last ran; watch runs every 30 s",
    ),
)

METRICS: Final[Mapping[str, Metric]] = MappingProxyType({each.name: each for each in _ALL})
