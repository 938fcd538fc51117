"""The scheduler rings again at once when the time of day is set back."""

from __future__ import annotations

import threading
import time

import pytest

from gateway import jobs
from gateway.jobs import ClockWatch, Job, start


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
