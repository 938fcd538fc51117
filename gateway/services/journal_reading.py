"""Reading the journal: who may read which entries, and how its chain was found.

An operator keeps the machine and sees what concerns it; what was done with certificates, and by
which people, is read by auditors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.exchange.context import Desk
from gateway.services.people.roles import Right, Visitor
from gateway.services.tabular import csv_of
from gateway.store import JournalAction, JournalEntry, PersonRole, journal, watch_marks
from gateway.store.journal_search import Asked, JournalPart, search
from gateway.store.types import canonical_json

MOST_IN_A_FILE: Final = 10_000
_FILE_PAGE: Final = 1_000
_MOST_WALKS: Final = 40
_OF_THE_MACHINE: Final = frozenset(
    {
        *("peer", "credential", "crl", "dispatch", "bundle", "arrival", "books"),
        *("backup", "hold", "retention", "system", "outage", "alert"),
        *("maintenance", "part"),
        *("organisation", "api-key", "webhook", "directory"),
    }
)
TECHNICAL: Final = frozenset(
    action for action in JournalAction if action.value.split(":")[0] in _OF_THE_MACHINE
)
"""What an operator may read of."""


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """Is what the watch knows of the journal's chain.

    Attributes:
        entries: how many there are.
        verified: up to where the chain was followed.
        fault: what was found wrong, None while nothing was.
    """

    entries: int
    verified: int
    noted_at: datetime | None
    fault: str | None

    @property
    def holds(self) -> bool:
        """Whether all that was looked at was as it should be."""
        return self.fault is None


def readable(visitor: Visitor) -> frozenset[JournalAction]:
    """Return the actions of which the visitor may read.

    Raises:
        NotPermittedError: they may not read the journal.
    """
    visitor.require(Right.JOURNAL)
    own = visitor.person.role
    return TECHNICAL if own is PersonRole.OPERATOR else frozenset(JournalAction)


def read(
    desk: Desk, visitor: Visitor, asked: Asked, *, before: int | None = None, limit: int = 50
) -> JournalPart:
    """Return the newest entries that are asked for and that the visitor may read."""
    with desk.store.read() as conn:
        return search(conn, _allowed(visitor, asked), before=before, limit=limit)


def as_csv(desk: Desk, visitor: Visitor, asked: Asked) -> bytes:
    """Return the newest entries that are asked for as CSV, ten thousand at most."""
    heads = ("sequence", "at", "actor", "action", "subject", "detail", "entry_hash")
    rows = (
        (
            each.sequence,
            each.at,
            each.actor,
            each.action,
            each.subject,
            canonical_json(dict(each.detail)),
            each.entry_hash,
        )
        for each in _all(desk, visitor, asked)
    )
    return csv_of(heads, rows)


def chain_state(desk: Desk) -> ChainState:
    """Return how the chain was found when the watch looked last."""
    with desk.store.read() as conn:
        entries, _ = journal.head(conn)
        marks = [watch_marks.find(conn, name) for name in ("journal", "journal again")]
    first = marks[0]
    return ChainState(
        entries=entries,
        verified=0 if first is None else first.position,
        noted_at=None if first is None else first.noted_at,
        fault=next((mark.fault for mark in marks if mark is not None and mark.fault), None),
    )


def _all(desk: Desk, visitor: Visitor, asked: Asked) -> Iterator[JournalEntry]:
    before, left = None, MOST_IN_A_FILE
    for _ in range(_MOST_WALKS):
        part = read(desk, visitor, asked, before=before, limit=min(_FILE_PAGE, left))
        yield from part.entries
        left -= len(part.entries)
        before = part.go_on
        if before is None or left <= 0:
            return


def _allowed(visitor: Visitor, asked: Asked) -> Asked:
    allowed = readable(visitor)
    if asked.actions is not None:
        return replace(asked, actions=asked.actions & allowed)
    return asked if allowed == frozenset(JournalAction) else replace(asked, actions=allowed)
