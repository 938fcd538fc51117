"""The page of everything with an end date: a plot by month, then month by month what ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from markupsafe import Markup

from gateway.operations.expiry import OWN, Dated
from gateway.services.operating import standing
from gateway.services.people.roles import Right
from gateway.web.console.pages import Answer, Page, Shown, Visit
from gateway.web.console.plots import Pile, piles
from gateway.web.console.words import Words

MONTHS: Final = 18
_SOON, _VERY_SOON = 30, 7


@dataclass(frozen=True, kw_only=True)
class Month:
    """Is one month of the calendar with what ends in it.

    Attributes:
        first: its first day; None for what has no end.
    """

    first: date | None
    dated: tuple[Dated, ...]


def show_calendar(visit: Visit) -> Answer:
    """Show everything with an end date, what ends first at the top."""
    now = visit.operating.now()
    dated = standing.calendar(visit.operating)
    values = {
        "months": by_month(dated),
        "plot": month_plot(visit.words, dated, now),
        "now": now,
        "own": OWN,
    }
    return Shown(template="expiries.html", values=values)


def by_month(dated: Sequence[Dated]) -> tuple[Month, ...]:
    """Return what ends month by month, in the order given; what has no end at the foot."""
    found: dict[date | None, list[Dated]] = {}
    for each in dated:
        found.setdefault(_month_of(each), []).append(each)
    return tuple(Month(first=first, dated=tuple(rows)) for first, rows in found.items())


def month_plot(words: Words, dated: Sequence[Dated], now: datetime) -> Markup:
    """Return how much ends in each of the next months; what has ended stands in the present one."""
    this = now.date().replace(day=1)
    columns = []
    for first in _following(this, MONTHS):
        rows = [each for each in dated if _column(each, this) == first]
        columns.append(
            Pile(label=words.month(first), says=_said(words, first, rows), parts=_parts(rows, now))
        )
    return piles(columns, words("operating.calendar").striptags())


def tone(days: int | None) -> str:
    """Return the class of a plot's part for what ends in so many days."""
    if days is None or days >= _SOON:
        return "sent"
    return "failed" if days < _VERY_SOON else "waiting"


def _parts(rows: Sequence[Dated], now: datetime) -> tuple[tuple[str, float], ...]:
    tones = [tone(each.days_left(now)) for each in rows]
    return tuple((name, float(tones.count(name))) for name in ("sent", "waiting", "failed"))


def _said(words: Words, first: date, rows: Sequence[Dated]) -> str:
    named = (
        f"{words('operating.own').striptags() if each.owner == OWN else each.owner} "
        f"{words.word('dated', each.use).striptags()}"
        for each in rows
    )
    return " · ".join((f"{words.month(first)}: {words.number(len(rows))}", *named))


def _month_of(each: Dated) -> date | None:
    return None if each.ends_at is None else each.ends_at.date().replace(day=1)


def _column(each: Dated, this: date) -> date | None:
    month = _month_of(each)
    return None if month is None else max(month, this)


def _following(first: date, count: int) -> list[date]:
    numbers = range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


PAGES: Final = (
    Page(name="expiries", path="/operating/expiries", right=Right.WATCH, handler=show_calendar),
)
