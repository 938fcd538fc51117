"""Metrics: complete, true, told by any process, and never a scan of what the archive holds."""

from __future__ import annotations

import re
import time

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from gateway.errors import BusyError
from gateway.operations import metrics
from gateway.operations.metric_names import METRICS
from gateway.operations.metrics import quantile, scrape
from gateway.operations.premises import Premises
from gateway.operations.watch import watch
from gateway.store import peers
from tests.exchange.corridor import Corridor
from tests.operations.scene import Tray, fail_often, make_premises, office, queue
from tests.store.helpers import profile

GROWING = ("dispatches", "arrivals", "attempts", "journal", "events", "certificates", "bodies")


def values(premises: Premises) -> dict[tuple[str, ...], float]:
    """Every sample by name and label values, in the order of label names."""
    found = {}
    for family in text_string_to_metric_families(scrape(premises).decode()):
        for sample in family.samples:
            labels = (sample.labels[name] for name in sorted(sample.labels))
            found[(sample.name, *labels)] = sample.value
    return found


def families(premises: Premises) -> set[str]:
    text = scrape(premises).decode()
    found = re.findall(r"^# TYPE (\w+) ", text, flags=re.M)
    return {name.removesuffix("_total") for name in found}


def test_every_metric_is_exposed_and_no_other(corridor: Corridor, premises: Premises):
    assert families(premises) == set(METRICS)


def test_a_delivery_shows_in_counters_latency_and_lane(corridor: Corridor, premises: Premises):
    queue(corridor)
    corridor.clock.pass_time(seconds=3)
    corridor.zm.work()
    seen = values(premises)
    assert seen["eco_messages_queued_total", "CertificateOfOrigin", "KE-SW"] == 1
    assert seen["eco_attempts_total", "DELIVERED", "KE-SW"] == 1
    assert seen["eco_delivery_seconds_bucket", "5", "KE-SW"] == 1
    assert seen["eco_delivery_seconds_bucket", "2.5", "KE-SW"] == 0
    assert seen["eco_delivery_seconds_count", "KE-SW"] == 1
    assert seen["eco_delivery_seconds_sum", "KE-SW"] == 3
    assert seen["eco_recent_attempts", "receipt", "KE-SW"] == 1
    assert seen["eco_lane_failures", "KE-SW"] == 0
    assert seen["eco_outbox_oldest_seconds", "KE-SW"] == 0
    assert seen["eco_certificates_of_origin", "ISSUED", "ISSUED"] == 1
    assert seen["eco_tally_lag_entries",] == 0
    assert seen["eco_journal_intact",] == 1


def test_a_dead_peer_shows_in_queue_age_lane_and_outage(corridor: Corridor, premises: Premises):
    queue(corridor)
    fail_often(corridor)
    watch(premises, office(Tray()).desk, "w")
    seen = values(premises)
    assert seen["eco_outbox_messages", "KE-SW", "RETRYING"] == 1
    assert seen["eco_outbox_oldest_seconds", "KE-SW"] == 3600
    assert seen["eco_lane_failures", "KE-SW"] == 3
    assert seen["eco_outage_seconds", "KE-SW"] == 3600
    assert seen["eco_attempts_total", "UNREACHABLE", "KE-SW"] == 3
    assert seen["eco_alerts_open", "CRITICAL"] >= 1


def test_the_receiving_side_counts_arrivals_by_verdict(corridor: Corridor, tmp_path):
    queue(corridor)
    corridor.zm.work()
    seen = values(make_premises(corridor.ke, tmp_path))
    arrivals = {key: value for key, value in seen.items() if key[0] == "eco_arrivals_total"}
    assert arrivals == {
        ("eco_arrivals_total", "", "CertificateOfOrigin", "ZM-SW", "ACCEPTED"): 1
    } or arrivals == {
        ("eco_arrivals_total", "", "CertificateOfOrigin", "ZM-SW", "ACCEPTED_WITH_WARNINGS"): 1
    }


def test_days_left_are_told_of_ours_and_of_the_peers(corridor: Corridor, premises: Premises):
    seen = values(premises)
    # Labels in the order of their names: fingerprint, name, owner, use.
    owners = {(key[3], key[4]) for key in seen if key[0] == "eco_x509_days_left"}
    for owner in ("own", "KE-SW"):
        assert {(owner, use) for use in ("signing", "TLS", "CA")} <= owners
    assert any(key[0] == "eco_crl_days_left" and key[2] == "own" for key in seen)


def test_without_the_database_the_scrape_says_so(premises: Premises, monkeypatch):
    def away(_premises):
        raise BusyError("gone")

    monkeypatch.setattr(metrics, "_from_store", away)
    assert values(premises)["eco_database_up",] == 0


def test_no_scrape_and_no_watch_reads_what_grows_from_end_to_end(
    corridor: Corridor, premises: Premises
):
    queue(corridor)
    fail_often(corridor)
    statements: list[tuple[str, object]] = []

    def note(_conn, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append((statement, parameters))

    for engine in premises.desk.store.engines:
        event.listen(engine, "before_cursor_execute", note)
    scrape(premises)
    corridor.clock.pass_time(minutes=1)
    watch(premises, office(Tray()).desk, "w")
    scrape(premises)
    for engine in premises.desk.store.engines:
        event.remove(engine, "before_cursor_execute", note)
    assert statements
    scans = []
    with premises.desk.store.read() as conn:
        for statement, parameters in dict(statements).items():
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans += [
                (row.detail, statement) for row in plan if _is_unbounded(row.detail, statement)
            ]
    assert not scans


def _is_unbounded(step: str, statement: str) -> bool:
    """A SCAN of a growing table; along a partial index or up to a LIMIT it is bounded."""
    scanned = re.match(r"SCAN (\w+)", step)
    if scanned is None or scanned.group(1) not in GROWING:
        return False
    return not ("_open" in step or "_due" in step or "LIMIT" in statement)


def test_quantiles_are_taken_by_nearest_rank():
    assert quantile([1.0], 0.99) == 1.0
    ordered = [float(n) for n in range(100)]
    assert [quantile(ordered, share) for share in (0.5, 0.9, 0.99)] == [50.0, 90.0, 99.0]


def test_a_scrape_of_two_hundred_peers_is_quick(corridor: Corridor, premises: Premises):
    with premises.desk.store.begin() as conn:
        for number in range(200):
            peers.add(conn, profile(f"KE-{number:03}"), at=corridor.clock(), actor="user:test")
    assert len(values(premises)) > 800
    began = time.process_time()
    scrape(premises)
    assert time.process_time() - began < 1.0
