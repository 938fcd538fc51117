"""Queries about the bytes of batches: taking them in, reading them, and letting everything go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from gateway.errors import ConflictError
from gateway.store import journal
from gateway.store.batch_states import BatchState
from gateway.store.batches import COLUMNS, IS_OPEN, batch_of
from gateway.store.dialects import lock_name
from gateway.store.rows import Batch, NewBatch
from gateway.store.tables import batch_lines, batch_pieces
from gateway.store.tables import batches as table

_IS_RECEIVING = "batches.state = 'RECEIVING'"  # as a partial index says it, word for word


def begin(conn: Connection, new: NewBatch, *, at: datetime, most_open: int) -> Batch | None:
    """Enter a batch whose bytes are about to arrive, and return it.

    Returns None where so many of the organisation are arriving, waiting or in work already.
    """
    lock_name(conn, f"batches of {new.organisation_id}")
    if _how_many_open(conn, new.organisation_id) >= most_open:
        return None
    started = {
        **vars(new),
        "scopes": list(new.scopes),
        "state": BatchState.RECEIVING,
        "position": {},
        "created_at": at,
        "updated_at": at,
        "due_at": at,
    }
    counts = ("size", "units", "units_done", "lines", "accepted", "repeated", "refused")
    zeros = dict.fromkeys((*counts, "tries", "fence"), 0)
    statement = insert(table).values(**started, **zeros).returning(*COLUMNS)
    return batch_of(conn.execute(statement).one())


def add_pieces(
    conn: Connection, batch: Batch, first: int, contents: Sequence[bytes], *, at: datetime
) -> None:
    """Store the next pieces of what a batch holds.

    Raises:
        ConflictError: the batch takes no bytes any more: it was swept away meanwhile.
    """
    receiving = and_(table.c.id == batch.id, table.c.state == BatchState.RECEIVING)
    if not conn.execute(update(table).where(receiving).values(updated_at=at)).rowcount:
        raise ConflictError("the batch takes no more bytes")
    rows = [
        {"batch_id": batch.id, "number": number, "content": content}
        for number, content in enumerate(contents, start=first)
    ]
    conn.execute(insert(batch_pieces), rows)


def take(
    conn: Connection, batch: Batch, *, size: int, sha256: str, units: int, at: datetime
) -> Batch:
    """Let a batch whose bytes are all here wait for a worker, and return it.

    Raises:
        ConflictError: it was swept away meanwhile.
    """
    receiving = and_(table.c.id == batch.id, table.c.state == BatchState.RECEIVING)
    row = conn.execute(
        update(table)
        .where(receiving)
        .values(
            state=BatchState.WAITING,
            size=size,
            sha256=sha256,
            units=units,
            due_at=at,
            updated_at=at,
        )
        .returning(*COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError("the batch was given up because its bytes took too long")
    detail = {"kind": batch.kind, "form": batch.form, "size": size, "sha256": sha256}
    action = journal.Action.BATCH_TAKEN
    journal.append(conn, at=at, action=action, subject=batch.batch_id, detail=detail)
    return batch_of(row)


def pieces(conn: Connection, batch_id: int, first: int, count: int) -> tuple[bytes, ...]:
    """Return the next ``count`` pieces of a batch from number ``first`` on."""
    own = batch_pieces.c
    query = select(own.content).where(
        own.batch_id == batch_id, own.number >= first, own.number < first + count
    )
    return tuple(bytes(each) for each in conn.execute(query.order_by(own.number)).scalars())


def drop_pieces(conn: Connection, batch_id: int, *, limit: int) -> int:
    """Drop up to ``limit`` pieces of a batch and return how many there were."""
    own = batch_pieces.c
    numbers = select(own.number).where(own.batch_id == batch_id).order_by(own.number).limit(limit)
    query = delete(batch_pieces).where(own.batch_id == batch_id, own.number.in_(numbers))
    return conn.execute(query).rowcount


def drop_lines(conn: Connection, batch_id: int, *, limit: int) -> int:
    """Drop up to ``limit`` line results of a batch and return how many there were."""
    own = batch_lines.c
    numbers = select(own.number).where(own.batch_id == batch_id).order_by(own.number).limit(limit)
    query = delete(batch_lines).where(own.batch_id == batch_id, own.number.in_(numbers))
    return conn.execute(query).rowcount


def drop(conn: Connection, batch_id: int) -> None:
    """Drop a batch of which nothing else is left."""
    conn.execute(delete(table).where(table.c.id == batch_id))


def with_pieces_left(conn: Connection, *, limit: int = 20) -> tuple[int, ...]:
    """Return the keys of ended batches whose bytes are still here."""
    query = select(table.c.id).where(
        text("batches.ended_at IS NOT NULL"),
        select(batch_pieces.c.number).where(batch_pieces.c.batch_id == table.c.id).exists(),
    )
    return tuple(conn.execute(query.limit(limit)).scalars())


def forgotten(
    conn: Connection, *, stalled_before: datetime, ended_before: datetime, limit: int = 20
) -> tuple[int, ...]:
    """Return the keys of batches to be dropped: broken uploads, and old results."""
    stalled = text(_IS_RECEIVING) & (table.c.updated_at < stalled_before)
    old = text("batches.ended_at IS NOT NULL") & (table.c.ended_at < ended_before)
    found: list[int] = []
    for condition in (stalled, old):
        found += conn.execute(select(table.c.id).where(condition).limit(limit)).scalars()
    return tuple(found)


def give_up(conn: Connection, batch_id: int, *, at: datetime) -> None:
    """Let a batch take no bytes any more, so that it can be dropped piece by piece."""
    receiving: ColumnElement[bool] = table.c.state == BatchState.RECEIVING
    values = {"state": BatchState.CANCELLED, "ended_at": at, "updated_at": at}
    conn.execute(update(table).where(table.c.id == batch_id, receiving).values(**values))


def _how_many_open(conn: Connection, organisation_id: int) -> int:
    arriving = text(_IS_RECEIVING)
    own = table.c.organisation_id == organisation_id
    query = select(func.count()).select_from(table).where(own, or_(arriving, IS_OPEN))
    found: int = conn.execute(query).scalar_one()
    return found
