"""The pieces of which boxes are made: words, values and codes in lines, each with its direction.

A line is a list of runs.  What others wrote is a ``value``; numbers and codes that read from
left to right in every language are ``code``.  Both are isolated, so that nothing a value holds
can move what stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from gateway.documents import Language
from gateway.documents.base import Quantity
from gateway.documents.codelists import code_list
from gateway.documents.findings import LocalisedText
from gateway.paper.shown import (
    END,
    holds_right_to_left,
    is_right_to_left,
    isolated,
    shown,
)

_LABEL, _VALUE, _STRONG, _CODE = "label", "value", "strong", "code"
_COUNTRIES: Final = "countries"
_LTR: Final = "\u2066"
_NO_BREAK: Final = "\u00a0"


@dataclass(frozen=True)
class Line:
    """Is one line of a box; ``add`` makes it longer and gives it back."""

    language: Language
    runs: list[tuple[str, str]] = field(default_factory=list)
    narrow: int = 22

    def label(self, word: LocalisedText) -> Line:
        """Add a word of the form, set apart as a label."""
        colon = f"{_NO_BREAK}: " if self.language is Language.FRENCH else ": "
        self.runs.append((_LABEL, f"{word.in_language(self.language)}{colon}"))
        return self

    def word(self, word: LocalisedText) -> Line:
        """Add a word of the form."""
        self.runs.append((_VALUE, word.in_language(self.language)))
        return self

    def say(self, plain: str) -> Line:
        """Add punctuation or spaces between what stands there."""
        self.runs.append((_VALUE, plain))
        return self

    def comma(self) -> Line:
        """Add the comma of the form's language."""
        return self.say("، " if self.language is Language.ARABIC else ", ")

    def semicolon(self) -> Line:
        """Add the semicolon of the form's language."""
        marks = {Language.ARABIC: "؛ ", Language.FRENCH: f"{_NO_BREAK}; "}
        return self.say(marks.get(self.language, "; "))

    def value(self, text: str) -> Line:
        """Add what others wrote."""
        return self._foreign(_VALUE, text)

    def strong(self, text: str) -> Line:
        """Add what others wrote, in heavy letters."""
        return self._foreign(_STRONG, text)

    def code(self, text: str) -> Line:
        """Add a number or code, which reads from left to right."""
        visible = shown(text, longest=self.narrow)
        if len(visible) <= self.narrow:
            visible = visible.replace(" ", _NO_BREAK)
        self.runs.append((_CODE, f"{_LTR}{visible}{END}" if self._mixes(visible) else visible))
        return self

    def day(self, day: date | None) -> Line:
        """Add a day as ISO 8601 writes it; nothing for None."""
        return self if day is None else self.code(day.isoformat())

    def moment(self, at: datetime) -> Line:
        """Add a moment in UTC, to the minute."""
        return self.code(moment_text(at))

    def country(self, code: str) -> Line:
        """Add a country by name and code."""
        name = code_list(_COUNTRIES).name(code, self.language)
        if name == code:
            return self.code(code)
        return self.value(name).say(" (").code(code).say(")")

    def named(self, list_id: str, code: str) -> Line:
        """Add a value of a code list by its name, or the bare code where it has none."""
        name = code_list(list_id).name(code, self.language)
        return self.code(code) if name == code else self.value(name)

    def quantity(self, quantity: Quantity) -> Line:
        """Add a quantity with the code of its unit."""
        return self.code(f"{figure(quantity.value)} {quantity.unit}")

    def _foreign(self, kind: str, text: str) -> Line:
        visible = shown(text, longest=self.narrow)
        parts = visible.split("\n")
        isolate = self._mixes(visible)
        self.runs.append((kind, "\n".join(map(isolated, parts)) if isolate else visible))
        return self

    def _mixes(self, visible: str) -> bool:
        """Return whether letters of both directions may meet in a line with this text."""
        return self.language is Language.ARABIC or holds_right_to_left(visible)

    def as_json(self) -> dict[str, Any]:
        """Return the line as the form's program reads it.

        A line that is one value alone takes the value's direction; else the form's.
        """
        alone = len(self.runs) == 1 and self.runs[0][0] in (_VALUE, _STRONG)
        form = self.language is Language.ARABIC
        turned = is_right_to_left(self.runs[0][1]) if alone and self.runs[0][1] else form
        return {"runs": self.runs, "rtl": turned}


def lines_of(language: Language, texts: Iterable[str | None]) -> list[Line]:
    """Return each text in a line of its own; None is left out."""
    return [Line(language).value(text) for text in texts if text is not None]


def figure(value: Decimal) -> str:
    """Return a number in plain digits as it was certified, without zeros that say nothing."""
    return f"{value.normalize():f}" if value == value.to_integral() else format(value, "f")


def moment_text(at: datetime) -> str:
    """Return a moment in UTC as every language of the form writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
