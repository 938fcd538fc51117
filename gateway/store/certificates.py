"""Queries about registered certificates of origin, their goods items and deliveries.

What may become of a certificate is decided in ``gateway.register``; here rows are only found,
locked and written.  ``_key`` columns hold ``canonical_key`` of what was written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, text, union_all, update

from gateway.errors import NotFoundError
from gateway.store import bodies, search_keys
from gateway.store.dialects import lock_name
from gateway.store.keys import canonical_key
from gateway.store.rows import (
    CertificateDelivery,
    CertificateItem,
    CertificateRow,
    NewCertificate,
    NewItem,
)
from gateway.store.statements import Statement, inserting
from gateway.store.states import DeliveryRole, ExchangeState, ImportState, IssueState, Side
from gateway.store.tables import arrivals, dispatches
from gateway.store.tables import certificate_deliveries as deliveries_table
from gateway.store.tables import certificate_items as items_table
from gateway.store.tables import certificates as table
from gateway.store.tables.register import UNEXPIRED

_COLUMNS = tuple(table.c[name] for name in CertificateRow.__dataclass_fields__)
_ITEM_COLUMNS = tuple(items_table.c[name] for name in CertificateItem.__dataclass_fields__)
_DELIVERY_COLUMNS = tuple(
    deliveries_table.c[name] for name in CertificateDelivery.__dataclass_fields__
)
_WRITTEN_ELSEWHERE = ("payload", "items", "at", "original_serial", "replaces_serial", "keys")
_GIVEN = tuple(
    name for name in NewCertificate.__dataclass_fields__ if name not in _WRITTEN_ELSEWHERE
)
_DERIVED = (
    "serial_key",
    "exporter_key",
    "original_key",
    "replaces_key",
    "payload_sha256",
    "state_since",
    "created_at",
    "updated_at",
    "last_sequence",
    "missing_responses",
    "contradicted",
    "over_used",
)
_REGISTER = inserting(table, (*_GIVEN, *_DERIVED), *_COLUMNS, if_absent=True)
_ADD_ITEM = inserting(
    items_table, ("certificate_id", "used", "reexported", *NewItem.__dataclass_fields__)
)
_BY_KEY = select(*_COLUMNS).where(
    table.c.side == bindparam("side"),
    table.c.issuing_country == bindparam("country"),
    table.c.serial_key == bindparam("key"),
)
_FIND, _RESERVE = Statement(_BY_KEY), Statement(_BY_KEY.with_for_update())
_BY_ID = select(*_COLUMNS).where(table.c.id == bindparam("own"))
_GET, _LOCK = Statement(_BY_ID), Statement(_BY_ID.with_for_update())
_ITEMS = Statement(
    select(*_ITEM_COLUMNS)
    .where(items_table.c.certificate_id == bindparam("own"))
    .order_by(items_table.c.number)
)
_ADD_DELIVERY = inserting(
    deliveries_table,
    ("certificate_id", "peer_id", "message_id", "role", "state", "updated_at"),
    if_absent=True,
)
_DELIVERIES_OF_MESSAGE = Statement(
    select(*_DELIVERY_COLUMNS)
    .where(deliveries_table.c.message_id == bindparam("message_id"))
    .order_by(deliveries_table.c.id)
)
_SET_DELIVERY = Statement(
    update(deliveries_table).where(
        deliveries_table.c.message_id == bindparam("own_message"),
        deliveries_table.c.role == bindparam("own_role"),
    ),
    ("state", "code", "updated_at"),
)


def reserve(
    conn: Connection, side: Side, issuing_country: str, serial: str
) -> CertificateRow | None:
    """Return the certificate under this serial, locked until the transaction ends.

    If there is none, nobody else registers one under it before we end.
    """
    key = canonical_key(serial)
    lock_name(conn, f"certificate {side} {issuing_country} {key}")
    row = _RESERVE.first(conn, side=side, country=issuing_country, key=key)
    return None if row is None else _certificate(row)


def register(conn: Connection, new: NewCertificate) -> CertificateRow | None:
    """Register a certificate with its items and return it; None where the serial is taken."""
    values = {name: getattr(new, name) for name in _GIVEN}
    row = _REGISTER.first(conn, **values, **_derived(conn, new))
    if row is None:
        return None
    stored = _certificate(row)
    items = [
        {"certificate_id": stored.id, "used": 0, "reexported": 0, **vars(item)}
        for item in new.items
    ]
    _ADD_ITEM.run_each(conn, items)
    search_keys.add(conn, stored.id, new.keys)
    return stored


def find(conn: Connection, side: Side, issuing_country: str, serial: str) -> CertificateRow | None:
    """Return the certificate that one authority issued under this serial, in any spelling."""
    row = _FIND.first(conn, side=side, country=issuing_country, key=canonical_key(serial))
    return None if row is None else _certificate(row)


def by_serial(conn: Connection, serial: str) -> tuple[CertificateRow, ...]:
    """Return every certificate under this serial, whoever issued it, on either side."""
    query = select(*_COLUMNS).where(table.c.serial_key == canonical_key(serial))
    return tuple(_certificate(row) for row in conn.execute(query.order_by(table.c.id)))


def get(conn: Connection, certificate_id: int) -> CertificateRow:
    """Return the certificate with this key.

    Raises:
        NotFoundError: there is none.
    """
    return _existing(_GET.first(conn, own=certificate_id))


def lock(conn: Connection, certificate_id: int) -> CertificateRow:
    """Return the certificate with this key, locked until the transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    return _existing(_LOCK.first(conn, own=certificate_id))


