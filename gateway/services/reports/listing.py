"""The certificates behind a number of a report, page by page, at a bounded cost.

The groups that hold such certificates are walked from the newest month back, each from its newest
certificate; a walk ends after a number of steps, so that a page may be short and name where to
go on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.errors import InputError
from gateway.exchange.context import Desk
from gateway.services.access import Scope
from gateway.services.counter import Counter
from gateway.services.lookup import note_views
from gateway.services.people.roles import Visitor
from gateway.services.reports.asking import Question
from gateway.services.reports.certificates import bounds_of, limits_of
from gateway.store import CertificateRow, Side, certificates, reporting
from gateway.store.report_measures import SEPARATOR, Measure, standing_of
from gateway.store.reporting import Bounds

EACH: Final = 50
PURPOSE: Final = "console: report"
_WALK: Final = 2_000
_LONGEST_NAME: Final = 100
_TOP: Final = 10**18 - 1
"""Above every key: a group is walked from its newest certificate."""

_CURSOR: Final = re.compile(r"(\d{1,12})-(\d{1,18})", re.ASCII)


class Column(StrEnum):
    """Names the numbers that lead to a list."""

    ISSUED = "ISSUED"
    SENT = "SENT"
    USED = "USED"
    RECEIVED = "RECEIVED"
    USED_HERE = "USED_HERE"
    CHAPTER = "CHAPTER"
    REASON = "REASON"
    OVERDUE = "OVERDUE"


_MEANS: Final = {
    Column.ISSUED: (Side.ISSUED, Measure.ALL),
    Column.SENT: (Side.ISSUED, Measure.ARRIVED),
    Column.USED: (Side.ISSUED, Measure.USED),
    Column.RECEIVED: (Side.RECEIVED, Measure.ALL),
    Column.USED_HERE: (Side.RECEIVED, Measure.USED),
    Column.CHAPTER: (None, Measure.CHAPTER),
    Column.REASON: (None, Measure.REASON),
    Column.OVERDUE: (None, Measure.STANDS),
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Says which number of a report is to be seen as certificates.

    Attributes:
        name: chapter, reason or state, where the column has one.
        side: for columns that have both.
    """

    asked: Question
    column: Column
    name: str = ""
    side: Side | None = None
    origin: str | None = None
    destination: str | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Is one page; ``cursor`` asks for the next, None after the last."""

    rows: tuple[CertificateRow, ...]
    cursor: str | None


def certificates_behind(
    counter: Counter, visitor: Visitor, wanted: Wanted, *, cursor: str | None
) -> Listed:
    """Return a page of the certificates that a number counts; views of foreign ones are noted.

    Raises:
        InputError: the cursor is none, or the column wants a name that is missing.
    """
    visitor.caller.require(Scope.READ)
    desk = counter.desk
    with desk.store.read() as conn:
        found, go_on = _walked(conn, _Walk.of(desk, visitor, wanted), _position(cursor))
        known = certificates.of_keys(conn, found)
    rows = tuple(known[key] for key in found if key in known)
    note_views(counter, visitor.caller, rows, subject=f"report {wanted.column}", purpose=PURPOSE)
    return Listed(rows=rows, cursor=go_on)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Is what is looked for, in the words of the store.

    Attributes:
        since: hour before which a certificate that is overdue entered its state.
    """

    bounds: Bounds
    measure: Measure
    name: str
    since: str | None

    @classmethod
    def of(cls, desk: Desk, visitor: Visitor, wanted: Wanted) -> _Walk:
        side, measure = _MEANS[wanted.column]
        bounds = replace(
            bounds_of(desk, visitor, wanted.asked),
            side=side or wanted.side,
            origin=wanted.origin,
            destination=wanted.destination,
        )
        name = wanted.name[:_LONGEST_NAME]
        if measure is Measure.STANDS:
            since = _limit(name, desk.clock())
            return cls(bounds=bounds, measure=measure, name=f"{name} ", since=since)
        return cls(bounds=bounds, measure=measure, name=name, since=None)

    def means(self, marks: str) -> bool:
        """Return whether a certificate with these marks is looked for."""
        if self.since is None:
            return True
        begun = f"{self.measure.value}:{self.name}"
        mark = next(each for each in marks.split(SEPARATOR) if each.startswith(begun))
        return standing_of(mark.partition(":")[2])[1] < self.since


def _limit(state: str, now: datetime) -> str:
    for each, limit in limits_of(now):
        if each.value == state:
            return f"{limit:%Y-%m-%dT%H}"
    raise InputError("no certificate is overdue in such a state")


def _walked(
    conn: Connection, walk: _Walk, after: tuple[int, int] | None
) -> tuple[list[int], str | None]:
    groups = list(reporting.groups(conn, walk.bounds, walk.measure, walk.name))
    before = _TOP
    if after is not None:
        if after[0] not in groups:
            raise InputError("the list has changed; begin anew")
        groups, before = groups[groups.index(after[0]) :], after[1]
    found: list[int] = []
    left = _WALK
    for group in groups:
        while left > 0:
            some = reporting.members(
                conn, group, walk.measure, walk.name, before=before, limit=EACH + 1
            )
            for key, marks in some:
                if len(found) == EACH:
                    return found, f"{group}-{before}"
                before = key
                found += [key] if walk.means(marks) else []
            left -= len(some)
            if len(some) <= EACH:
                break
        if left <= 0:
            return found, f"{group}-{before}"
        before = _TOP
    return found, None


def _position(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InputError("the list has changed; begin anew")
    return int(match[1]), int(match[2])
