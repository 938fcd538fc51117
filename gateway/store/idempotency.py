"""Idempotency keys of the national system's requests: the same request, the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from gateway.errors import KeyReusedError
from gateway.store.dialects import lock_name
from gateway.store.tables import idempotency_keys as table


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """Is the answer that a request got the first time."""

    status: int
    answer: bytes
    created_at: datetime


def reserve(conn: Connection, scope: str, key: str, request_sha256: str) -> StoredAnswer | None:
    """Return the answer given before; if none, nobody else gives one before we end.

    Args:
        scope: who asks and what for, so that two clients' keys never meet.

    Raises:
        KeyReusedError: the key was used for another request.
    """
    lock_name(conn, f"idempotency {scope} {key}")
    row = conn.execute(
        select(table).where(table.c.scope == scope, table.c.key == key)
    ).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise KeyReusedError(f"the idempotency key {key!r} was used for another request")
    return StoredAnswer(status=row.status, answer=bytes(row.answer), created_at=row.created_at)


def remember(
    conn: Connection,
    scope: str,
    key: str,
    request_sha256: str,
    *,
    status: int,
    answer: bytes,
    at: datetime,
) -> None:
    """Keep the answer to a request beside what the request changed, in one transaction."""
    conn.execute(
        insert(table).values(
            scope=scope,
            key=key,
            request_sha256=request_sha256,
            status=status,
            answer=answer,
            created_at=at,
        )
    )


def forget_before(conn: Connection, at: datetime) -> int:
    """Drop the keys older than ``at`` and return how many there were."""
    return conn.execute(delete(table).where(table.c.created_at < at)).rowcount
