"""What the watch counts for reports: certificates that changed, documents that were refused.

Each step is a short transaction of its own, so that nobody who submits waits for a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.exchange.context import Desk
from gateway.exchange.receipts import receipt_findings
from gateway.store import Arrival, Store, report_counting, report_refusals
from gateway.store.report_refusals import Failure

MOST_FOLLOWED: Final = 200
MOST_WALKED: Final = 20
MOST_REFUSALS: Final = 10
"""Transactions of one turn; the rest waits half a minute."""


def count_reports(desk: Desk, *, at: datetime) -> None:
    """Bring the counts of reports up to date, as far as one turn goes."""
    for _ in range(MOST_FOLLOWED):
        with desk.store.begin() as conn:
            if report_counting.follow(conn, at=at) < report_counting.BATCH:
                break
    for _ in range(MOST_WALKED):
        if not _walk(desk.store, at):
            break
    for _ in range(MOST_REFUSALS):
        if count_refusals(desk, at=at) < report_refusals.BATCH:
            break


def recount(desk: Desk, *, at: datetime) -> Iterator[int]:
    """Count everything anew, yielding after each step how many certificates are counted."""
    with desk.store.begin() as conn:
        report_counting.begin_anew(conn, at=at)
    done = 0
    while found := _walk(desk.store, at):
        done += found
        yield done
    while count_refusals(desk, at=at):
        yield done


def count_refusals(desk: Desk, *, at: datetime) -> int:
    """Count the rules of the next refused documents; return how many documents there were."""
    failures: Counter[Failure] = Counter()
    with desk.store.begin() as conn:
        found = report_refusals.next_refusals(conn)
        for _, arrival in found:
            if arrival is not None:
                month, rules = f"{arrival.received_at:%Y-%m}", _rules(desk, conn, arrival)
                failures.update((month, arrival.peer_id, arrival.test, rule) for rule in rules)
        if found:
            report_refusals.add(conn, failures, reached=found[-1][0], at=at)
    return len(found)


def _walk(store: Store, at: datetime) -> int:
    """Count the next certificates of old; 0 when all are counted."""
    with store.read() as conn:
        if report_counting.walked_whole(conn):
            return 0
    with store.begin() as conn:
        return report_counting.walk(conn, at=at)


def _rules(desk: Desk, conn: Connection, arrival: Arrival) -> frozenset[str]:
    """Return the rules that a refused document broke, the code of the refusal if it names none."""
    with suppress(GatewayError):  # a receipt of another version still says its code
        rules = frozenset(each.rule for each in receipt_findings(desk, conn, arrival))
        if rules:
            return rules
    return frozenset({arrival.code} if arrival.code else ())
