"""The inbox: what arrived, once, with the receipt it was and will be answered with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from gateway.documents.codes import Verdict
from gateway.errors import MessageIdReusedError
from gateway.store import bodies, journal
from gateway.store.dialects import lock_name
from gateway.store.keys import canonical_key, digest
from gateway.store.rows import Arrival, NewArrival
from gateway.store.statements import Statement, inserting
from gateway.store.tables import arrivals
from gateway.store.tables import bodies as body_table

_COLUMNS = (
    *(arrivals.c[name] for name in Arrival.__dataclass_fields__ if name != "receipt"),
    body_table.c.content.label("receipt"),
)
_SHOWN = select(*_COLUMNS).join(body_table, body_table.c.sha256 == arrivals.c.receipt_sha256)
_BY_ID = Statement(
    _SHOWN.where(
        arrivals.c.peer_id == bindparam("peer_id"),
        arrivals.c.message_id == bindparam("message_id"),
    )
)
_GIVEN = tuple(
    name
    for name in NewArrival.__dataclass_fields__
    if name not in ("envelope", "payload", "receipt")
)
_DERIVED = ("repeats", "document_key", "envelope_sha256", "payload_sha256", "receipt_sha256")
_INSERT = inserting(arrivals, (*_GIVEN, *_DERIVED), arrivals.c.id, if_absent=True)


def reserve(conn: Connection, peer_id: int, message_id: str) -> Arrival | None:
    """Return the arrival stored under this id; if none, nobody else stores one before we end.

    Call it first in the transaction that settles a message: of two workers that received
    the same bytes, the second waits here and then finds the first one's receipt.
    """
    lock_name(conn, f"arrival {peer_id} {message_id}")
    return find(conn, peer_id, message_id)


def find(conn: Connection, peer_id: int, message_id: str) -> Arrival | None:
    """Return what a peer sent under this id."""
    row = _BY_ID.first(conn, peer_id=peer_id, message_id=message_id)
    return None if row is None else _arrival(row._asdict())


def find_by_digest(conn: Connection, envelope_sha256: str) -> Arrival | None:
    """Return the first arrival of exactly these envelope bytes."""
    same = arrivals.c.envelope_sha256 == envelope_sha256
    return _first(conn, _SHOWN.where(same).order_by(arrivals.c.id).limit(1))


def find_by_message(conn: Connection, message_id: str) -> tuple[Arrival, ...]:
    """Return what any peer sent under this id; ids are unique per sender only."""
    query = _SHOWN.where(arrivals.c.message_id == message_id).order_by(arrivals.c.id)
    return tuple(_arrival(row._mapping) for row in conn.execute(query))


def record_arrival(conn: Connection, new: NewArrival) -> Arrival:
    """Store a message with its receipt and return it; the very same message is no error.

    Raises:
        MessageIdReusedError: the peer used this id before for other bytes.
    """
    values = {name: getattr(new, name) for name in _GIVEN}
    key = None if new.document_number is None else canonical_key(new.document_number)
    payload = () if new.payload is None else (new.payload,)
    envelope_sha256, receipt_sha256, *rest = bodies.put_all(
        conn, new.envelope, new.receipt, *payload
    )
    values |= {
        "repeats": 0,
        "envelope_sha256": envelope_sha256,
        "payload_sha256": rest[0] if rest else None,
        "receipt_sha256": receipt_sha256,
    }
    inserted = _INSERT.scalar(conn, **values, document_key=key)
    if inserted is None:
        return _recorded_before(conn, new)
    stored = Arrival(id=inserted, receipt=new.receipt, **values)
    _journal_arrival(conn, stored)
    return stored


def note_repeat(conn: Connection, arrival: Arrival, *, at: datetime) -> None:
    """Count and journal that the same message came again and got the same receipt."""
    conn.execute(
        update(arrivals).where(arrivals.c.id == arrival.id).values(repeats=arrivals.c.repeats + 1)
    )
    journal.append(
        conn,
        at=at,
        action=journal.Action.ARRIVAL_REPEATED,
        subject=arrival.message_id,
        detail={"receipt_sha256": arrival.receipt_sha256},
    )


def set_verdict(conn: Connection, arrival: Arrival, verdict: Verdict, *, at: datetime) -> None:
    """Write the verdict that the stored receipt of an arrival states."""
    conn.execute(update(arrivals).where(arrivals.c.id == arrival.id).values(verdict=verdict))
    action, detail = journal.Action.BOOKS_CORRECTED, {"verdict": verdict}
    journal.append(conn, at=at, action=action, subject=arrival.message_id, detail=detail)


def page(
    conn: Connection,
    *,
    peer_id: int | None = None,
    document_number: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Arrival, ...]:
    """Return the newest arrivals first; pass the last ``id`` as ``before`` for the next page."""
    query = _SHOWN.order_by(arrivals.c.id.desc()).limit(limit)
    if peer_id is not None:
        query = query.where(arrivals.c.peer_id == peer_id)
    if document_number is not None:
        query = query.where(arrivals.c.document_key == canonical_key(document_number))
    if before is not None:
        query = query.where(arrivals.c.id < before)
    return tuple(_arrival(row._mapping) for row in conn.execute(query))


def in_conversation(conn: Connection, conversation_id: str) -> tuple[Arrival, ...]:
    """Return the arrivals of one conversation in the order in which they came."""
    own = arrivals.c.conversation_id == conversation_id
    return tuple(
        _arrival(row._mapping) for row in conn.execute(_SHOWN.where(own).order_by(arrivals.c.id))
    )


def _first(conn: Connection, query: Select[Any]) -> Arrival | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else _arrival(row._mapping)


def _arrival(values: Any) -> Arrival:
    receipt = bodies.checked(bytes(values["receipt"]), values["receipt_sha256"])
    return Arrival(**{**values, "receipt": receipt})


def _recorded_before(conn: Connection, new: NewArrival) -> Arrival:
    stored = find(conn, new.peer_id, new.message_id)
    if stored is None or stored.envelope_sha256 != digest(new.envelope):
        raise MessageIdReusedError(f"{new.message_id} was received before with other content")
    return stored


def _journal_arrival(conn: Connection, stored: Arrival) -> None:
    refused = stored.verdict is Verdict.REFUSED
    action = journal.Action.ARRIVAL_REFUSED if refused else journal.Action.ARRIVAL_ACCEPTED
    journal.append(
        conn,
        at=stored.received_at,
        action=action,
        subject=stored.message_id,
        detail={
            "code": stored.code,
            "document": stored.document_number,
            "envelope_sha256": stored.envelope_sha256,
            "receipt_sha256": stored.receipt_sha256,
            "verdict": stored.verdict,
        },
    )
