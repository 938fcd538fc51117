"""Counting which rules failed in the documents refused here, by month and sender.

What a receipt says is read by whoever has the mapping tables; here the refusals that are not
yet counted are found by the journal, each once, and the counts are added in the same transaction
that moves the mark.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.store import inbox, watch_marks
from gateway.store.dialects import insert_or_change
from gateway.store.report_counting import REFUSALS
from gateway.store.rows import Arrival
from gateway.store.states import JournalAction
from gateway.store.tables import journal
from gateway.store.tables import report_failures as table
from gateway.store.types import canonical_json

BATCH = 50
_LONGEST_RULE = 100
Failure = tuple[str, int, bool, str]
"""Month, peer, whether of trial, rule."""


def next_refusals(
    conn: Connection, *, limit: int = BATCH
) -> tuple[tuple[int, Arrival | None], ...]:
    """Return the journal's next refusals with what was refused; nobody else takes them.

    An arrival is None where the journal names none that is still there.
    """
    mark = watch_marks.lock(conn, REFUSALS)
    own = journal.c
    query = (
        select(own.sequence, own.subject, own.details)
        .where(own.action == JournalAction.ARRIVAL_REFUSED.value, own.sequence > mark.position)
        .order_by(own.sequence)
        .limit(limit)
    )
    return tuple(
        (row.sequence, _arrival(conn, row.subject, row.details)) for row in conn.execute(query)
    )


def add(conn: Connection, failures: Counter[Failure], *, reached: int, at: datetime) -> None:
    """Add failures to the counts; all refusals up to ``reached`` are counted then."""
    rows = [
        {
            "month": month,
            "peer_id": peer_id,
            "test": test,
            "rule": rule[:_LONGEST_RULE],
            "count": count,
        }
        for (month, peer_id, test, rule), count in sorted(failures.items())
    ]
    if rows:
        conn.execute(insert_or_change(conn, table, add=("count",)), rows)
    watch_marks.move(conn, REFUSALS, reached, at=at)


def _arrival(conn: Connection, message_id: str, details: str) -> Arrival | None:
    """Return the arrival that an entry is about; ids are unique per sender only."""
    for each in inbox.find_by_message(conn, message_id):
        if canonical_json(each.envelope_sha256) in details:
            return each
    return None
