"""What a certificate waits for: who must act, why, by when, and what comes next.

The sentences are those of ``gateway.register.guides``; here they are put to one certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from gateway.documents import LocalisedText, UtilisationStatus
from gateway.exchange.maintenance import while_away
from gateway.exchange.waiting import GOES_BY_ITSELF
from gateway.register.guides import AnyState, Owner, guide
from gateway.services.counter import Counter
from gateway.store import (
    CertificateDelivery,
    CertificateRow,
    ImportState,
    IssueState,
    certificates,
    maintenance,
    outbox,
    peers,
)


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """Is one thing that has not happened yet.

    Attributes:
        expected_by: after this it is overdue.
        next_at: when the gateway acts by itself; None where it does not.
        peer, message_id: of a message that is on its way.
    """

    state: AnyState
    owner: Owner
    reason: LocalisedText
    next_step: LocalisedText
    expected_by: datetime
    next_at: datetime | None = None
    peer: str | None = None
    message_id: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Return whether it should have happened before ``now``."""
        return now > self.expected_by


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Is how far a message about an issued certificate has come at one peer."""

    peer: str
    country: str
    delivery: CertificateDelivery


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Is where a certificate is, and what it waits for, the most urgent first."""

    awaited: tuple[Awaited, ...]
    destinations: tuple[Destination, ...]

    def of_message(self, message_id: str | None) -> Awaited | None:
        """Return what is awaited of one message, None if nothing is."""
        found = (each for each in self.awaited if each.message_id == message_id)
        return None if message_id is None else next(found, None)


def whereabouts(counter: Counter, row: CertificateRow) -> Whereabouts:
    """Return where a certificate that the caller has found is, and what is awaited."""
    with counter.desk.store.read() as conn:
        return whereabouts_of(conn, row, counter.desk.clock())


def whereabouts_of(conn: Connection, row: CertificateRow, now: datetime) -> Whereabouts:
    """Do what ``whereabouts`` does inside the caller's transaction."""
    known = {each.id: each for each in peers.every(conn)}
    names = {key: each.identifier for key, each in known.items()}
    destinations = tuple(
        Destination(peer=names[each.peer_id], country=known[each.peer_id].country, delivery=each)
        for each in certificates.deliveries(conn, row.id)
    )
    awaited = [
        *_of_state(row),
        *_of_messages(conn, names, row, now),
        *_of_answers(destinations, row),
    ]
    awaited.sort(key=lambda each: each.expected_by)
    return Whereabouts(awaited=tuple(awaited), destinations=destinations)


_SETTLED: Final = frozenset(
    {
        UtilisationStatus.FULL,
        UtilisationStatus.REJECTED,
        UtilisationStatus.WITHDRAWN,
        UtilisationStatus.EXPIRED_UNUSED,
    }
)
"""What customs reported after which nobody has to use or decide anything."""
_DOUBTED: Final[Mapping[UtilisationStatus, ImportState]] = {
    UtilisationStatus.UNDER_QUERY: ImportState.UNDER_VERIFICATION,
    UtilisationStatus.PENDING: ImportState.PENDING,
}


def _of_state(row: CertificateRow) -> Iterator[Awaited]:
    """Yield what the state asks for; of an issued one, what customs over there is waiting for."""
    state, since = row.state, row.state_since
    reported = row.reported_status if state is IssueState.ISSUED else None
    if reported in _SETTLED:
        return
    if reported is not None and reported in _DOUBTED:
        state, since = _DOUBTED[reported], row.updated_at
    found = guide(state)
    if found is not None:
        yield Awaited(
            state=state,
            owner=found.owner,
            reason=found.reason,
            next_step=found.next_step,
            expected_by=found.deadline(since, row.valid_until),
        )


def _of_messages(
    conn: Connection, names: dict[int, str], row: CertificateRow, now: datetime
) -> Iterator[Awaited]:
    away = maintenance.away(conn, now)
    for each in outbox.in_conversation(conn, row.conversation_id):
        found = guide(each.state)
        if found is not None:
            planned = away.get(each.peer_id) if each.state in GOES_BY_ITSELF else None
            reason, next_step = (
                (found.reason, found.next_step)
                if planned is None
                else while_away(names[each.peer_id], planned)
            )
            yield Awaited(
                state=each.state,
                owner=found.owner,
                reason=reason,
                next_step=next_step,
                expected_by=found.deadline(each.updated_at, row.valid_until),
                next_at=each.due_at,
                peer=names.get(each.peer_id),
                message_id=each.message_id,
            )


_ANSWERED = ("REFUSED_BY_PEER", "UNDELIVERABLE")


def _of_answers(destinations: tuple[Destination, ...], row: CertificateRow) -> Iterator[Awaited]:
    """Yield what a person must do about messages that came back; those under way stand above."""
    for each in destinations:
        found = guide(each.delivery.state)
        if found is not None and each.delivery.state in _ANSWERED:
            yield Awaited(
                state=each.delivery.state,
                owner=found.owner,
                reason=found.reason,
                next_step=found.next_step,
                expected_by=found.deadline(each.delivery.updated_at, row.valid_until),
                peer=each.peer,
                message_id=each.delivery.message_id,
            )
