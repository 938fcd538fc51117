"""Parts of a transaction that may fail alone: what they wrote is undone, the rest stands.

A savepoint costs two statements, so the hot path does without (decision 11).  A batch has many
documents to a commit, each of which may be refused after it wrote something.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from gateway.errors import GatewayError
from gateway.store import chain
from gateway.store.engine import mapped_errors


@contextmanager
def part_of(conn: Connection) -> Iterator[None]:
    """Undo what the block wrote and wanted to append, where it fails; then raise its error.

    What was attempted in it is told by the transaction that goes on (``events.append``).

    Raises:
        BusyError, ConflictError: as ``Store.begin``.
    """
    waiting = chain.pending(conn)
    entries, events, attempts = len(waiting.entries), len(waiting.events), len(waiting.attempts)
    stored = set(waiting.bodies)
    try:
        with mapped_errors(), conn.begin_nested():
            yield
    except BaseException as exc:
        del waiting.entries[entries:]
        del waiting.events[events:]
        if isinstance(exc, GatewayError):
            waiting.events.extend(waiting.attempts[attempts:])
        del waiting.attempts[attempts:]
        waiting.bodies.intersection_update(stored)
        raise
