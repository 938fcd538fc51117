"""Queries about customs responses and the utilisation ledger, which only grows.

The arithmetic and its rules stand in ``gateway.register``; here lines are written and read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from gateway.documents.codes import UtilisationStatus
from gateway.store import bodies, search_keys
from gateway.store.keys import canonical_key
from gateway.store.rows import ResponseItem, ResponseRow, UtilisationEntry
from gateway.store.states import EntryKind, ResponseStanding, SearchField
from gateway.store.tables import certificate_items, utilisation_entries
from gateway.store.tables import responses as table

_COLUMNS = tuple(table.c[name] for name in ResponseRow.__dataclass_fields__)
_ENTRY_COLUMNS = tuple(
    utilisation_entries.c[name] for name in UtilisationEntry.__dataclass_fields__
)

_RECEIVED = (
    ResponseStanding.APPLIED,
    ResponseStanding.LATE,
    ResponseStanding.CONTRADICTING,
)


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """Is a line to be added to the ledger.

    Attributes:
        quantity: what is added to the total; negative for a reversal.
        total_after: the item's total of this kind (used or re-exported) afterwards.
        reference: what caused it: response, declaration or re-export certificate.
    """

    certificate_id: int
    item_number: int
    kind: EntryKind
    quantity: Decimal
    unit: str
    total_after: Decimal
    sequence_number: int | None
    reference: str
    entered_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewResponse:
    """Is a customs response to be stored.

    Attributes:
        reference: the importing side's own key of the decision; doubles are found by it.
        payload: the signed document; None while it is only drawn.
    """

    certificate_id: int
    sequence_number: int
    status: UtilisationStatus
    standing: ResponseStanding
    content_sha256: str
    items: tuple[ResponseItem, ...]
    decided_at: datetime
    stored_at: datetime
    findings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    response_number: str | None = None
    reference: str | None = None
    declaration_number: str | None = None
    officer: str | None = None
    message_id: str | None = None
    payload: bytes | None = None


def add_entry(conn: Connection, entry: NewEntry) -> None:
    """Add a line and bring the item's running total to ``total_after``."""
    conn.execute(insert(utilisation_entries).values(**vars(entry)))
    column = "reexported" if entry.kind is EntryKind.REEXPORT else "used"
    conn.execute(
        update(certificate_items)
        .where(
            certificate_items.c.certificate_id == entry.certificate_id,
            certificate_items.c.number == entry.item_number,
        )
        .values({column: entry.total_after})
    )


def ledger_totals(conn: Connection, certificate_id: int) -> Mapping[int, Decimal]:
    """Return what the ledger's lines say was used of each goods item."""
    totals: dict[int, Decimal] = {}
    for entry in entries(conn, certificate_id):
        if entry.kind is not EntryKind.REEXPORT:
            totals[entry.item_number] = totals.get(entry.item_number, Decimal(0)) + entry.quantity
    return totals


def set_total(conn: Connection, certificate_id: int, item_number: int, used: Decimal) -> None:
    """Bring the running total of an item to what the ledger's lines amount to."""
    conn.execute(
        update(certificate_items)
        .where(
            certificate_items.c.certificate_id == certificate_id,
            certificate_items.c.number == item_number,
        )
        .values(used=used)
    )


def entries(conn: Connection, certificate_id: int) -> tuple[UtilisationEntry, ...]:
    """Return the ledger of a certificate, oldest line first."""
    query = (
        select(*_ENTRY_COLUMNS)
        .where(utilisation_entries.c.certificate_id == certificate_id)
        .order_by(utilisation_entries.c.id)
    )
    return tuple(UtilisationEntry(**row._mapping) for row in conn.execute(query))


def add_response(conn: Connection, new: NewResponse) -> ResponseRow:
    """Store a customs response and return it; its declaration finds the certificate from now."""
    if new.declaration_number is not None:
        declared = search_keys.key(SearchField.DECLARATION, new.declaration_number)
        search_keys.add(conn, new.certificate_id, {declared})
    row = conn.execute(
        insert(table)
        .values(
            certificate_id=new.certificate_id,
            sequence_number=new.sequence_number,
            status=new.status,
            standing=new.standing,
            response_number=new.response_number,
            response_key=_key(new.response_number),
            reference_key=_key(new.reference),
            content_sha256=new.content_sha256,
            items=_written(new.items),
            findings=list(new.findings),
            reasons=list(new.reasons),
            declaration_number=new.declaration_number,
            declaration_key=_key(new.declaration_number),
            officer=new.officer,
            message_id=new.message_id,
            decided_at=new.decided_at,
            stored_at=new.stored_at,
            payload_sha256=None if new.payload is None else bodies.put(conn, new.payload),
        )
        .returning(*_COLUMNS)
    ).one()
    return _response(row)


