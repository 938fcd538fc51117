"""A worker runs for years: what its clock lets it hold does not follow the traffic."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path

from gateway.operations.alerting import AlertDesk
from gateway.operations.premises import Premises
from gateway.operations.turns import WATCH_PERIOD
from gateway.operations.watch import VERIFIED_AT_ONCE, watch
from gateway.store import JournalAction, journal
from tests.exchange.corridor import Corridor
from tests.operations.scene import RULES

MEGABYTE = 1_000_000
NOT_FOR_WORKERS = {"flask", "werkzeug", "gunicorn", "prometheus_client", "alembic", "xmlschema"}


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True)
    return done.stdout


def note(premises: Premises, entries: int) -> None:
    store, now = premises.desk.store, premises.desk.clock()
    with store.begin() as conn:
        for number in range(entries):
            subject = f"urn:uuid:{number:036}"
            detail = {"state": "RETRYING", "code": "UNREACHABLE"}
            action = JournalAction.DISPATCH_ATTEMPTED
            journal.append(conn, at=now, action=action, subject=subject, detail=detail)


def test_a_turn_of_the_watch_holds_as_much_after_a_busy_minute_as_after_a_quiet_one(
    corridor: Corridor, premises: Premises
):
    desk = AlertDesk(rules=RULES, recipients=(), digest=timedelta(minutes=15))
    peaks = []
    for entries in (10, 500, VERIFIED_AT_ONCE + 500):
        note(premises, entries)
        corridor.clock.pass_time(seconds=WATCH_PERIOD.total_seconds())
        tracemalloc.start()
        assert watch(premises, desk, "worker")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[0] < MEGABYTE, peaks


def test_a_worker_that_folds_and_verifies_thousands_of_entries_again_and_again_does_not_grow(
    sqlite_template: Path, tmp_path: Path
):
    file = tmp_path / "books.db"
    file.write_bytes(sqlite_template.read_bytes())
    before, after = map(int, run("-m", "tests.operations.job_loop", str(file)).split())
    assert after - before < 8 * MEGABYTE, f"{before:,} bytes became {after:,}"


def test_a_worker_loads_nothing_that_serves_or_migrates():
    said = run("-c", "import sys, gateway.cli.running; print(*sys.modules)")
    assert NOT_FOR_WORKERS.isdisjoint(said.split())
