"""Queries of reconciliation: what the books of one day hold, and the balances agreed about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, update

from gateway.documents.codes import BooksOutcome, DocumentType
from gateway.errors import ConflictError
from gateway.store.dialects import insert_if_absent
from gateway.store.rows.books import Balance, BookLine, NewBalance, Span
from gateway.store.states import BalanceState, BooksSide
from gateway.store.tables import arrivals, dispatches
from gateway.store.tables import balances as table

_COLUMNS = tuple(table.c[name] for name in Balance.__dataclass_fields__)
_NOT_STATED = (DocumentType.BOOKS_STATEMENT, DocumentType.ACKNOWLEDGEMENT)


def sent(conn: Connection, span: Span) -> tuple[BookLine, ...]:
    """Return what we sent in ``span``, by message id; statements themselves are left out."""
    own = dispatches.c
    answered = case((own.receipt_sha256.is_not(None), own.verdict))
    query = select(
        own.message_id,
        own.document_type,
        own.document_number,
        own.envelope_sha256,
        answered.label("verdict"),
    ).where(_within(conn, dispatches, span))
    return _lines(conn, query)


def cuts(conn: Connection, span: Span, size: int) -> tuple[str, ...]:
    """Return the message ids at which what we sent in ``span`` is cut into parts of ``size``.

    The database counts: a day may hold more messages than a worker has room for.
    """
    order = _sorting(conn, dispatches)
    counted = (
        select(
            dispatches.c.message_id,
            order.label("place"),
            func.row_number().over(order_by=order).label("number"),
            func.count().over().label("whole"),
        )
        .where(_within(conn, dispatches, span))
        .subquery()
    )
    query = select(counted.c.message_id).where(
        counted.c.number % size == 0, counted.c.number < counted.c.whole
    )
    return tuple(conn.execute(query.order_by(counted.c.place)).scalars())


def arrived(conn: Connection, span: Span) -> tuple[BookLine, ...]:
    """Return what arrived that its sender created in ``span``, by message id."""
    return _lines(conn, _arrived().where(_within(conn, arrivals, span)))


def arrived_of(
    conn: Connection, peer_id: int, message_ids: Collection[str]
) -> tuple[BookLine, ...]:
    """Return what arrived from a peer under these ids, whenever it was created."""
    named = arrivals.c.message_id.in_(message_ids)
    return _lines(conn, _arrived().where(arrivals.c.peer_id == peer_id, named))


def open_part(conn: Connection, new: NewBalance) -> Balance:
    """Return the balance of a part, locked; made in round 0 where there is none."""
    values = {name: getattr(new, name) for name in NewBalance.__dataclass_fields__ if name != "at"}
    started = {
        "state": BalanceState.DIFFERENT,
        "round": 0,
        "first_round": 1,
        "counts": [],
        "totals": [],
        "differences": {},
        "created_at": new.at,
        "updated_at": new.at,
    }
    conn.execute(insert_if_absent(conn, table), {**values, **started})
    same = and_(
        table.c.peer_id == new.peer_id,
        table.c.side == new.side,
        table.c.day == new.day,
        table.c.part == new.part,
    )
    found = _first(conn, select(*_COLUMNS).where(same).with_for_update())
    if found is None:
        raise ConflictError(f"part {new.part} of {new.day} vanished")
    return found


def lock(conn: Connection, balance_id: int) -> Balance | None:
    """Return a balance, locked until the transaction ends."""
    return _first(conn, select(*_COLUMNS).where(table.c.id == balance_id).with_for_update())


def by_statement(conn: Connection, peer_id: int, statement_id: str) -> Balance | None:
    """Return the balance whose newest statement is this message of ours, locked."""
    own = and_(
        table.c.peer_id == peer_id,
        table.c.side == BooksSide.SENT,
        table.c.statement_id == statement_id,
    )
    return _first(conn, select(*_COLUMNS).where(own).with_for_update())


def change(conn: Connection, balance: Balance, *, at: datetime, **values: Any) -> Balance:
    """Write columns of a locked balance and return it anew."""
    row = conn.execute(
        update(table)
        .where(table.c.id == balance.id)
        .values(**values, updated_at=at)
        .returning(*_COLUMNS)
    ).one()
    return Balance(**row._mapping)


def awaits(conn: Connection, peer_id: int, day: date, message_id: str) -> bool:
    """Return whether our last answer about ``day`` said that we lack messages of this part."""
    found = page(conn, peer_id=peer_id, side=BooksSide.RECEIVED, day=day)
    return any(
        balance.state is BalanceState.DIFFERENT
        and BooksOutcome.UNKNOWN_HERE in balance.differences
        and (balance.after is None or message_id > balance.after)
        and (balance.up_to is None or message_id <= balance.up_to)
        for balance in found
    )


def due(conn: Connection, now: datetime, *, limit: int = 500) -> tuple[int, ...]:
    """Return keys of the balances that are to be stated again by now, the oldest first."""
    query = select(table.c.id).where(table.c.due_at <= now).order_by(table.c.due_at, table.c.id)
    return tuple(conn.execute(query.limit(limit)).scalars())


def days(conn: Connection, peer_id: int, side: BooksSide, since: date) -> frozenset[date]:
    """Return the days from ``since`` on of which a balance exists."""
    own = and_(table.c.peer_id == peer_id, table.c.side == side, table.c.day >= since)
    return frozenset(conn.execute(select(table.c.day).where(own).distinct()).scalars())


def page(
    conn: Connection,
    *,
    peer_id: int | None = None,
    side: BooksSide | None = None,
    day: date | None = None,
    limit: int = 500,
) -> tuple[Balance, ...]:
    """Return balances, the newest day first, then by peer, side and part."""
    order = (table.c.day.desc(), table.c.peer_id, table.c.side, table.c.part)
    query = select(*_COLUMNS).order_by(*order).limit(limit)
    for column, wanted in ((table.c.peer_id, peer_id), (table.c.side, side), (table.c.day, day)):
        if wanted is not None:
            query = query.where(column == wanted)
    return tuple(Balance(**row._mapping) for row in conn.execute(query))


def _arrived() -> Select[Any]:
    names = BookLine.__dataclass_fields__
    return select(*(arrivals.c[name] for name in names)).where(
        arrivals.c.document_type.not_in(_NOT_STATED)
    )


def _within(conn: Connection, of: Any, span: Span) -> ColumnElement[bool]:
    message_id = _sorting(conn, of)
    bounds = [
        of.c.peer_id == span.peer_id,
        of.c.created_at >= span.start,
        of.c.created_at < span.end,
        of.c.document_type.not_in(_NOT_STATED),
    ]
    if span.after is not None:
        bounds.append(message_id > span.after)
    if span.up_to is not None:
        bounds.append(message_id <= span.up_to)
    return and_(*bounds)


def _sorting(conn: Connection, of: Any) -> ColumnElement[str]:
    """Return message ids so that both sides sort alike, whatever language their database has."""
    message_id: ColumnElement[str] = of.c.message_id
    return message_id.collate("C") if conn.dialect.name == "postgresql" else message_id


def _lines(conn: Connection, query: Select[Any]) -> tuple[BookLine, ...]:
    found = (BookLine(**row._mapping) for row in conn.execute(query))
    return tuple(sorted(found, key=lambda line: line.message_id))


def _first(conn: Connection, query: Select[Any]) -> Balance | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else Balance(**row._mapping)
