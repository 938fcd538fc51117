"""The watch: what operating does on the workers' clock; one worker of all takes each turn.

Each step has a transaction of its own, and a step that fails stops no other: an alert about a
full disk must not depend on a healthy journal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from gateway.errors import GatewayError
from gateway.operations.alerting import AlertDesk, judge
from gateway.operations.in_force import note_parts
from gateway.operations.observations import observe
from gateway.operations.premises import Premises
from gateway.operations.report_counts import count_reports
from gateway.operations.turns import OUTAGE_FAILURES, WATCH, WATCH_PERIOD
from gateway.store import alerts, hourly, journal, outages, tallies, tasks, watch_marks
from gateway.store.chain import GENESIS

log = structlog.get_logger(__name__)

MOST_FOLDS: Final = 20
VERIFIED_AT_ONCE: Final = 5_000
VERIFIED_AGAIN: Final = 1_000


def watch(premises: Premises, desk: AlertDesk, worker: str) -> bool:
    """Return whether it was this worker's turn to watch, after having watched."""
    store, now = premises.desk.store, premises.desk.clock()
    with store.begin() as conn:
        turn = tasks.claim(conn, WATCH, worker, now, period=WATCH_PERIOD)
    if turn is None:
        return False
    steps: tuple[Callable[[], None], ...] = (
        lambda: _count(premises, now),
        lambda: _verify(premises, "journal", VERIFIED_AT_ONCE, now),
        lambda: _verify(premises, "journal again", VERIFIED_AGAIN, now),
        lambda: note_parts(premises, now),
        lambda: _register_outages(premises, now),
        lambda: _judge(premises, desk, now),
        lambda: _forget(premises, desk, now),
        lambda: count_reports(premises.desk, at=now),
    )
    failed = [code for code in map(_attempted, steps) if code is not None]
    with store.begin() as conn:
        error = ", ".join(failed) or None
        tasks.end(conn, turn, at=premises.desk.clock(), error=error)
    return True


def _attempted(step: Callable[[], None]) -> str | None:
    try:
        step()
    except GatewayError as exc:
        log.error("watch step failed", code=exc.code)  # noqa: TRY400 - no payloads
        return exc.code
    return None


def _count(premises: Premises, now: datetime) -> None:
    for _ in range(MOST_FOLDS):
        with premises.desk.store.begin() as conn:
            if tallies.fold(conn, at=now) < tallies.BATCH:
                return


def _verify(premises: Premises, name: str, limit: int, now: datetime) -> None:
    """Verify the next part of the journal; the second walk starts over when it has ended.

    The first walk follows what is new, the second finds what was changed after the first.
    """
    store = premises.desk.store
    with store.read() as conn:  # one moment: entries and head must belong together
        mark = watch_marks.find(conn, name)
        after, anchor = (0, GENESIS) if mark is None else (mark.position, mark.anchor or GENESIS)
        report = journal.verify_part(conn, after=after, anchor=anchor, limit=limit)
    position, anchor = after + report.entries, report.last_hash
    if report.holds and name != "journal" and report.entries < limit:
        position, anchor = 0, GENESIS
    with store.begin() as conn:
        watch_marks.lock(conn, name)
        watch_marks.move(conn, name, position, at=now, anchor=anchor, fault=report.reason)
    if not report.holds:
        log.error("journal broken", entry=report.broken_at)


def _register_outages(premises: Premises, now: datetime) -> None:
    with premises.desk.store.begin() as conn:
        outages.look(conn, now=now, failures=OUTAGE_FAILURES)


def _forget(premises: Premises, desk: AlertDesk, now: datetime) -> None:
    with premises.desk.store.begin() as conn:
        alerts.forget(conn, now - desk.keep)
        hourly.forget(conn, now)


def _judge(premises: Premises, desk: AlertDesk, now: datetime) -> None:
    with premises.desk.store.begin() as conn:
        changes = judge(desk, conn, observe(premises, conn, now), now)
    if changes.raised or changes.worse or changes.cleared:
        log.info(
            "alerts changed", raised=changes.raised, worse=changes.worse, cleared=changes.cleared
        )
