"""What may be erased, and erasing it: never anything open, held or younger than five years.

The unit is the conversation, the life of one certificate of origin: as long as one of its
messages is young or not final, all of it stays.  Whether a row is due is decided in one
place (``gateway.store.standing``) for the preview and for the run.  Erasing empties bodies and
personal data; rows, numbers, digests, receipts, ledger and journal stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, text, update

from gateway.errors import InputError
from gateway.store import journal, search_keys
from gateway.store.conversations import not_erased
from gateway.store.dialects import lock_name
from gateway.store.holds import LOCK
from gateway.store.retention_terms import Candidate, Page, Selection, Standing, Unit, floor
from gateway.store.standing import page
from gateway.store.states import ErasedKind
from gateway.store.tables import (
    arrivals,
    attempts,
    bodies,
    certificate_items,
    certificates,
    dispatches,
    erased_bodies,
    erasures,
    events,
    metadata,
    responses,
)

__all__ = ["Candidate", "Erased", "Page", "Selection", "Standing", "Unit", "erase", "floor", "page"]


KEPT_BY = tuple(
    key.parent
    for table in metadata.sorted_tables
    for key in table.foreign_keys
    if key.target_fullname == "bodies.sha256"
    and table not in (arrivals, certificates, dispatches, erased_bodies, responses)
)
"""Columns of other tables that name stored bytes: whoever adds one keeps what it names."""


@dataclass(frozen=True, kw_only=True)
class Erased:
    """Is what one short transaction has erased.

    Attributes:
        subjects: certificates, messages or events.
        size: bytes of the bodies, before.
        last: key of the last row looked at; the next page begins behind it.
        ended: nothing is left to look at.
    """

    subjects: int
    bodies: int
    size: int
    last: int
    ended: bool


def erase(
    conn: Connection,
    selection: Selection,
    *,
    after: int,
    limit: int,
    most: int,
    actor: str,
    now: datetime,
) -> Erased:
    """Erase what is due among the next ``limit`` rows, at most ``most`` of them.

    Raises:
        InputError: the selection reaches into the last five years.
    """
    if selection.before > floor(now):
        raise InputError("nothing younger than five years is ever erased")
    lock_name(conn, LOCK)
    found = page(conn, selection, after=after, limit=limit, now=now, lock=True)
    due = [row for row in found.rows if row.standing is Standing.DUE][:most]
    emptied: list[tuple[str, int]] = []
    if selection.unit is Unit.EVENTS:
        _forget_events(conn, selection, due, actor=actor, now=now)
    else:
        named = {candidate.key: _named(conn, candidate) for candidate in due}
        kept = _kept_by_others(conn, set().union(*named.values()))
        for candidate in due:
            wanted = named[candidate.key] - kept
            emptied += _erase_one(conn, selection, candidate, wanted, actor=actor, now=now)
    last = due[-1].key if len(due) == most and due else found.last
    return Erased(
        subjects=len(due),
        bodies=len(emptied),
        size=sum(size for _, size in emptied),
        last=last,
        ended=found.ended and len(due) < most,
    )


def _erase_one(
    conn: Connection,
    selection: Selection,
    candidate: Candidate,
    wanted: set[str],
    *,
    actor: str,
    now: datetime,
) -> list[tuple[str, int]]:
    emptied = _empty_bodies(conn, wanted - _needed(conn, candidate, wanted), now)
    _blank(conn, candidate)
    conn.execute(
        insert(erasures),
        [
            {
                "kind": kind,
                "row_id": row_id,
                "retention_class": selection.name,
                "erased_at": now,
            }
            for kind, ids in (
                (ErasedKind.CERTIFICATE, candidate.certificates),
                (ErasedKind.DISPATCH, candidate.dispatches),
                (ErasedKind.ARRIVAL, candidate.arrivals),
            )
            for row_id in ids
        ],
    )
    journal.append(
        conn,
        at=now,
        actor=actor,
        action=journal.Action.RETENTION_ERASED,
        subject=candidate.subject,
        detail={
            "class": selection.name,
            "counted_from": candidate.counted_from.isoformat(),
            "bodies": len(emptied),
            "digests_sha256": _over(sha256 for sha256, _ in emptied),
        },
    )
    return emptied


def _empty_bodies(conn: Connection, wanted: set[str], now: datetime) -> list[tuple[str, int]]:
    """Empty bodies that nothing needs any more; return digest and size of each."""
    query = select(bodies.c.sha256, func.length(bodies.c.content)).where(
        bodies.c.sha256.in_(wanted), func.length(bodies.c.content) > 0
    )
    found = [(sha256, size) for sha256, size in conn.execute(query.order_by(bodies.c.sha256))]
    if not found:
        return []
    if conn.dialect.name == "sqlite":
        conn.execute(text("PRAGMA secure_delete = ON"))  # freed pages are overwritten
    digests = [sha256 for sha256, _ in found]
    conn.execute(update(bodies).where(bodies.c.sha256.in_(digests)).values(content=b""))
    conn.execute(erased_bodies.delete().where(erased_bodies.c.sha256.in_(digests)))
    conn.execute(
        insert(erased_bodies),
        [{"sha256": sha256, "size": size, "erased_at": now} for sha256, size in found],
    )
    return found


def _named(conn: Connection, candidate: Candidate) -> set[str]:
    """Return the digests that the rows of a candidate name; receipts are not among them."""
    return _digests(
        conn,
        (
            (certificates.c.payload_sha256, certificates.c.id, candidate.certificates),
            (responses.c.payload_sha256, responses.c.certificate_id, candidate.certificates),
            (dispatches.c.envelope_sha256, dispatches.c.id, candidate.dispatches),
            (dispatches.c.payload_sha256, dispatches.c.id, candidate.dispatches),
            (arrivals.c.envelope_sha256, arrivals.c.id, candidate.arrivals),
            (arrivals.c.payload_sha256, arrivals.c.id, candidate.arrivals),
        ),
    )


def _needed(conn: Connection, candidate: Candidate, wanted: set[str]) -> set[str]:
    """Return digests that must stay: receipts, and the same document carried elsewhere.

    The same document has the same number, so the index over numbers finds the other carriers.
    """
    found = _digests(
        conn,
        (
            (dispatches.c.receipt_sha256, dispatches.c.id, candidate.dispatches),
            (arrivals.c.receipt_sha256, arrivals.c.id, candidate.arrivals),
        ),
    )
    for table, kind, own in (
        (dispatches, ErasedKind.DISPATCH, candidate.dispatches),
        (arrivals, ErasedKind.ARRIVAL, candidate.arrivals),
    ):
        number = table.c.document_key
        elsewhere = select(table.c.payload_sha256).where(
            or_(number.in_(candidate.document_keys), number.is_(None)),
            table.c.payload_sha256.in_(wanted),
            table.c.id.not_in(own),
            not_erased(kind, table.c.id),
        )
        found |= set(conn.execute(elsewhere).scalars())
    return found


def _kept_by_others(conn: Connection, wanted: set[str]) -> set[str]:
    """Return those digests that any other table names, such as the signed balances."""
    return _digests(conn, ((column, column, wanted) for column in KEPT_BY))


def _digests(
    conn: Connection,
    sources: Iterable[tuple[ColumnElement[Any], ColumnElement[Any], Collection[Any]]],
) -> set[str]:
    """Return what stands in one column where another has one of some values, over all sources."""
    found: set[str] = set()
    for column, key, values in sources:
        if values:
            found |= set(conn.execute(select(column).where(key.in_(values))).scalars())
    found.discard(None)  # columns may be empty
    return found


def _blank(conn: Connection, candidate: Candidate) -> None:
    """Take names of persons and firms, and words of free text, out of the rows that stay."""
    for table, column in ((dispatches, dispatches.c.id), (attempts, attempts.c.dispatch_id)):
        if candidate.dispatches:
            conn.execute(update(table).where(column.in_(candidate.dispatches)).values(detail=None))
    own = candidate.certificates
    if not own:
        return
    conn.execute(
        update(certificates)
        .where(certificates.c.id.in_(own))
        .values(exporter_name="", exporter_number=None, exporter_key=None, consignee_name="")
    )
    conn.execute(
        update(certificate_items)
        .where(certificate_items.c.certificate_id.in_(own))
        .values(description="")
    )
    search_keys.forget_personal(conn, own)
    conn.execute(
        update(responses)
        .where(responses.c.certificate_id.in_(own))
        .values(
            officer=None, declaration_number=None, declaration_key=None, findings=[], reasons=[]
        )
    )


def _forget_events(
    conn: Connection,
    selection: Selection,
    due: Sequence[Candidate],
    *,
    actor: str,
    now: datetime,
) -> None:
    if not due:
        return
    conn.execute(events.delete().where(events.c.cursor.in_([row.key for row in due])))
    journal.append(
        conn,
        at=now,
        actor=actor,
        action=journal.Action.RETENTION_ERASED,
        subject="events",
        detail={
            "class": selection.name,
            "first_cursor": due[0].key,
            "last_cursor": due[-1].key,
            "events": len(due),
        },
    )


def _over(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()