def attach_document(
    conn: Connection,
    response: ResponseRow,
    *,
    response_number: str,
    message_id: str,
    payload: bytes,
    officer: str,
) -> ResponseRow:
    """Attach the signed document to a drawn response and return it as SENT."""
    row = conn.execute(
        update(table)
        .where(table.c.id == response.id)
        .values(
            standing=ResponseStanding.SENT,
            response_number=response_number,
            response_key=canonical_key(response_number),
            message_id=message_id,
            officer=officer,
            payload_sha256=bodies.put(conn, payload),
        )
        .returning(*_COLUMNS)
    ).one()
    return _response(row)


def adopt(
    conn: Connection, response: ResponseRow, *, reference: str, content_sha256: str
) -> ResponseRow:
    """Give a response that books brought back its importing side's own key again."""
    row = conn.execute(
        update(table)
        .where(table.c.id == response.id, table.c.reference_key.is_(None))
        .values(reference_key=canonical_key(reference), content_sha256=content_sha256)
        .returning(*_COLUMNS)
    ).one()
    return _response(row)


def responses(conn: Connection, certificate_id: int) -> tuple[ResponseRow, ...]:
    """Return every response to a certificate, by sequence number, then as stored."""
    query = select(*_COLUMNS).where(table.c.certificate_id == certificate_id)
    query = query.order_by(table.c.sequence_number, table.c.id)
    return tuple(_response(row) for row in conn.execute(query))


def at_sequence(
    conn: Connection, certificate_id: int, sequence_number: int
) -> tuple[ResponseRow, ...]:
    """Return the responses that claim one sequence number, the deciding one first."""
    query = select(*_COLUMNS).where(
        table.c.certificate_id == certificate_id, table.c.sequence_number == sequence_number
    )
    return tuple(_response(row) for row in conn.execute(query.order_by(table.c.id)))


def by_reference(conn: Connection, certificate_id: int, reference: str) -> ResponseRow | None:
    """Return the response drawn under the importing side's own key."""
    return _first(
        conn,
        select(*_COLUMNS).where(
            table.c.certificate_id == certificate_id,
            table.c.reference_key == canonical_key(reference),
        ),
    )


def by_number(
    conn: Connection, certificate_id: int, response_number: str
) -> tuple[ResponseRow, ...]:
    """Return the responses to a certificate under one response number, as stored."""
    query = select(*_COLUMNS).where(
        table.c.certificate_id == certificate_id,
        table.c.response_key == canonical_key(response_number),
    )
    return tuple(_response(row) for row in conn.execute(query.order_by(table.c.id)))


def response_of_message(conn: Connection, message_id: str) -> ResponseRow | None:
    """Return the response that this message carried."""
    return _first(conn, select(*_COLUMNS).where(table.c.message_id == message_id))


def responses_of_messages(
    conn: Connection, message_ids: Collection[str]
) -> tuple[ResponseRow, ...]:
    """Return the responses that these messages carried, by certificate and sequence number."""
    query = select(*_COLUMNS).where(table.c.message_id.in_(message_ids))
    query = query.order_by(table.c.certificate_id, table.c.sequence_number, table.c.id.desc())
    return tuple(_response(row) for row in conn.execute(query))


def newest(conn: Connection, certificate_id: int) -> ResponseRow | None:
    """Return the response that decides today: the first stored of the highest sequence."""
    own = table.c.certificate_id == certificate_id
    query = select(*_COLUMNS).where(own)
    return _first(conn, query.order_by(table.c.sequence_number.desc(), table.c.id).limit(1))


def newest_received(
    conn: Connection, certificate_ids: Collection[int]
) -> Mapping[int, ResponseRow]:
    """Return the newest response of foreign customs to each of these certificates."""
    query = (
        select(*_COLUMNS)
        .where(table.c.certificate_id.in_(certificate_ids), table.c.standing.in_(_RECEIVED))
        .order_by(table.c.id)
    )
    return {row.certificate_id: _response(row) for row in conn.execute(query)}


def known_sequences(conn: Connection, certificate_id: int) -> int:
    """Return how many different sequence numbers are stored for a certificate."""
    own = table.c.certificate_id == certificate_id
    query = select(func.count(table.c.sequence_number.distinct())).where(own)
    count: int = conn.execute(query).scalar_one()
    return count


def _key(written: str | None) -> str | None:
    return None if written is None else canonical_key(written)


def _written(items: Iterable[ResponseItem]) -> list[dict[str, Any]]:
    return [
        {
            "number": item.number,
            "unit": item.unit,
            "quantity": format(item.quantity, "f"),
            "cumulative": format(item.cumulative, "f"),
        }
        for item in items
    ]


def _read(values: Iterable[dict[str, Any]]) -> tuple[ResponseItem, ...]:
    return tuple(
        ResponseItem(
            number=value["number"],
            unit=value["unit"],
            quantity=Decimal(value["quantity"]),
            cumulative=Decimal(value["cumulative"]),
        )
        for value in values
    )


def _first(conn: Connection, query: Select[Any]) -> ResponseRow | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else _response(row)


def _response(row: Row[Any]) -> ResponseRow:
    values = dict(row._mapping)
    values["items"] = _read(values["items"])
    values["findings"] = tuple(values["findings"])
    values["reasons"] = tuple(values["reasons"])
    return ResponseRow(**values)
