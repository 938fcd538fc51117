"""The scheduler rings again at once when the time of day is set back, and once when it leaps."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway import jobs
from gateway.jobs import Beat, ClockWatch, Job, start


def test_every_job_rings_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch):
    rang = threading.Event()
    hours = {"ahead": 3600.0}
    monkeypatch.setattr(jobs, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "_ahead", lambda: hours["ahead"])
    scheduler = start([Job(name="collect", seconds=3600, run=rang.set)])
    watch = ClockWatch(scheduler)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        time.sleep(0.05)
        assert not rang.is_set()
        hours["ahead"] = 0.0
        assert rang.wait(5)
    finally:
        watch.ended.set()
        thread.join()
        scheduler.shutdown(wait=True)


@pytest.mark.parametrize("leap", [timedelta(seconds=90), timedelta(days=30 * 365)])
def test_a_leap_of_the_clock_is_one_ring_and_not_one_for_each_second(leap: timedelta):
    scheduler = start([Job(name="beat", seconds=1, run=lambda: None)])
    try:
        now = datetime.now(UTC) + leap
        (job,) = scheduler.get_jobs()
        missed = job._get_run_times(now)
        assert len(missed) == 2
        assert missed[-1] == now
    finally:
        scheduler.shutdown(wait=True)


def test_a_beat_keeps_its_time_while_nothing_is_missed():
    now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    beat = Beat(seconds=60, timezone="UTC")
    assert beat.get_next_fire_time(now, now + timedelta(seconds=5)) == now + timedelta(seconds=60)
