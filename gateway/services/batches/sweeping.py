"""Letting go: the bytes of ended batches, broken uploads, and results that were kept long enough.

Everything goes in small transactions, because others want to write meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.services.counter import Counter
from gateway.store import batch_uploads, tasks

SWEEP: Final = "sweep batches"
PERIOD: Final = timedelta(minutes=5)
_AT_ONCE: Final = 200


def sweep(counter: Counter, worker: str) -> int:
    """Return how many batches were dropped; at most once per period over all workers."""
    store, now = counter.desk.store, counter.desk.clock()
    with store.begin() as conn:
        turn = tasks.claim(conn, SWEEP, worker, now, period=PERIOD)
    if turn is None:
        return 0
    limits = counter.batches
    with store.read() as conn:
        ended = batch_uploads.with_pieces_left(conn)
        old = batch_uploads.forgotten(
            conn, stalled_before=now - limits.stalled, ended_before=now - limits.kept
        )
    for batch_id in ended:
        drop_bytes(counter, batch_id)
    for batch_id in old:
        drop_whole(counter, batch_id)
    with store.begin() as conn:
        tasks.end(conn, turn, at=counter.desk.clock())
    return len(old)


def drop_bytes(counter: Counter, batch_id: int) -> None:
    """Drop what a batch held; the results of its lines stay."""
    store = counter.desk.store
    while True:
        with store.begin() as conn:
            if not batch_uploads.drop_pieces(conn, batch_id, limit=_AT_ONCE):
                return


def drop_whole(counter: Counter, batch_id: int) -> None:
    """Drop a batch with all that belongs to it."""
    store = counter.desk.store
    with store.begin() as conn:
        batch_uploads.give_up(conn, batch_id, at=counter.desk.clock())
    drop_bytes(counter, batch_id)
    dropped = True
    while dropped:
        with store.begin() as conn:
            dropped = batch_uploads.drop_lines(conn, batch_id, limit=_AT_ONCE) > 0
    with store.begin() as conn:
        batch_uploads.drop(conn, batch_id)
