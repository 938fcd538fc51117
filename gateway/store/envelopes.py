"""Envelopes of what was tried and of what came, newest first, for whoever may see no contents.

Only what stands outside a certificate is read: ids, parties, codes, moments.  A page walks a
bounded piece of the key and may so be short and yet name where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, Select, select

from gateway.documents.codes import DocumentType, Verdict
from gateway.store.states import DeliveryState
from gateway.store.tables import arrivals, attempts, dispatches, peers

WALK: Final = 2_000
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Is one attempt with the envelope that it was made with.

    Attributes:
        answered: it brought the receipt that decided.
    """

    id: int
    message_id: str
    peer: str
    document_type: DocumentType
    worker: str
    number: int
    started_at: datetime
    ended_at: datetime | None
    code: str | None
    http_status: int | None
    answered: bool


@dataclass(frozen=True, kw_only=True)
class Came:
    """Is the envelope of one message that came, with how we answered."""

    id: int
    message_id: str
    peer: str
    document_type: DocumentType
    document_number: str | None
    verdict: Verdict
    code: str | None
    received_at: datetime
    repeats: int


@dataclass(frozen=True, kw_only=True)
class Part(Generic[Row]):
    """Is one page; ``go_on`` is the key below which the next begins, None at the end."""

    rows: tuple[Row, ...]
    go_on: int | None


def tried(
    conn: Connection,
    *,
    peer_id: int | None = None,
    failed: bool = False,
    delivered: bool = False,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Part[Tried]:
    """Return the newest attempts.

    Args:
        failed: only those that ended without a receipt.
        delivered: only those that brought the receipt of a message that was taken.
        since: only those that began then or later.
    """
    own = attempts.c
    walked = select(attempts).order_by(own.id.desc()).limit(WALK)
    if before is not None:
        walked = walked.where(own.id < before)
    newest = walked.subquery()
    answered = dispatches.c.verdict.is_not(None) & (dispatches.c.fence == newest.c.number)
    query = (
        select(
            newest.c.id,
            dispatches.c.message_id,
            peers.c.identifier.label("peer"),
            dispatches.c.document_type,
            newest.c.worker,
            newest.c.number,
            newest.c.started_at,
            newest.c.ended_at,
            newest.c.code,
            newest.c.http_status,
            answered.label("answered"),
        )
        .join(dispatches, dispatches.c.id == newest.c.dispatch_id)
        .join(peers, peers.c.id == dispatches.c.peer_id)
        .order_by(newest.c.id.desc())
    )
    if peer_id is not None:
        query = query.where(dispatches.c.peer_id == peer_id)
    if failed:
        query = query.where(newest.c.ended_at.is_not(None), ~answered)
    if delivered:
        query = query.where(dispatches.c.state == DeliveryState.DELIVERED, answered)
    steps = select(newest.c.id).order_by(newest.c.id.desc())
    if since is not None:
        query = query.where(newest.c.started_at >= since)
        steps = steps.where(newest.c.started_at >= since)
    found = [
        Tried(**{**row._mapping, "answered": bool(row.answered)})
        for row in conn.execute(query.limit(limit + 1))
    ]
    return _part(conn, found, limit, steps)


def came(
    conn: Connection,
    *,
    peer_id: int | None = None,
    refused: bool = False,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Part[Came]:
    """Return the newest messages that came.

    Args:
        refused: only those that we refused.
        since: only those that came then or later.
    """
    own = arrivals.c
    walked = select(arrivals).order_by(own.id.desc()).limit(WALK)
    if before is not None:
        walked = walked.where(own.id < before)
    if peer_id is not None:
        walked = walked.where(own.peer_id == peer_id)
    newest = walked.subquery()
    names = [name for name in Came.__dataclass_fields__ if name != "peer"]
    query = (
        select(*(newest.c[name] for name in names), peers.c.identifier.label("peer"))
        .join(peers, peers.c.id == newest.c.peer_id)
        .order_by(newest.c.id.desc())
    )
    if refused:
        query = query.where(newest.c.verdict == Verdict.REFUSED)
    steps = select(newest.c.id).order_by(newest.c.id.desc())
    if since is not None:
        query = query.where(newest.c.received_at >= since)
        steps = steps.where(newest.c.received_at >= since)
    found = [Came(**row._mapping) for row in conn.execute(query.limit(limit + 1))]
    return _part(conn, found, limit, steps)


def _part(conn: Connection, found: list[Any], limit: int, steps: Select[Any]) -> Part[Any]:
    if len(found) > limit:
        return Part(rows=tuple(found[:limit]), go_on=found[limit - 1].id)
    last: int | None = conn.execute(steps.offset(WALK - 1).limit(1)).scalar()
    return Part(rows=tuple(found), go_on=last)
