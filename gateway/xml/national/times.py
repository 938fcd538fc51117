"""Dates and moments as national files write them: patterns declared in the mapping file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from gateway.xml.national.texts import Problem, UnfitError, shown

_TOKENS: Mapping[str, str] = {
    "yyyy": r"(?P<yyyy>[0-9]{4})",
    "mm": r"(?P<mm>[0-9]{2})",
    "dd": r"(?P<dd>[0-9]{2})",
    "hh": r"(?P<hh>[0-9]{2})",
    "mi": r"(?P<mi>[0-9]{2})",
    "ss": r"(?P<ss>[0-9]{2})",
    "zone": r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})",
}
_TOKEN = re.compile("|".join(_TOKENS))


@dataclass(frozen=True)
class TimePattern:
    """Is a pattern of dates or moments: yyyy mm dd hh mi ss zone and what stands between."""

    written: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens in order."""
        return tuple(_TOKEN.findall(self.written))

    def parts(self, text: str) -> dict[str, str]:
        """Return the digits of ``text`` by token; UnfitError when it has another form."""
        pattern, position = "", 0
        for match in _TOKEN.finditer(self.written):
            pattern += re.escape(self.written[position : match.start()]) + _TOKENS[match[0]]
            position = match.end()
        found = re.fullmatch(pattern + re.escape(self.written[position:]), text)
        if found is None:
            raise UnfitError(Problem.NOT_A_DATE, shown=text, expected=self.written)
        return found.groupdict()

    def fill(self, moment: date) -> str:
        """Return ``moment`` written in this pattern."""
        values = {"yyyy": f"{moment.year:04}", "mm": f"{moment.month:02}", "dd": f"{moment.day:02}"}
        if isinstance(moment, datetime):
            values |= {"hh": f"{moment.hour:02}", "mi": f"{moment.minute:02}", "ss": "00"}
            values["zone"] = moment.isoformat()[-6:]
        return _TOKEN.sub(lambda match: values[match[0]], self.written)


@dataclass(frozen=True)
class DayStyle:
    """Is the end of date fields."""

    pattern: TimePattern

    def read(self, text: str) -> date:
        """Return the day."""
        parts = self.pattern.parts(text)
        try:
            return date(int(parts["yyyy"]), int(parts["mm"]), int(parts["dd"]))
        except ValueError as exc:
            expected = self.pattern.written
            raise UnfitError(Problem.NOT_A_DATE, shown=shown(text), expected=expected) from exc

    def write(self, value: date) -> str:
        """Return the day in this style."""
        return self.pattern.fill(value)


@dataclass(frozen=True)
class MomentStyle:
    """Is the end of moment fields; seconds are dropped, as documents are minute-precise.

    Attributes:
        offset: from UTC, which the national clock keeps; None when ``zone`` is written.
    """

    pattern: TimePattern
    offset: timedelta | None

    def read(self, text: str) -> datetime:
        """Return the moment with its offset."""
        parts = self.pattern.parts(text)
        try:
            numbers = [
                int(parts.get(token) or 0) for token in ("yyyy", "mm", "dd", "hh", "mi", "ss")
            ]
            year, month, day, hour, minute, second = numbers
            zone = self._zone(parts.get("zone", "Z"))
            read = datetime(year, month, day, hour, minute, second, tzinfo=zone)
            return read.replace(second=0)
        except ValueError as exc:
            expected = self.pattern.written
            raise UnfitError(Problem.NOT_A_DATE, shown=shown(text), expected=expected) from exc

    def write(self, value: datetime) -> str:
        """Return the moment as the national clock shows it."""
        local = value if self.offset is None else value.astimezone(timezone(self.offset))
        return self.pattern.fill(local)

    def _zone(self, written: str) -> timezone:
        if self.offset is not None:
            return timezone(self.offset)
        if written == "Z":
            return UTC
        sign = -1 if written[0] == "-" else 1
        hours, minutes = int(written[1:3]), int(written[4:6])
        return timezone(sign * timedelta(hours=hours, minutes=minutes))