def by_message(conn: Connection, message_id: str) -> CertificateRow | None:
    """Return the certificate that this message carried (not the one it ended)."""
    return _first(conn, select(*_COLUMNS).where(table.c.message_id == message_id))


def ended_by(conn: Connection, message_id: str) -> CertificateRow | None:
    """Return the certificate that this message cancels or replaces."""
    return _first(conn, select(*_COLUMNS).where(table.c.ended_by == message_id))


def in_conversation(conn: Connection, conversation_id: str) -> tuple[CertificateRow, ...]:
    """Return the certificates whose life this conversation is: one, or one on each side.

    Conversations of certificates have no index of their own: every submission would pay for it.
    The messages have one, and name the serial number.
    """
    serials = union_all(
        *(
            select(messages.c.document_key).where(messages.c.conversation_id == conversation_id)
            for messages in (dispatches, arrivals)
        )
    )
    query = select(*_COLUMNS).where(
        table.c.serial_key.in_(serials), table.c.conversation_id == conversation_id
    )
    return tuple(_certificate(row) for row in conn.execute(query.order_by(table.c.id)))


def of_keys(conn: Connection, keys: Collection[int]) -> Mapping[int, CertificateRow]:
    """Return the certificates with these keys, by key."""
    query = select(*_COLUMNS).where(table.c.id.in_(keys))
    return {row.id: _certificate(row) for row in conn.execute(query)}


def content(conn: Connection, certificate: CertificateRow) -> bytes:
    """Return the signed document, byte for byte as it was sent or received."""
    return bodies.get(conn, certificate.payload_sha256)


def items(conn: Connection, certificate_id: int) -> tuple[CertificateItem, ...]:
    """Return the goods items with their running totals, by number."""
    return tuple(CertificateItem(**row._asdict()) for row in _ITEMS.all(conn, own=certificate_id))


def change(
    conn: Connection,
    certificate: CertificateRow,
    *,
    at: datetime,
    state: IssueState | ImportState | None = None,
    **values: Any,
) -> CertificateRow:
    """Write a state and other columns of a locked certificate and return it anew."""
    written: dict[str, Any] = {**values, "updated_at": at}
    if state is not None and state != certificate.state:
        written |= {"state": state.value, "state_since": at}
    return _certificate(
        _changing(tuple(sorted(written))).first(conn, own=certificate.id, **written)
    )


