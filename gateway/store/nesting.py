"""Parts of a transaction that may fail alone: what they wrote is undone, the rest stands.

A savepoint costs two statements, so the hot path does without (decision 11).  A batch has many
documents to a commit, each of which may be refused after it wrote something.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from gateway.store import chain
from gateway.store.engine import mapped_errors


@contextmanager
def part_of(conn: Connection) -> Iterator[None]:
    """Undo what the block wrote and wanted to append, where it fails; then raise its error.

    Raises:
        BusyError, ConflictError: as ``Store.begin``.
    """
    waiting = chain.pending(conn)
    entries, events = len(waiting.entries), len(waiting.events)
    stored = set(waiting.bodies)
    try:
        with mapped_errors(), conn.begin_nested():
            yield
    except BaseException:
        del waiting.entries[entries:]
        del waiting.events[events:]
        waiting.bodies.intersection_update(stored)
        raise
