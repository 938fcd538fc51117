"""Planning and running retention: the preview first, then chunk after chunk of the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from gateway.documents.findings import LocalisedText
from gateway.errors import ConflictError, InputError
from gateway.keeping.classes import RetentionClass
from gateway.store import Store
from gateway.store.retention import Candidate, Erased, Selection, Standing, erase, page

CHUNK = 100
_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Is what one class would erase, and what it leaves alone.

    Attributes:
        due: certificates, messages or events that a run would erase.
        held: over their years, but under a legal hold.
        open: over their years, but something about them is not final.
        oldest: earliest date that counts among what is due.
    """

    retention_class: str
    label: LocalisedText
    years: int
    before: date
    due: int
    held: int
    open: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, kw_only=True)
class RetentionRun:
    """Is what a run has erased."""

    retention_class: str
    before: date
    subjects: int
    bodies: int
    size: int
    chunks: int


def preview(
    conn: Connection, kept: RetentionClass, before: date | None, *, now: datetime, least_years: int
) -> Preview:
    """Return what a run of this class would erase; changes nothing.

    Raises:
        InputError: ``before`` reaches into years that must be kept.
    """
    day = _checked(kept, before, now=now, least_years=least_years)
    counts = dict.fromkeys(Standing, 0)
    oldest: datetime | None = None
    newest: datetime | None = None
    for selection in kept.selections(day):
        for candidate in _all(conn, selection, now):
            counts[candidate.standing] += 1
            if candidate.standing is Standing.DUE:
                oldest = min(oldest or candidate.counted_from, candidate.counted_from)
                newest = max(newest or candidate.counted_from, candidate.counted_from)
    return Preview(
        retention_class=kept.id,
        label=kept.label,
        years=max(kept.years, least_years),
        before=day,
        due=counts[Standing.DUE],
        held=counts[Standing.HELD],
        open=counts[Standing.OPEN],
        oldest=oldest,
        newest=newest,
    )


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """Says what to erase.

    Attributes:
        confirmed: how many the preview showed; another number stops the run.
        chunk: rows looked at in one transaction.
    """

    retention_class: RetentionClass
    before: date
    confirmed: int
    least_years: int
    actor: str
    chunk: int = CHUNK


def run(store: Store, order: RunOrder, *, now: datetime) -> RetentionRun:
    """Erase what is due, in short transactions, and return how much it was.

    A run that is stopped half-way has erased whole chunks; the next preview shows the rest.

    Raises:
        InputError: the day reaches into years that must be kept.
        ConflictError: the number confirmed is not the number due.
    """
    kept = order.retention_class
    with store.read() as conn:
        found = preview(conn, kept, order.before, now=now, least_years=order.least_years)
    if found.due != order.confirmed:
        raise ConflictError(
            f"{found.due} are due in the class {kept.id} before {order.before}, "
            f"but {order.confirmed} were confirmed; look at the preview again"
        )
    done = list(_chunks(store, order, now))
    return RetentionRun(
        retention_class=kept.id,
        before=order.before,
        subjects=sum(chunk.subjects for chunk in done),
        bodies=sum(chunk.bodies for chunk in done),
        size=sum(chunk.size for chunk in done),
        chunks=len(done),
    )


def _chunks(store: Store, order: RunOrder, now: datetime) -> Iterator[Erased]:
    left = order.confirmed
    for selection in order.retention_class.selections(order.before):
        after, ended = 0, False
        while left and not ended:
            with store.begin() as conn:
                chunk = erase(
                    conn,
                    selection,
                    after=after,
                    limit=order.chunk,
                    most=left,
                    actor=order.actor,
                    now=now,
                )
            left -= chunk.subjects
            after, ended = chunk.last, chunk.ended
            yield chunk


def _all(conn: Connection, selection: Selection, now: datetime) -> Iterator[Candidate]:
    after, ended = 0, False
    while not ended:
        found = page(conn, selection, after=after, limit=_PAGE, now=now)
        yield from found.rows
        after, ended = found.last, found.ended


def _checked(kept: RetentionClass, before: date | None, *, now: datetime, least_years: int) -> date:
    latest = kept.cutoff(now, least_years=least_years)
    if before is not None and before > latest:
        raise InputError(
            f"the class {kept.id} is kept for {max(kept.years, least_years)} years: "
            f"nothing counted on or after {latest} may be erased"
        )
    return before or latest