def page(
    conn: Connection,
    side: Side,
    *,
    state: IssueState | ImportState | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[CertificateRow, ...]:
    """Return the newest certificates first; pass the last ``id`` as ``before`` to go on."""
    query = select(*_COLUMNS).where(table.c.side == side)
    query = query.order_by(table.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(table.c.state == state.value)
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(_certificate(row) for row in conn.execute(query))


def of_exporter(
    conn: Connection, exporter_number: str, *, before: int | None = None, limit: int = 50
) -> tuple[CertificateRow, ...]:
    """Return the newest certificates of one exporter first."""
    query = select(*_COLUMNS).where(table.c.exporter_key == canonical_key(exporter_number))
    query = query.order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(_certificate(row) for row in conn.execute(query))


def overdue(conn: Connection, today: date, *, limit: int = 500) -> tuple[int, ...]:
    """Return keys of certificates whose validity ended before ``today`` and that may expire."""
    query = (
        select(table.c.id)
        .where(text(UNEXPIRED), table.c.valid_until < today)
        .order_by(table.c.valid_until, table.c.id)
        .limit(limit)
    )
    return tuple(conn.execute(query).scalars())


def add_delivery(
    conn: Connection,
    certificate: CertificateRow,
    *,
    peer_id: int,
    message_id: str,
    role: DeliveryRole,
    at: datetime,
) -> None:
    """Note that a message about a certificate is queued for a destination."""
    _ADD_DELIVERY.run(
        conn,
        certificate_id=certificate.id,
        peer_id=peer_id,
        message_id=message_id,
        role=role,
        state=ExchangeState.QUEUED,
        updated_at=at,
    )


def deliveries_of_message(conn: Connection, message_id: str) -> tuple[CertificateDelivery, ...]:
    """Return what one message does for which certificates: carries one, may end another."""
    found = _DELIVERIES_OF_MESSAGE.all(conn, message_id=message_id)
    return tuple(CertificateDelivery(**row._asdict()) for row in found)


def deliveries(
    conn: Connection, certificate_id: int, role: DeliveryRole | None = None
) -> tuple[CertificateDelivery, ...]:
    """Return the deliveries of what was said about a certificate, oldest first."""
    own = deliveries_table.c.certificate_id == certificate_id
    query = select(*_DELIVERY_COLUMNS).where(own).order_by(deliveries_table.c.id)
    if role is not None:
        query = query.where(deliveries_table.c.role == role)
    return tuple(CertificateDelivery(**row._mapping) for row in conn.execute(query))


def set_delivery(
    conn: Connection,
    delivery: CertificateDelivery,
    state: ExchangeState,
    *,
    code: str | None,
    at: datetime,
) -> None:
    """Write how far a message about a certificate has come."""
    _SET_DELIVERY.run(
        conn,
        own_message=delivery.message_id,
        own_role=delivery.role,
        state=state,
        code=code,
        updated_at=at,
    )


def _derived(conn: Connection, new: NewCertificate) -> dict[str, Any]:
    def key(written: str | None) -> str | None:
        return None if written is None else canonical_key(written)

    return {
        "serial_key": canonical_key(new.serial_number),
        "exporter_key": key(new.exporter_number),
        "original_key": key(new.original_serial),
        "replaces_key": key(new.replaces_serial),
        "payload_sha256": bodies.put(conn, new.payload),
        "state_since": new.at,
        "created_at": new.at,
        "updated_at": new.at,
        "last_sequence": 0,
        "missing_responses": 0,
        "contradicted": False,
        "over_used": False,
    }


@cache
def _changing(columns: tuple[str, ...]) -> Statement:
    """Return the statement that writes these columns; there are as many as kinds of change."""
    own = table.c.id == bindparam("own")
    return Statement(update(table).where(own).returning(*_COLUMNS), columns)


def _first(conn: Connection, query: Select[Any]) -> CertificateRow | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else _certificate(row)


def _existing(row: Any) -> CertificateRow:
    if row is None:
        raise NotFoundError("no such certificate of origin is registered")
    return _certificate(row)


def _certificate(row: Any) -> CertificateRow:
    values = row._asdict()
    states = IssueState if values["side"] is Side.ISSUED else ImportState
    return CertificateRow(**{**values, "state": states(values["state"])})
