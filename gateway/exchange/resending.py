"""Queueing many messages again: only as many as a person has seen, and not all at once.

Each part is one transaction.  Killed between two parts, what was queued is queued, the rest
waits as before, and the same choice made again finds just that rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count as numbers
from typing import Final

from sqlalchemy import Connection

from gateway.errors import ConflictError
from gateway.store import Dispatch, Store, dead_letters
from gateway.store.dead_letters import Resending

PART: Final = 100
"""Messages queued in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """Says how much a person has agreed to.

    Attributes:
        count: messages that the choice held when he looked.
        most: messages to queue now; the rest waits for another call.
    """

    count: int
    most: int


@dataclass(kw_only=True)
class Resent:
    """Is what was queued again.

    Attributes:
        queued: messages by the key of their peer.
        left: messages of the choice that still wait.
        last_due_at: when the last of them becomes due; None where none was queued.
    """

    queued: dict[int, int] = field(default_factory=dict)
    left: int = 0
    last_due_at: datetime | None = None

    @property
    def total(self) -> int:
        """How many messages were queued."""
        return sum(self.queued.values())


def resend_many(
    store: Store,
    resending: Resending,
    confirmed: Confirmed,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[int], None] = lambda _done: None,
) -> Resent:
    """Return what was queued again of the messages that ``resending`` chooses.

    Args:
        progress: told after each part how many are queued by now.

    Raises:
        ConflictError: the choice holds another number of messages now; nothing was changed.
    """
    resent = Resent()
    for part in _parts(store, resending, confirmed, clock):
        for row in part:
            resent.queued[row.peer_id] = resent.queued.get(row.peer_id, 0) + 1
            if row.due_at is not None:
                resent.last_due_at = max(resent.last_due_at or row.due_at, row.due_at)
        progress(resent.total)
    with store.read() as conn:
        resent.left = sum(dead_letters.count(conn, resending.choice).values())
    return resent


def _parts(
    store: Store, resending: Resending, confirmed: Confirmed, clock: Callable[[], datetime]
) -> Iterator[tuple[Dispatch, ...]]:
    left = confirmed.most
    for number in numbers():
        with store.begin() as conn:
            if number == 0:
                _require_count(conn, resending, confirmed.count)
            part = tuple(
                dead_letters.resend_some(conn, resending, at=clock(), limit=min(PART, left))
            )
        if not part:
            return
        yield part
        left -= len(part)
        if left <= 0:
            return


def _require_count(conn: Connection, resending: Resending, agreed: int) -> None:
    found = sum(dead_letters.count(conn, resending.choice).values())
    if found != agreed:
        raise ConflictError(
            f"{agreed} messages were confirmed, but {found} are chosen now; nothing was queued: "
            "look at the list again without --confirm"
        )
