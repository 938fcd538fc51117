"""What an issuing officer has to see: where certificates are, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.errors import NotFoundError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.services.finding_certificates import find
from gateway.services.lookup import message
from gateway.services.people.roles import Right, Visitor
from gateway.services.whereabouts import Awaited, Destination, whereabouts_of
from gateway.store import (
    CertificateRow,
    DeliveryState,
    Dispatch,
    Side,
    certificates,
    dead_letters,
    outbox,
    peers,
)
from gateway.store.dead_letters import Choice
from gateway.store.search import Criteria

_MOST_WAITING: Final = 100
_OPEN: Final = (
    DeliveryState.FAILED,
    DeliveryState.HELD,
    DeliveryState.RETRYING,
    DeliveryState.QUEUED,
)


@dataclass(frozen=True, kw_only=True)
class IssuedCertificate:
    """Is a certificate issued here with how far it has come at each destination."""

    row: CertificateRow
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, kw_only=True)
class IssuedPage:
    """Is one page of issued certificates; ``cursor`` asks for the next."""

    certificates: tuple[IssuedCertificate, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class WaitingMessage:
    """Is a message of ours that has not arrived yet.

    Attributes:
        awaited: why it waits and by when it should be there; None where a person must act.
    """

    message: Dispatch
    peer: str
    row: CertificateRow
    awaited: Awaited | None


def issued(
    counter: Counter, caller: Caller, *, cursor: str | None, limit: int, purpose: str
) -> IssuedPage:
    """Return a page of what the caller issued, newest first, and where each is.

    Raises:
        InputError: the cursor belongs to another search.
    """
    criteria = Criteria(side=Side.ISSUED)
    page = find(counter, caller, criteria, cursor=cursor, limit=limit, purpose=purpose)
    now = counter.desk.clock()
    with counter.desk.store.read() as conn:
        found = tuple(
            IssuedCertificate(row=row, destinations=whereabouts_of(conn, row, now).destinations)
            for row in page.rows
        )
    return IssuedPage(certificates=found, cursor=page.cursor)


def waiting(counter: Counter, caller: Caller) -> tuple[WaitingMessage, ...]:
    """Return the caller's messages that have not arrived, in the order of their sending."""
    caller.require(Scope.MESSAGES)
    found, now = [], counter.desk.clock()
    with counter.desk.store.read() as conn:
        names = {each.id: each.identifier for each in peers.every(conn)}
        for each in dead_letters.page(conn, Choice(states=_OPEN), limit=_MOST_WAITING):
            row = _own(conn, caller, each)
            if row is not None:
                awaited = whereabouts_of(conn, row, now).of_message(each.message_id)
                peer = names[each.peer_id]
                found.append(WaitingMessage(message=each, peer=peer, row=row, awaited=awaited))
    return tuple(found)


def resend(counter: Counter, visitor: Visitor, message_id: str, reason: str) -> Dispatch:
    """Queue a message of the visitor's own again: the same bytes under the same id.

    Raises:
        NotFoundError: there is none, or it is not the visitor's.
        ConflictError: it is under way or has arrived.
    """
    visitor.require(Right.RESEND)
    _require_own(counter, visitor, message_id)
    at = counter.desk.clock()
    with counter.desk.store.begin() as conn:
        return dead_letters.resend_one(conn, message_id, at=at, actor=visitor.actor, reason=reason)


def hold(counter: Counter, visitor: Visitor, message_id: str, reason: str) -> Dispatch:
    """Keep a message of the visitor's own back until it is sent again.

    Raises:
        NotFoundError: there is none, or it is not the visitor's.
        ConflictError: it is under way or has arrived.
    """
    visitor.require(Right.RESEND)
    _require_own(counter, visitor, message_id)
    at = counter.desk.clock()
    with counter.desk.store.begin() as conn:
        return outbox.hold(conn, message_id, at=at, actor=visitor.actor, reason=reason)


def _require_own(counter: Counter, visitor: Visitor, message_id: str) -> None:
    found = message(counter, visitor.caller, message_id, purpose="resend or hold").message
    with counter.desk.store.read() as conn:
        own = isinstance(found, Dispatch) and _own(conn, visitor.caller, found) is not None
    if not own:
        raise NotFoundError("no such message of yours was sent")


def _own(conn: Connection, caller: Caller, found: Dispatch) -> CertificateRow | None:
    """Return the certificate issued by the caller that a message is about, if it is one."""
    rows = certificates.in_conversation(conn, found.conversation_id)
    own = (row for row in rows if row.side is Side.ISSUED and caller.may_see(row))
    return next(own, None)
