"""What a reader asks a report for: a span of months, a country, a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.documents import CertificateKind
from gateway.errors import InputError

MOST_MONTHS: Final = 24
_USUAL_MONTHS: Final = 12
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Period:
    """Is a span of whole months, both ends in.

    Attributes:
        first, last: first day of the first and of the last month.
    """

    first: date
    last: date

    @property
    def until(self) -> date:
        """The first day after it."""
        return _moved(self.last, 1)

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each month."""
        count = (self.until.year - self.first.year) * 12 + self.until.month - self.first.month
        return tuple(_moved(self.first, number) for number in range(count))


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is what one report is asked for.

    Attributes:
        country: from or to where the certificates go; None for anywhere.
    """

    period: Period
    country: str | None = None
    kind: CertificateKind | None = None

    @property
    def written(self) -> Mapping[str, str]:
        """The question as an address says it."""
        said = {"first": f"{self.period.first:%Y-%m}", "last": f"{self.period.last:%Y-%m}"}
        if self.country is not None:
            said["country"] = self.country
        if self.kind is not None:
            said["kind"] = self.kind.value
        return said


def question_of(said: Mapping[str, str], today: date) -> Question:
    """Return the question that an address asks; of the last twelve months if it names none.

    Raises:
        InputError: a month, a country or a kind is none.
    """
    return Question(
        period=period_of(said.get("first"), said.get("last"), today),
        country=country_of(said.get("country")),
        kind=kind_of(said.get("kind")),
    )


def period_of(first: str | None, last: str | None, today: date) -> Period:
    """Return the period that two months name, the last twelve months if none is named.

    Raises:
        InputError: one is no month, they stand the wrong way round, or are too far apart.
    """
    end = _month(last) or today.replace(day=1)
    begin = _month(first) or _moved(end, 1 - _USUAL_MONTHS)
    period = Period(first=begin, last=end)
    if begin > end or len(period.months) > MOST_MONTHS:
        raise InputError(f"choose a period of at most {MOST_MONTHS} months, from its beginning")
    return period


def country_of(written: str | None) -> str | None:
    """Return the state that is named, None if none is.

    Raises:
        InputError: it is no code of a state.
    """
    if not written:
        return None
    if _COUNTRY.fullmatch(written) is None:
        raise InputError("write a country by its two letters, as KE")
    return written


def kind_of(written: str | None) -> CertificateKind | None:
    """Return the kind of certificate that is named, None if none is.

    Raises:
        InputError: there is no such kind.
    """
    if not written:
        return None
    try:
        return CertificateKind(written)
    except ValueError as exc:
        raise InputError("there is no such kind of certificate") from exc


def _month(written: str | None) -> date | None:
    if not written:
        return None
    match = _MONTH.fullmatch(written)
    if match is None or not 2000 <= int(match[1]) <= 2100:
        raise InputError("write a month as 2026-03")
    return date(int(match[1]), int(match[2]), 1)


def _moved(month: date, by: int) -> date:
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)
