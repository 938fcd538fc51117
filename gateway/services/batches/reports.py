"""Telling an organisation what became of its batches; cancelling one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.services.access import Caller
from gateway.services.batches.uploads import SCOPE_OF
from gateway.services.counter import Counter
from gateway.store import Batch, BatchLine, LineOutcome, batches


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Is how fast a batch goes, as far as that can be said.

    Attributes:
        part: of it that was read, from 0 to 1.
        lines_per_second: since it was begun.
        expected_end: at the rate so far.
    """

    part: float
    lines_per_second: float | None
    expected_end: datetime | None


def progress_of(batch: Batch) -> Progress:
    """Return how far and how fast a batch has come."""
    part = min(1.0, batch.units_done / batch.units) if batch.units else 0.0
    if batch.started_at is None:
        return Progress(part=part, lines_per_second=None, expected_end=None)
    seconds = ((batch.ended_at or batch.updated_at) - batch.started_at).total_seconds()
    rate = batch.lines / seconds if seconds > 0 and batch.lines else None
    end = batch.ended_at
    if end is None and rate is not None and part > 0:
        end = batch.updated_at + timedelta(seconds=seconds * (1 - part) / part)
    return Progress(part=part, lines_per_second=rate, expected_end=end)


def one_batch(counter: Counter, caller: Caller, batch_id: str) -> Batch:
    """Return a batch of the caller's organisation.

    Raises:
        NotFoundError: there is none, or it is another's.
    """
    with counter.desk.store.read() as conn:
        return batches.find(conn, caller.organisation.id, batch_id)


def page_of_batches(
    counter: Counter, caller: Caller, *, before: int | None, limit: int
) -> tuple[tuple[Batch, ...], int | None]:
    """Return batches of the caller's organisation, newest first, and where the next page begins."""
    with counter.desk.store.read() as conn:
        found = batches.page(conn, caller.organisation.id, before=before, limit=limit + 1)
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None


def page_of_lines(
    counter: Counter,
    caller: Caller,
    batch_id: str,
    *,
    after: int,
    limit: int,
    outcome: LineOutcome | None,
) -> tuple[Batch, tuple[BatchLine, ...]]:
    """Return a batch and the results of its lines behind number ``after``.

    Raises:
        NotFoundError: there is no such batch, or it is another's.
    """
    with counter.desk.store.read() as conn:
        batch = batches.find(conn, caller.organisation.id, batch_id)
        return batch, batches.lines(conn, batch, after=after, limit=limit, outcome=outcome)


def cancel(counter: Counter, caller: Caller, batch_id: str) -> Batch:
    """End a batch of the caller's organisation before all its lines were read, and return it.

    What was accepted stays accepted; the lines of a commit under way may still be.

    Raises:
        NotFoundError: there is none, or it is another's.
        ConflictError: it has ended already.
        NotPermittedError: the caller could not have handed it in.
    """
    store = counter.desk.store
    with store.begin() as conn:
        batch = batches.find(conn, caller.organisation.id, batch_id)
        caller.require(SCOPE_OF[batch.kind])
        return batches.cancel(conn, batch, at=counter.desk.clock(), actor=caller.actor)
