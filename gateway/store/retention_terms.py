"""The words of retention: units, dates that count, standing, and the five years' floor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

from gateway.store.states import ImportState, IssueState

FLOOR_YEARS = 5
"""Regulation articles 7.8 and 14: no class and no setting goes below this."""


class Unit(StrEnum):
    """Names what a class of retention goes through, row by row."""

    CERTIFICATES = "CERTIFICATES"
    ARRIVALS = "ARRIVALS"
    DISPATCHES = "DISPATCHES"
    EVENTS = "EVENTS"


class CountedFrom(StrEnum):
    """Names the dates from which the years are counted; the latest of a class's dates counts."""

    ISSUE = "ISSUE"
    VALIDITY_END = "VALIDITY_END"
    LAST_CHANGE = "LAST_CHANGE"
    LAST_MESSAGE = "LAST_MESSAGE"
    ENTRY = "ENTRY"


class Standing(StrEnum):
    """Says what becomes of a row whose years are over."""

    DUE = "DUE"
    OPEN = "OPEN"
    HELD = "HELD"


@dataclass(frozen=True, kw_only=True)
class Closed:
    """Names the states of a certificate of origin in which nobody has anything to do.

    Attributes:
        fully_used: an issued certificate that customs used up counts too.
    """

    issued: frozenset[IssueState]
    received: frozenset[ImportState]
    fully_used: bool


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Is one class of retention with the day before which its rows are due.

    Attributes:
        closed: states that belong to the class.
        final: every state in which nobody has anything to do, of any class.
        before: midnight UTC; only what was last counted before is due.
    """

    name: str
    unit: Unit
    closed: Closed
    final: Closed
    counted_from: frozenset[CountedFrom]
    before: datetime


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Is a row whose years are over, with the rows that go with it.

    Attributes:
        key: by which pages are turned.
        counted_from: latest date that counts.
    """

    key: int
    subject: str
    counted_from: datetime
    standing: Standing
    certificates: tuple[int, ...] = ()
    dispatches: tuple[int, ...] = ()
    arrivals: tuple[int, ...] = ()
    document_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Is one page of candidates; ``last`` is where the next one begins."""

    rows: tuple[Candidate, ...]
    last: int
    ended: bool


def floor(now: datetime, *, years: int = FLOOR_YEARS) -> datetime:
    """Return midnight of the day ``years`` before ``now``: nothing later is ever erased.

    Raises:
        ValueError: fewer years than the law asks for (a mistake of our own).
    """
    if years < FLOOR_YEARS:
        raise ValueError(f"nothing is kept for less than {FLOOR_YEARS} years")
    today = now.astimezone(UTC).date()
    year = today.year - years
    day = today.replace(year=year, day=28) if (today.month, today.day) == (2, 29) else None
    return datetime.combine(day or today.replace(year=year), time.min, UTC)
