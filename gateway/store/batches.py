"""Queries about batches: claiming them, recording lines, showing them.

A batch is worked on under a lease with a fencing number.  Every commit of its lines moves its
position in the same transaction, so a line is either recorded with what it did, or neither.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.batch_states import BatchState, LineOutcome
from gateway.store.roles import OrganisationState
from gateway.store.rows import Batch, BatchLine, BatchStep
from gateway.store.tables import batch_lines, organisations
from gateway.store.tables import batches as table
from gateway.store.tables.batches import BATCH_DUE
from gateway.store.types import UtcMoment

COLUMNS = tuple(table.c[name] for name in Batch.__dataclass_fields__)
_LINE = tuple(batch_lines.c[name] for name in BatchLine.__dataclass_fields__)
IS_OPEN = text("batches." + BATCH_DUE)
LEASE_LOST = "the batch was cancelled, or somebody else works on it"


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
        .returning(*COLUMNS)
    ).one()
    return batch_of(row)


def _due(now: datetime) -> Select[Any]:
    active = organisations.c.state == OrganisationState.ACTIVE
    return (
        select(table.c.id)
        .join(organisations, organisations.c.id == table.c.organisation_id)
        .where(IS_OPEN, table.c.due_at <= now, active)
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
    own = and_(table.c.id == batch.id, table.c.fence == batch.fence, IS_OPEN)
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
        .where(table.c.id == batch.id, IS_OPEN)
        .values(
            state=BatchState.CANCELLED,
            ended_at=at,
            updated_at=at,
            lease_owner=None,
            fence=table.c.fence + 1,
        )
        .returning(*COLUMNS)
    ).one_or_none()
    if row is None:
        raise ConflictError("the batch has ended")
    cancelled = batch_of(row)
    _tell(conn, cancelled, at=at, actor=actor)
    return cancelled


def by_key(conn: Connection, key: int) -> Batch | None:
    """Return the batch with this key, whosever it is."""
    row = conn.execute(select(*COLUMNS).where(table.c.id == key)).one_or_none()
    return None if row is None else batch_of(row)


def find(conn: Connection, organisation_id: int, batch_id: str) -> Batch:
    """Return a batch of this organisation.

    Raises:
        NotFoundError: it has none of this name.
    """
    own = and_(table.c.batch_id == batch_id, table.c.organisation_id == organisation_id)
    arrived = table.c.state != BatchState.RECEIVING
    row = conn.execute(select(*COLUMNS).where(own, arrived)).one_or_none()
    if row is None:
        raise NotFoundError(f"no batch is called {batch_id!r}")
    return batch_of(row)


def standing_still(conn: Connection, *, limit: int) -> tuple[Batch, ...]:
    """Return the open batches of active organisations, the one longest without progress first."""
    active = organisations.c.state == OrganisationState.ACTIVE
    query = (
        select(*COLUMNS)
        .join(organisations, organisations.c.id == table.c.organisation_id)
        .where(IS_OPEN, active)
        .order_by(table.c.updated_at, table.c.id)
        .limit(limit)
    )
    return tuple(batch_of(row) for row in conn.execute(query))


def page(
    conn: Connection, organisation_id: int, *, before: int | None, limit: int
) -> tuple[Batch, ...]:
    """Return the batches of an organisation, the newest first, those before ``before`` only."""
    query = select(*COLUMNS).where(
        table.c.organisation_id == organisation_id, text("batches.state <> 'RECEIVING'")
    )
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(
        batch_of(row) for row in conn.execute(query.order_by(table.c.id.desc()).limit(limit))
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


def _change(conn: Connection, batch: Batch, **values: Any) -> Batch:
    own = and_(
        table.c.id == batch.id, table.c.fence == batch.fence, table.c.state == BatchState.RUNNING
    )
    row = conn.execute(update(table).where(own).values(**values).returning(*COLUMNS)).one_or_none()
    if row is None:
        raise ConflictError(LEASE_LOST)
    return batch_of(row)


def _tell(conn: Connection, batch: Batch, *, at: datetime, actor: str) -> None:
    cancelled = batch.state is BatchState.CANCELLED
    action = journal.Action.BATCH_CANCELLED if cancelled else journal.Action.BATCH_ENDED
    counts = ("lines", "accepted", "repeated", "refused", "code")
    detail = {name: getattr(batch, name) for name in counts} | {"state": batch.state}
    journal.append(conn, at=at, actor=actor, action=action, subject=batch.batch_id, detail=detail)


def batch_of(row: Row[Any]) -> Batch:
    """Return a batch from its row."""
    values = dict(row._mapping)
    return Batch(**{**values, "scopes": tuple(values["scopes"])})


def _line(row: Row[Any]) -> BatchLine:
    values = dict(row._mapping)
    lists = {name: tuple(values[name]) for name in ("findings", "peer_findings")}
    return BatchLine(**{**values, **lists})
