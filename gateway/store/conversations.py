"""Conversations as retention sees them: all that the books hold about one, and if it is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, select

from gateway.documents.codes import UtilisationStatus
from gateway.store import holds
from gateway.store.retention_terms import Closed
from gateway.store.states import DeliveryState, ErasedKind, HoldScope, IssueState, Side
from gateway.store.tables import arrivals, certificates, dispatches, erasures, peers, responses

SETTLED = frozenset({DeliveryState.DELIVERED, DeliveryState.REFUSED})
"""Deliveries that the peer's signed word has ended; a FAILED one waits for a person."""


@dataclass
class Conversation:
    """Gathers what the books hold about one conversation and is not yet erased."""

    dispatches: list[Any] = field(default_factory=list)
    arrivals: list[Any] = field(default_factory=list)
    certificates: list[Any] = field(default_factory=list)
    answered_at: list[datetime] = field(default_factory=list)

    def last_message(self) -> datetime | None:
        """Return when anything was last sent, received or answered."""
        moments: list[datetime] = [row.updated_at for row in self.dispatches]
        moments += [row.received_at for row in self.arrivals]
        return max([*moments, *self.answered_at], default=None)

    def is_open(self, final: Closed) -> bool:
        """Return whether a delivery or a certificate of it is not final."""
        return any(row.state not in SETTLED for row in self.dispatches) or not all(
            is_closed(row, final) for row in self.certificates
        )

    def keys(self) -> set[str]:
        """Return the canonical numbers of its documents."""
        rows = (*self.dispatches, *self.arrivals)
        keys = {row.document_key for row in rows if row.document_key is not None}
        return keys | {row.serial_key for row in self.certificates}

    def peers(self) -> set[int]:
        """Return the peers that take part."""
        return {row.peer_id for row in (*self.dispatches, *self.arrivals, *self.certificates)}


def not_erased(kind: ErasedKind, key: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that retention has not erased the row with this key."""
    return ~exists().where(erasures.c.kind == kind, erasures.c.row_id == key)


def is_closed(row: Row[Any], closed: Closed) -> bool:
    """Return whether nobody has anything to do about a certificate of origin."""
    if row.side is Side.RECEIVED:
        return row.state in closed.received
    used = row.reported_status is UtilisationStatus.FULL and closed.fully_used
    return row.state in closed.issued or (row.state == IssueState.ISSUED and used)


def gathered(conn: Connection, ids: set[str]) -> dict[str, Conversation]:
    """Return conversations by id with every row that is not yet erased."""
    found: dict[str, Conversation] = defaultdict(Conversation)
    for row in _dispatches_of(conn, ids):
        found[row.conversation_id].dispatches.append(row)
    for row in _arrivals_of(conn, ids):
        found[row.conversation_id].arrivals.append(row)
    for row in _certificates_of(conn, ids):
        found[row.conversation_id].certificates.append(row)
    for conversation_id, stored_at in _answers_of(conn, ids):
        found[conversation_id].answered_at.append(stored_at)
    return found


def _dispatches_of(conn: Connection, ids: set[str]) -> Sequence[Any]:
    own = dispatches.c
    query = select(
        own.id, own.conversation_id, own.peer_id, own.state, own.updated_at, own.document_key
    )
    kept = not_erased(ErasedKind.DISPATCH, own.id)
    return conn.execute(query.where(own.conversation_id.in_(ids), kept)).all()


def _arrivals_of(conn: Connection, ids: set[str]) -> Sequence[Any]:
    own = arrivals.c
    query = select(own.id, own.conversation_id, own.peer_id, own.received_at, own.document_key)
    kept = not_erased(ErasedKind.ARRIVAL, own.id)
    return conn.execute(query.where(own.conversation_id.in_(ids), kept)).all()


def _answers_of(conn: Connection, ids: set[str]) -> Sequence[Any]:
    own = certificates.c
    query = select(own.conversation_id, responses.c.stored_at).join(
        responses, responses.c.certificate_id == own.id
    )
    return conn.execute(query.where(own.conversation_id.in_(ids))).all()


def _certificates_of(conn: Connection, ids: set[str]) -> Sequence[Any]:
    own = certificates.c
    return conn.execute(
        select(
            own.id,
            own.conversation_id,
            own.side,
            own.state,
            own.reported_status,
            own.issued_on,
            own.state_since,
            own.serial_key,
            own.peer_id,
        ).where(own.conversation_id.in_(ids), not_erased(ErasedKind.CERTIFICATE, own.id))
    ).all()


def held_conversations(conn: Connection, found: dict[str, Conversation]) -> set[str]:
    """Return the ids of those that a legal hold in force covers, by whatever scope."""
    in_force = holds.every(conn)
    keys = {
        scope: {hold.subject_key for hold in in_force if hold.scope is scope} for scope in HoldScope
    }
    names = peers.c.identifier.in_(keys[HoldScope.PEER])
    held_peers = set(conn.execute(select(peers.c.id).where(names)).scalars())
    return {
        conversation_id
        for conversation_id, conversation in found.items()
        if conversation_id in keys[HoldScope.CONVERSATION]
        or conversation.keys() & keys[HoldScope.SERIAL]
        or conversation.peers() & held_peers
    }
