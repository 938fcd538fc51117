"""Queries about batches: taking them in, claiming them, recording lines, showing and forgetting.

A batch is worked on under a lease with a fencing number.  Every commit of its lines moves its
position in the same transaction, so a line is either recorded with what it did, or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.dialects import lock_name
from gateway.store.rows import Batch, BatchLine, BatchStep, NewBatch
from gateway.store.states import BatchState, LineOutcome, OrganisationState
from gateway.store.tables import batch_lines, batch_pieces, organisations
from gateway.store.tables import batches as table
from gateway.store.tables.batches import BATCH_DUE
from gateway.store.types import UtcMoment

_COLUMNS = tuple(table.c[name] for name in Batch.__dataclass_fields__)
_LINE = tuple(batch_lines.c[name] for name in BatchLine.__dataclass_fields__)
_IS_OPEN = text("batches." + BATCH_DUE)
_IS_RECEIVING = "batches.state = 'RECEIVING'"  # conditions of partial indexes, word for word
LEASE_LOST = "the batch was cancelled, or somebody else works on it"


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
    statement = insert(table).values(**started, **zeros).returning(*_COLUMNS)
    return _batch(conn.execute(statement).one())


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
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError("the batch was given up because its bytes took too long")
    detail = {"kind": batch.kind, "form": batch.form, "size": size, "sha256": sha256}
    action = journal.Action.BATCH_TAKEN
    journal.append(conn, at=at, action=action, subject=batch.batch_id, detail=detail)
    return _batch(row)


def pieces(conn: Connection, batch_id: int, first: int, count: int) -> tuple[bytes, ...]:
    """Return the next ``count`` pieces of a batch from number ``first`` on."""
    own = batch_pieces.c
    query = select(own.content).where(
        own.batch_id == batch_id, own.number >= first, own.number < first + count
    )
    return tuple(bytes(each) for each in conn.execute(query.order_by(own.number)).scalars())


def _how_many_open(conn: Connection, organisation_id: int) -> int:
    arriving = text(_IS_RECEIVING)
    own = table.c.organisation_id == organisation_id
    query = select(func.count()).select_from(table).where(own, or_(arriving, _IS_OPEN))
    found: int = conn.execute(query).scalar_one()
    return found


def is_any_due(conn: Connection, now: datetime) -> bool:
    """Return whether a batch waits for a worker."""
    return conn.execute(_due(now)).first() is not None


def claim(conn: Connection, worker: str, now: datetime, *, until: datetime) -> Batch | None:
    """Take the batch that has waited longest for ``worker`` until the lease ends.

    Batches of suspended organisations wait until these are taken up again.
    """
    found = conn.execute(_due(now).with_for_update(of=table, skip_locked=True)).scalar()
    if found is None:
        return None
    row = conn.execute(
        update(table)
        .where(table.c.id == found)
        .values(
            state=BatchState.RUNNING,
            due_at=until,
            lease_owner=worker,
            fence=table.c.fence + 1,
            started_at=func.coalesce(table.c.started_at, literal(now, UtcMoment)),
            updated_at=now,
        )
        .returning(*_COLUMNS)
    ).one()
    return _batch(row)


def _due(now: datetime) -> Select[Any]:
    active = organisations.c.state == OrganisationState.ACTIVE
    return (
        select(table.c.id)
        .join(organisations, organisations.c.id == table.c.organisation_id)
        .where(_IS_OPEN, table.c.due_at <= now, active)
        .order_by(table.c.due_at, table.c.id)
        .limit(1)
    )


def hold(conn: Connection, batch: Batch, *, until: datetime) -> None:
    """Keep a claimed batch until a new moment; its row stays locked until the transaction ends.

    Raises:
        ConflictError: the claim was lost.
    """
    _change(conn, batch, due_at=until)


def advance(conn: Connection, batch: Batch, step: BatchStep, *, at: datetime) -> Batch:
    """Record what became of the next lines of a claimed batch, and return it anew.

    Raises:
        ConflictError: the claim was lost; nothing may be committed.
    """
    counts = {
        outcome: sum(line.outcome is outcome for line in step.lines) for outcome in LineOutcome
    }
    changed = _change(
        conn,
        batch,
        position=dict(step.position),
        units_done=step.units_done,
        lines=table.c.lines + len(step.lines),
        accepted=table.c.accepted + counts[LineOutcome.ACCEPTED],
        repeated=table.c.repeated + counts[LineOutcome.REPEATED],
        refused=table.c.refused + counts[LineOutcome.REFUSED],
        tries=0,
        updated_at=at,
    )
    if step.lines:
        rows = [{**vars(line), "batch_id": batch.id} for line in step.lines]
        conn.execute(insert(batch_lines), rows)
    return changed


def release(conn: Connection, batch: Batch, *, due_at: datetime, failed: bool = False) -> None:
    """Give a claimed batch back, to be taken up again at ``due_at``; a lost one is let be."""
    own = and_(table.c.id == batch.id, table.c.fence == batch.fence, _IS_OPEN)
    values: dict[str, Any] = {"due_at": due_at, "lease_owner": None}
    if failed:
        values["tries"] = table.c.tries + 1
    conn.execute(update(table).where(own).values(**values))


def end(
    conn: Connection,
    batch: Batch,
    state: BatchState,
    *,
    at: datetime,
    code: str | None = None,
    detail: str | None = None,
) -> Batch:
    """End a claimed batch and return it; its bytes go with ``drop_pieces``.

    Raises:
        ConflictError: the claim was lost.
    """
    ended = _change(
        conn,
        batch,
        state=state,
        ended_at=at,
        updated_at=at,
        lease_owner=None,
        code=code,
        detail=detail,
    )
    _tell(conn, ended, at=at, actor=journal.GATEWAY)
    return ended


def cancel(conn: Connection, batch: Batch, *, at: datetime, actor: str) -> Batch:
    """End a batch before all its lines were read, and return it.

    Raises:
        ConflictError: it has ended already.
    """
    row = conn.execute(
        update(table)
        .where(table.c.id == batch.id, _IS_OPEN)
        .values(
            state=BatchState.CANCELLED,
            ended_at=at,
            updated_at=at,
            lease_owner=None,
            fence=table.c.fence + 1,
        )
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError("the batch has ended")
    cancelled = _batch(row)
    _tell(conn, cancelled, at=at, actor=actor)
    return cancelled


def by_key(conn: Connection, key: int) -> Batch | None:
    """Return the batch with this key, whosever it is."""
    row = conn.execute(select(*_COLUMNS).where(table.c.id == key)).one_or_none()
    return None if row is None else _batch(row)


def find(conn: Connection, organisation_id: int, batch_id: str) -> Batch:
    """Return a batch of this organisation.

    Raises:
        NotFoundError: it has none of this name.
    """
    own = and_(table.c.batch_id == batch_id, table.c.organisation_id == organisation_id)
    arrived = table.c.state != BatchState.RECEIVING
    row = conn.execute(select(*_COLUMNS).where(own, arrived)).one_or_none()
    if row is None:
        raise NotFoundError(f"no batch is called {batch_id!r}")
    return _batch(row)


def page(
    conn: Connection, organisation_id: int, *, before: int | None, limit: int
) -> tuple[Batch, ...]:
    """Return the batches of an organisation, the newest first, those before ``before`` only."""
    query = select(*_COLUMNS).where(
        table.c.organisation_id == organisation_id, text("batches.state <> 'RECEIVING'")
    )
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(
        _batch(row) for row in conn.execute(query.order_by(table.c.id.desc()).limit(limit))
    )


def lines(
    conn: Connection, batch: Batch, *, after: int, limit: int, outcome: LineOutcome | None = None
) -> tuple[BatchLine, ...]:
    """Return what became of the lines behind number ``after``, in their order."""
    if outcome is LineOutcome.REFUSED:
        query = refused_lines(batch.id, after=after, limit=limit)
    else:
        query = _lines_of(batch.id, after).limit(limit)
    if outcome not in (None, LineOutcome.REFUSED):
        query = query.where(batch_lines.c.outcome == outcome)
    return tuple(_line(row) for row in conn.execute(query))


def refused_lines(batch_id: int, *, after: int, limit: int) -> Select[Any]:
    """Return the query for the lines of a batch that were refused; its index has them alone."""
    refused = text("batch_lines.outcome = 'REFUSED'")
    return _lines_of(batch_id, after).where(refused).limit(limit)


def _lines_of(batch_id: int, after: int) -> Select[Any]:
    own = batch_lines.c
    return select(*_LINE).where(own.batch_id == batch_id, own.number > after).order_by(own.number)


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


def _change(conn: Connection, batch: Batch, **values: Any) -> Batch:
    own = and_(
        table.c.id == batch.id, table.c.fence == batch.fence, table.c.state == BatchState.RUNNING
    )
    row = conn.execute(update(table).where(own).values(**values).returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise ConflictError(LEASE_LOST)
    return _batch(row)


def _tell(conn: Connection, batch: Batch, *, at: datetime, actor: str) -> None:
    cancelled = batch.state is BatchState.CANCELLED
    action = journal.Action.BATCH_CANCELLED if cancelled else journal.Action.BATCH_ENDED
    counts = ("lines", "accepted", "repeated", "refused", "code")
    detail = {name: getattr(batch, name) for name in counts} | {"state": batch.state}
    journal.append(conn, at=at, actor=actor, action=action, subject=batch.batch_id, detail=detail)


def _batch(row: Row[Any]) -> Batch:
    values = dict(row._mapping)
    return Batch(**{**values, "scopes": tuple(values["scopes"])})


def _line(row: Row[Any]) -> BatchLine:
    values = dict(row._mapping)
    lists = {name: tuple(values[name]) for name in ("findings", "peer_findings")}
    return BatchLine(**{**values, **lists})
