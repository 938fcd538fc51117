"""Messages as an operator sees them: envelope, state, attempts with causes and remedies; resending.

A peer's own words about a refusal may repeat what a certificate says, so only details of our
own transport are told; codes are worded by the retry table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from gateway.documents.findings import LocalisedText
from gateway.errors import NotFoundError
from gateway.exchange.resending import Confirmed, Resent, resend_many
from gateway.exchange.waiting import Wait, why_waiting
from gateway.services.operating.desk import OperatingDesk
from gateway.store import (
    Attempt,
    DeliveryState,
    Dispatch,
    JournalEntry,
    Maintenance,
    dead_letters,
    journal,
    maintenance,
    outbox,
    peers,
)
from gateway.store.dead_letters import WAITING, Choice, Resending
from gateway.store.delivery import DeliveryEvent, sources
from gateway.store.outages import WAY_CODES

EACH: Final = 50


@dataclass(frozen=True, kw_only=True)
class TriedOnce:
    """Is one attempt with its cause in words, None where its code has none."""

    attempt: Attempt
    says: LocalisedText | None
    todo: LocalisedText | None

    @property
    def detail(self) -> str | None:
        """What our own transport said; nothing that a peer wrote."""
        return self.attempt.detail if self.attempt.code in WAY_CODES else None


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Is one message sent from here, with all that was done about it.

    Attributes:
        wait: why it waits, None where the peer has decided.
    """

    dispatch: Dispatch
    peer: str
    wait: Wait | None
    attempts: tuple[TriedOnce, ...]
    history: tuple[JournalEntry, ...]

    @property
    def can_resend(self) -> bool:
        """Whether a person may queue it again."""
        return self.dispatch.state in (*WAITING, *sources(DeliveryEvent.RESEND))

    @property
    def can_hold(self) -> bool:
        """Whether a person may keep it back."""
        return self.dispatch.state in sources(DeliveryEvent.HOLD)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Is one line of a list of messages."""

    dispatch: Dispatch
    peer: str
    wait: Wait | None


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """Is what a choice of waiting messages holds now.

    Attributes:
        rows: the first of them, in the order in which they would be sent.
        by_peer: how many there are to each peer.
    """

    choice: Choice
    rows: tuple[Listed, ...]
    by_peer: Mapping[str, int]
    most: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.by_peer.values())


class Step(Protocol):
    """Is what a person does to one message."""

    def __call__(self, desk: OperatingDesk, message_id: str, *, actor: str, reason: str) -> None:
        """Do it, for the journal with who and why."""


def sent(
    desk: OperatingDesk,
    *,
    peer_id: int | None = None,
    state: DeliveryState | None = None,
    under_way: bool = False,
    before: int | None = None,
    limit: int = EACH,
) -> tuple[Listed, ...]:
    """Return the newest messages sent from here; one more than ``limit`` if more follow.

    Args:
        under_way: only those that are not at their end.
    """
    with desk.desk.store.read() as conn:
        rows = outbox.page(
            conn,
            peer_id=peer_id,
            state=state,
            waiting=under_way,
            before=before,
            limit=limit + 1,
        )
        return _listed(desk, conn, rows)


def letter(desk: OperatingDesk, message_id: str) -> Letter:
    """Return one message with its attempts.

    Raises:
        NotFoundError: no such message was sent from here.
    """
    with desk.desk.store.read() as conn:
        found = outbox.dispatch(conn, message_id)
        if found is None:
            raise NotFoundError("no such message was sent from here")
        (listed,) = _listed(desk, conn, [found])
        return Letter(
            dispatch=found,
            peer=listed.peer,
            wait=listed.wait,
            attempts=tuple(_tried(desk, each) for each in outbox.attempts_of(conn, message_id)),
            history=journal.page(conn, subject=message_id, limit=EACH)[::-1],
        )


def waiting(desk: OperatingDesk, choice: Choice, *, limit: int = EACH) -> DeadLetters:
    """Return what a choice of messages that wait for a person holds now."""
    with desk.desk.store.read() as conn:
        counts = dead_letters.count(conn, choice)
        names = {peer.id: peer.identifier for peer in peers.every(conn)}
        return DeadLetters(
            choice=choice,
            rows=_listed(desk, conn, dead_letters.page(conn, choice, limit=limit)),
            by_peer={names[peer_id]: count for peer_id, count in sorted(counts.items())},
            most=desk.resend_most,
        )


def resend_chosen(
    desk: OperatingDesk, choice: Choice, count: int, *, actor: str, reason: str
) -> Resent:
    """Return what was queued again of a choice that must still hold ``count`` messages.

    Raises:
        ConflictError: it holds another number now; nothing was changed.
    """
    return resend_many(
        desk.desk.store,
        Resending(choice=choice, gap=desk.resend_gap, actor=actor, reason=reason),
        Confirmed(count=count, most=desk.resend_most),
        clock=desk.now,
    )


def resend(desk: OperatingDesk, message_id: str, *, actor: str, reason: str) -> None:
    """Queue one message again, the same bytes under the same id; let a held one go.

    Raises:
        NotFoundError, ConflictError: there is none, or it is on its way.
    """
    with desk.desk.store.begin() as conn:
        dead_letters.resend_one(conn, message_id, at=desk.now(), actor=actor, reason=reason)


def hold(desk: OperatingDesk, message_id: str, *, actor: str, reason: str) -> None:
    """Keep a message back that is not under way.

    Raises:
        NotFoundError, ConflictError: there is none, or it is under way or at its end.
    """
    with desk.desk.store.begin() as conn:
        outbox.hold(conn, message_id, at=desk.now(), actor=actor, reason=reason)


def turned_away(
    desk: OperatingDesk,
    *,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = EACH,
) -> tuple[JournalEntry, ...]:
    """Return calls that got a fault and no receipt, the newest first; one more if more follow.

    Args:
        since: only those that came then or later.
    """
    action = journal.Action.ARRIVAL_TURNED_AWAY
    with desk.desk.store.read() as conn:
        found = journal.page(conn, action=action, before=before, limit=limit + 1)
    return tuple(each for each in found if since is None or each.at >= since)


def _listed(desk: OperatingDesk, conn: Connection, rows: Sequence[Dispatch]) -> tuple[Listed, ...]:
    names = {peer.id: peer.identifier for peer in peers.every(conn)}
    away = maintenance.away(conn, desk.now())
    return tuple(
        Listed(
            dispatch=row,
            peer=names[row.peer_id],
            wait=why_waiting(row, desk.retry, _named(names, away.get(row.peer_id))),
        )
        for row in rows
    )


def _named(names: Mapping[int, str], one: Maintenance | None) -> tuple[str, Maintenance] | None:
    return None if one is None or one.peer_id is None else (names[one.peer_id], one)


def _tried(desk: OperatingDesk, attempt: Attempt) -> TriedOnce:
    kind = None if attempt.code is None else desk.retry.explain(attempt.code)
    return TriedOnce(
        attempt=attempt,
        says=None if kind is None else kind.says,
        todo=None if kind is None else kind.todo,
    )
