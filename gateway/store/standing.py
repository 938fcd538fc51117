"""Whether a row may be erased: due, open or held.  Decided here for preview and run alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, or_, select

from gateway.documents.codes import UtilisationStatus
from gateway.store import holds
from gateway.store.conversations import Conversation, gathered, held_conversations, not_erased
from gateway.store.keys import canonical_key
from gateway.store.retention_terms import (
    Candidate,
    Closed,
    CountedFrom,
    Page,
    Selection,
    Standing,
    Unit,
    floor,
)
from gateway.store.states import ErasedKind, HoldScope, IssueState, Side
from gateway.store.tables import arrivals, certificates, dispatches, events

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def page(
    conn: Connection,
    selection: Selection,
    *,
    after: int,
    limit: int,
    now: datetime,
    lock: bool = False,
) -> Page:
    """Return what of the next ``limit`` rows is over its years, with its standing.

    Args:
        lock: hold the certificates until the transaction ends.
    """
    rows = _read(conn, selection, after, limit, lock=lock)
    last = rows[-1].key if rows else after
    if selection.unit is Unit.EVENTS:
        found = _events(conn, rows)
    else:
        found = _of_conversations(conn, selection, rows, floor(now))
    return Page(rows=tuple(found), last=last, ended=len(rows) < limit)


def _read(
    conn: Connection, selection: Selection, after: int, limit: int, *, lock: bool
) -> Sequence[Row[Any]]:
    table, query = _QUERIES[selection.unit](selection)
    key = table.c.cursor if selection.unit is Unit.EVENTS else table.c.id
    query = query.where(key > after).order_by(key).limit(limit)
    if lock and selection.unit is Unit.CERTIFICATES:
        query = query.with_for_update(of=certificates)
    return conn.execute(query).all()


def _certificates_query(selection: Selection) -> Any:
    own, day = certificates.c, selection.before.date()
    dates = {
        CountedFrom.ISSUE: own.issued_on < day,
        CountedFrom.VALIDITY_END: own.valid_until < day,
        CountedFrom.LAST_CHANGE: own.state_since < selection.before,
    }
    query = select(
        own.id.label("key"),
        own.serial_number,
        own.conversation_id,
        own.issued_on,
        own.valid_until,
        own.state_since,
    ).where(
        _closed_in(selection.closed),
        not_erased(ErasedKind.CERTIFICATE, own.id),
        *(where for name, where in dates.items() if name in selection.counted_from),
    )
    return certificates, query


def _closed_in(closed: Closed) -> ColumnElement[bool]:
    own = certificates.c
    issued = [state.value for state in closed.issued]
    received = [state.value for state in closed.received]
    used: ColumnElement[bool] = false()
    if closed.fully_used:
        used = and_(
            own.side == Side.ISSUED,
            own.state == IssueState.ISSUED.value,
            own.reported_status == UtilisationStatus.FULL,
        )
    return or_(
        and_(own.side == Side.ISSUED, own.state.in_(issued)),
        and_(own.side == Side.RECEIVED, own.state.in_(received)),
        used,
    )


def _arrivals_query(selection: Selection) -> Any:
    own = arrivals.c
    query = select(own.id.label("key"), own.message_id, own.conversation_id).where(
        own.received_at < selection.before,
        ~exists().where(certificates.c.conversation_id == own.conversation_id),
        not_erased(ErasedKind.ARRIVAL, own.id),
    )
    return arrivals, query


def _dispatches_query(selection: Selection) -> Any:
    own = dispatches.c
    query = select(own.id.label("key"), own.message_id, own.conversation_id).where(
        own.updated_at < selection.before,
        ~exists().where(certificates.c.conversation_id == own.conversation_id),
        not_erased(ErasedKind.DISPATCH, own.id),
    )
    return dispatches, query


def _events_query(selection: Selection) -> Any:
    own = events.c
    query = select(own.cursor.label("key"), own.at, own.subject).where(own.at < selection.before)
    return events, query


_QUERIES = {
    Unit.CERTIFICATES: _certificates_query,
    Unit.ARRIVALS: _arrivals_query,
    Unit.DISPATCHES: _dispatches_query,
    Unit.EVENTS: _events_query,
}


def _of_conversations(
    conn: Connection, selection: Selection, rows: Sequence[Row[Any]], young: datetime
) -> Iterable[Candidate]:
    known = gathered(conn, {row.conversation_id for row in rows})
    held = held_conversations(conn, known)
    told: set[str] = set()
    for row in rows:
        conversation = known[row.conversation_id]
        counted = _counted_from(selection, row, conversation)
        if counted >= selection.before or _latest(conversation) >= young:
            continue
        standing = Standing.DUE
        if conversation.is_open(selection.final):
            standing = Standing.OPEN
        elif row.conversation_id in held:
            standing = Standing.HELD
        yield _candidate(selection, row, conversation, counted, standing, told)
        told.add(row.conversation_id)


def _counted_from(selection: Selection, row: Row[Any], conversation: Conversation) -> datetime:
    """Return the latest of the dates that count for this class."""
    last = conversation.last_message()
    if selection.unit is not Unit.CERTIFICATES:
        return last or _LONG_AGO
    dates: dict[CountedFrom, datetime] = {
        CountedFrom.ISSUE: midnight(row.issued_on),
        CountedFrom.VALIDITY_END: midnight(row.valid_until),
        CountedFrom.LAST_CHANGE: row.state_since,
        CountedFrom.LAST_MESSAGE: last or _LONG_AGO,
    }
    return max(moment for name, moment in dates.items() if name in selection.counted_from)


def _latest(conversation: Conversation) -> datetime:
    """Return the youngest date of anything in the conversation, whatever the class counts."""
    moments = [conversation.last_message() or _LONG_AGO]
    for row in conversation.certificates:
        moments += [midnight(row.issued_on), row.state_since]
    return max(moments)


def _candidate(
    selection: Selection,
    row: Row[Any],
    conversation: Conversation,
    counted: datetime,
    standing: Standing,
    told: set[str],
) -> Candidate:
    whole = row.conversation_id not in told
    if selection.unit is Unit.CERTIFICATES:
        return Candidate(
            key=row.key,
            subject=row.serial_number,
            counted_from=counted,
            standing=standing,
            certificates=(row.key,),
            dispatches=tuple(each.id for each in conversation.dispatches if whole),
            arrivals=tuple(each.id for each in conversation.arrivals if whole),
            document_keys=tuple(sorted(conversation.keys())),
        )
    return Candidate(
        key=row.key,
        subject=row.message_id,
        counted_from=counted,
        standing=standing,
        dispatches=(row.key,) if selection.unit is Unit.DISPATCHES else (),
        arrivals=(row.key,) if selection.unit is Unit.ARRIVALS else (),
        document_keys=tuple(sorted(conversation.keys())),
    )


def _events(conn: Connection, rows: Sequence[Row[Any]]) -> Iterable[Candidate]:
    """Yield events: they stay as long as what they speak of, and as any hold on a peer."""
    in_force = holds.every(conn)
    all_held = any(hold.scope is HoldScope.PEER for hold in in_force)
    held = {hold.subject_key for hold in in_force}
    kept = _kept_subjects(conn, {row.subject for row in rows})
    for row in rows:
        key = canonical_key(row.subject)
        standing = Standing.DUE
        if row.subject in kept or key in kept:
            standing = Standing.OPEN
        elif all_held or row.subject in held or key in held:
            standing = Standing.HELD
        yield Candidate(key=row.key, subject=row.subject, counted_from=row.at, standing=standing)


def _kept_subjects(conn: Connection, subjects: set[str]) -> set[str]:
    """Return those serial numbers and message ids whose document is not erased."""
    keys = {canonical_key(subject) for subject in subjects}
    serials = select(certificates.c.serial_key).where(
        certificates.c.serial_key.in_(keys),
        not_erased(ErasedKind.CERTIFICATE, certificates.c.id),
    )
    ids = select(dispatches.c.message_id).where(
        dispatches.c.message_id.in_(subjects), not_erased(ErasedKind.DISPATCH, dispatches.c.id)
    )
    return {*conn.execute(serials).scalars(), *conn.execute(ids).scalars()}


def midnight(day: date) -> datetime:
    """Return the beginning of a day in UTC."""
    return datetime.combine(day, time.min, UTC)
