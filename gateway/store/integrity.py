"""Proving the books: every stored document still has its digest, or was lawfully erased."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from gateway.store.keys import digest
from gateway.store.tables import bodies, chain_heads, erased_bodies


@dataclass(frozen=True, kw_only=True)
class BodyReport:
    """Is the result of reading every stored document.

    Attributes:
        changed: digests under which other bytes lie, at most twenty of them.
    """

    intact: int
    erased: int
    changed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every document is what its digest says."""
        return not self.changed


def verify_bodies(conn: Connection) -> BodyReport:
    """Return how many documents are intact, erased under retention, and changed."""
    gone = set(conn.execute(select(erased_bodies.c.sha256)).scalars())
    intact = erased = 0
    changed: list[str] = []
    query = select(bodies.c.sha256, bodies.c.content)
    streamed = query.execution_options(stream_results=True, yield_per=200)
    for sha256, content in conn.execute(streamed):
        if digest(bytes(content)) == sha256:
            intact += 1
        elif not content and sha256 in gone:
            erased += 1
        else:
            changed.append(sha256)
    return BodyReport(intact=intact, erased=erased, changed=tuple(changed[:20]))


def skip_cursors(conn: Connection, how_many: int) -> int:
    """Let the next event take a cursor far above all that were given out; return the last.

    After a restore the national system may remember cursors that these books do not know.
    """
    moved = update(chain_heads).values(event_cursor=chain_heads.c.event_cursor + how_many)
    cursor: int = conn.execute(moved.returning(chain_heads.c.event_cursor)).scalar_one()
    return cursor


def is_empty(conn: Connection) -> bool:
    """Return whether nothing was ever written into these tables."""
    head = conn.execute(select(chain_heads)).one_or_none()
    stored = conn.execute(select(func.count()).select_from(bodies)).scalar_one()
    return (head is None or head.journal_sequence == 0) and not stored
