"""Calendar arithmetic of the rules: months that end early, working days; pure, no clock."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a shorter month.

    31 January and three months give 30 April.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_working_days(day: date, count: int, weekend: Collection[int]) -> date:
    """Return the day that lies ``count`` working days later.

    Args:
        weekend: days of the week without work, Monday is 1; never all seven.
    """
    while count > 0:
        day += timedelta(days=1)
        if day.isoweekday() not in weekend:
            count -= 1
    return day
