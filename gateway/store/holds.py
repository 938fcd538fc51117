"""Legal holds: what a court, an audit or an open case forbids to erase until it is lifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store import journal
from gateway.store.dialects import insert_if_absent, lock_name
from gateway.store.keys import canonical_key
from gateway.store.states import HoldScope
from gateway.store.tables import legal_holds as table

LOCK = "retention"
"""Name under which holds and erasing exclude each other."""


@dataclass(frozen=True, kw_only=True)
class LegalHold:
    """Is one hold; without ``lifted_at`` it is in force.

    Attributes:
        subject: serial number, conversation id or identifier of a peer, as written.
        subject_key: its canonical spelling, which decides.
    """

    id: int
    scope: HoldScope
    subject: str
    subject_key: str
    reason: str
    actor: str
    since: datetime
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


_COLUMNS = tuple(table.c[name] for name in LegalHold.__dataclass_fields__)


def place(
    conn: Connection, scope: HoldScope, subject: str, *, reason: str, actor: str, at: datetime
) -> LegalHold:
    """Put a hold on ``subject`` and return it; what it covers need not exist yet.

    Raises:
        ConflictError: it is under a hold already.
    """
    lock_name(conn, LOCK)
    values = {
        "scope": scope,
        "subject": subject,
        "subject_key": _key(scope, subject),
        "reason": reason,
        "actor": actor,
        "since": at,
    }
    row = conn.execute(insert_if_absent(conn, table, *_COLUMNS), values).one_or_none()
    if row is None:
        raise ConflictError(f"{subject} is under a legal hold already")
    detail = {"scope": scope, "reason": reason}
    action = journal.Action.HOLD_PLACED
    journal.append(conn, at=at, actor=actor, action=action, subject=subject, detail=detail)
    return _hold(row)


def lift(
    conn: Connection, scope: HoldScope, subject: str, *, reason: str, actor: str, at: datetime
) -> LegalHold:
    """Lift the hold on ``subject`` and return it; the row stays as evidence.

    Raises:
        NotFoundError: none is in force.
    """
    lock_name(conn, LOCK)
    row = conn.execute(
        update(table)
        .where(
            table.c.scope == scope,
            table.c.subject_key == _key(scope, subject),
            table.c.lifted_at.is_(None),
        )
        .values(lifted_at=at, lifted_by=actor, lift_reason=reason)
        .returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no legal hold on {subject} is in force")
    detail = {"scope": scope, "reason": reason}
    action = journal.Action.HOLD_LIFTED
    journal.append(conn, at=at, actor=actor, action=action, subject=subject, detail=detail)
    return _hold(row)


def every(conn: Connection, *, lifted: bool = False) -> tuple[LegalHold, ...]:
    """Return the holds in force, oldest first; with ``lifted`` those of the past too."""
    query = select(*_COLUMNS).order_by(table.c.id)
    if not lifted:
        query = query.where(table.c.lifted_at.is_(None))
    return tuple(_hold(row) for row in conn.execute(query))


def _key(scope: HoldScope, subject: str) -> str:
    return canonical_key(subject) if scope is HoldScope.SERIAL else subject.strip()


def _hold(row: Row[Any]) -> LegalHold:
    return LegalHold(**row._mapping)
