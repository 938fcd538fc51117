"""Clock-driven work: APScheduler rings, plain functions work, the database remembers.

The queue is a table, so several workers on several hosts may run this at once; a job that
must run once per period takes its turn from the store (``gateway.store.tasks``).
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from gateway.errors import GatewayError
from gateway.exchange.context import Desk
from gateway.exchange.fetching import Collector, collect_due
from gateway.exchange.housekeeping import expire_certificates
from gateway.exchange.lanes import Lanes
from gateway.exchange.reconcile import reconcile_due
from gateway.store import clock_back

log = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0
SET_BACK_SECONDS = 10.0
"""How often the clock is looked at, and by how much it must have been set back to matter."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Is a function that is called every ``seconds``."""

    name: str
    seconds: float
    run: Callable[[], None]


def expiry_job(desk: Desk, worker: str) -> Job:
    """Return the job that lets certificates expire; one worker of all takes each turn."""

    def expire() -> None:
        expire_certificates(desk, worker)

    return Job(name="expire", seconds=60, run=expire)


def collection_job(collector: Collector) -> Job:
    """Return the job that fetches from the peers we collect from; each peer's turn comes once."""

    def collect() -> None:
        collect_due(collector)

    return Job(name="collect", seconds=3, run=collect)


def books_job(desk: Desk, worker: str) -> Job:
    """Return the job that compares books with peers; one worker of all takes each turn."""

    def reconcile() -> None:
        reconcile_due(desk, worker)

    return Job(name="reconcile", seconds=60, run=reconcile)


def clock_job(desk: Desk, lease_seconds: int) -> Job:
    """Return the job that brings back what a clock ahead of the time had put off."""

    def bring_back() -> None:
        with desk.store.begin() as conn:
            found = clock_back.bring_back(conn, desk.clock(), lease_seconds=lease_seconds)
        if found:
            log.warning("the clock was set back", rows=found)

    return Job(name="clock", seconds=60, run=bring_back)


@dataclass
class ClockWatch:
    """Notices on the monotonic clock that the time of day was set back, and rings every job.

    The scheduler waits for moments of the day; without this it would be silent for as long as
    the clock was ahead.
    """

    scheduler: BackgroundScheduler
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Watch until ``ended``."""
        ahead = _ahead()
        while not self.ended.wait(WATCH_SECONDS):
            before, ahead = ahead, _ahead()
            if before - ahead > SET_BACK_SECONDS:
                ring(self.scheduler)


def _ahead() -> float:
    return time.time() - time.monotonic()


def ring(scheduler: BackgroundScheduler) -> None:
    """Let every job of ``scheduler`` run now, whenever it thought to run next."""
    now = datetime.now(UTC)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=now)


class Beat(IntervalTrigger):
    """Rings every so many seconds; whatever was missed meanwhile is one ring.

    The library would count up every moment missed: after a clock that leapt by years, or a host
    that slept for a week, that is more of them than fit into memory.
    """

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the next moment after ``previous_fire_time``, ``now`` where that has passed."""
        following: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        return following if following is None else max(following, now)


def run_until_stopped(jobs: list[Job], lanes: Lanes, *, grace_seconds: float) -> None:
    """Run ``jobs`` and send what is due until SIGTERM or SIGINT.

    Then nothing new is claimed.  Attempts under way are waited for, those that take longer than
    the grace are left to their leases.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lanes.stop())
    scheduler = start(jobs)
    watch = ClockWatch(scheduler)
    threading.Thread(target=watch.run, name="clock-watch", daemon=True).start()
    try:
        lanes.run(grace_seconds)
    finally:
        watch.ended.set()
        scheduler.shutdown(wait=True)


def start(jobs: list[Job]) -> BackgroundScheduler:
    """Return a running scheduler for ``jobs``; each runs at most once at a time here.

    Each has a thread of its own that stays: what a job needs at its worst, glibc then keeps for it
    once, and not in the arena of every thread that happened to run it.
    """
    # A tick that finds the one before still at work is skipped, which is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30},
    )
    for job in jobs:
        scheduler.add_executor(ThreadPoolExecutor(max_workers=1), alias=job.name)
        work, name = _guarded(job), job.name
        beat = Beat(seconds=job.seconds, timezone="UTC")
        scheduler.add_job(work, beat, id=name, executor=name)
    scheduler.start()
    return scheduler


def _guarded(job: Job) -> Callable[[], None]:
    def run() -> None:
        try:
            job.run()
        except GatewayError as exc:
            log.error("job failed", job=job.name, code=exc.code)  # noqa: TRY400 - no payloads
        except Exception as exc:  # noqa: BLE001 - the clock must go on ringing
            log.error("job broke", job=job.name, error=type(exc).__name__)  # noqa: TRY400

    return run
