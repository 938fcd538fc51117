"""Dead letters: messages that wait for a person, chosen, counted, listed and queued again.

A choice is made of facts that do not change with the clock, so that what was counted and what
is queued afterwards are the same messages.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from gateway.documents.codes import DocumentType
from gateway.errors import ConflictError
from gateway.store import outbox
from gateway.store.rows import Dispatch
from gateway.store.states import DeliveryState
from gateway.store.tables import bodies as body_table
from gateway.store.tables import dispatches, lanes

_COLUMNS = tuple(dispatches.c[name] for name in Dispatch.__dataclass_fields__)
_RANK = (dispatches.c.rank_at, dispatches.c.id)

WAITING = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.RETRYING)
"""States out of which a person may send a message again."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Says which messages are meant; what is None does not matter.

    Attributes:
        code: of the last failed attempt.
        since, until: bounds of the moment when the message was made; ``until`` is not in.
    """

    states: tuple[DeliveryState, ...] = (DeliveryState.FAILED,)
    peer_id: int | None = None
    code: str | None = None
    document_type: DocumentType | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Resending:
    """Says how a choice is queued again.

    Attributes:
        gap: pause between two messages that become due to the same peer.
        actor, reason: who does it and why, for the journal.
    """

    choice: Choice
    gap: timedelta
    actor: str
    reason: str


def count(conn: Connection, choice: Choice) -> Mapping[int, int]:
    """Return how many messages are meant, by peer; peers without any are left out."""
    query = select(dispatches.c.peer_id, func.count()).where(_meant(choice)).group_by("peer_id")
    return {row[0]: row[1] for row in conn.execute(query)}


def page(
    conn: Connection, choice: Choice, *, after: Dispatch | None = None, limit: int = 500
) -> tuple[Dispatch, ...]:
    """Return messages that are meant, in the order in which they would be sent."""
    query = select(*_COLUMNS).where(_meant(choice)).order_by(*_RANK).limit(limit)
    if after is not None:
        same = and_(dispatches.c.rank_at == after.rank_at, dispatches.c.id > after.id)
        query = query.where(or_(dispatches.c.rank_at > after.rank_at, same))
    return tuple(Dispatch(**row._mapping) for row in conn.execute(query))


def every(conn: Connection, choice: Choice) -> Iterator[Dispatch]:
    """Yield all messages that are meant, in the order in which they would be sent."""
    found = page(conn, choice)
    while found:
        yield from found
        found = page(conn, choice, after=found[-1])


def resend_one(
    conn: Connection, message_id: str, *, at: datetime, actor: str, reason: str
) -> Dispatch:
    """Queue one message again, due at once; a held one is let go.

    Raises:
        NotFoundError, ConflictError: as ``outbox.resend``.
    """
    found = outbox.dispatch(conn, message_id)
    held = found is not None and found.state is DeliveryState.HELD
    step = outbox.release if held else outbox.resend
    return step(conn, message_id, at=at, actor=actor, reason=reason)


def resend_some(
    conn: Connection, resending: Resending, *, at: datetime, limit: int
) -> Sequence[Dispatch]:
    """Queue the first ``limit`` messages of a choice again and return them as they are now.

    Same ids, same bytes, same rank among the others.  To each peer one message after another
    becomes due, after those that an earlier call has spread.  Each is journalled with the reason.
    Who calls with the same choice again goes on where this ended.
    """
    chosen = page(conn, resending.choice, limit=limit)
    free_at = _free_from(conn, {row.peer_id for row in chosen}, resending.gap, at)
    spread: Counter[int] = Counter()
    queued = []
    for row in chosen:
        due_at = free_at[row.peer_id] + spread[row.peer_id] * resending.gap
        try:
            queued.append(_queue(conn, resending, row, at, due_at))
        except ConflictError:  # a worker or another person was faster: it waits no longer
            continue
        spread[row.peer_id] += 1
    return queued


def _queue(
    conn: Connection, resending: Resending, row: Dispatch, at: datetime, due_at: datetime
) -> Dispatch:
    step = outbox.release if row.state is DeliveryState.HELD else outbox.resend
    who, why = resending.actor, resending.reason
    return step(conn, row.message_id, at=at, actor=who, reason=why, due_at=due_at)


def _free_from(
    conn: Connection, peer_ids: set[int], gap: timedelta, at: datetime
) -> Mapping[int, datetime]:
    """Return from when on messages may become due to each peer; locks the peers' lanes.

    What another call spreads over the same peers at the same time waits for this transaction.
    """
    own = lanes.c.peer_id.in_(sorted(peer_ids))
    conn.execute(select(lanes.c.peer_id).where(own).order_by(lanes.c.peer_id).with_for_update())
    ahead = (
        select(dispatches.c.peer_id, func.max(dispatches.c.due_at))
        .where(
            dispatches.c.peer_id.in_(sorted(peer_ids)),
            dispatches.c.state == DeliveryState.QUEUED,
            dispatches.c.due_at > at - gap,
        )
        .group_by(dispatches.c.peer_id)
    )
    free: defaultdict[int, datetime] = defaultdict(lambda: at)
    free.update({peer_id: max(at, last + gap) for peer_id, last in conn.execute(ahead)})
    return free


def _meant(choice: Choice) -> ColumnElement[bool]:
    """Return the condition; what retention erased cannot be sent and is never meant."""
    own = dispatches.c
    bodily = select(body_table.c.sha256).where(
        body_table.c.sha256 == own.envelope_sha256, func.length(body_table.c.content) > 0
    )
    wanted: list[ColumnElement[Any]] = [own.state.in_(choice.states), bodily.exists()]
    for column, value in (
        (own.peer_id, choice.peer_id),
        (own.code, choice.code),
        (own.document_type, choice.document_type),
    ):
        if value is not None:
            wanted.append(column == value)
    if choice.since is not None:
        wanted.append(own.created_at >= choice.since)
    if choice.until is not None:
        wanted.append(own.created_at < choice.until)
    return and_(*wanted)
