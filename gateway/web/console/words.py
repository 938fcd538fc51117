"""Words of the console in the visitor's language: texts, dates, numbers, names of countries.

Texts stand in ``texts/*.yaml``, each with its three languages side by side; a test proves that
none lacks.  Values put into a text are escaped and isolated, so that neither markup nor the
direction of foreign letters leaks out of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from gateway.documents import Language
from gateway.errors import ConfigError

TEXTS: Final = Path(__file__).parent / "texts"
_BIDI: Final = dict.fromkeys(
    (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
)
_STACKED: Final = ("Mn", "Me")
_MOST_STACKED: Final = 5
"""Accents on one letter; no writing of the states here takes more than three."""
_UNSEEN: Final = "\ufffd"
_DAY: Final = "d MMM y"
"""Never digits alone: 03/04 is read as April here and as March there."""
Text = Mapping[str, Any]


@cache
def texts() -> Mapping[str, Text]:
    """Return every text by its key, as ``frame.sign_out``, with its languages.

    Raises:
        ConfigError: a text lacks a language.
    """
    found: dict[str, Text] = {}
    for file in sorted(TEXTS.glob("*.yaml")):
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        for key, text in _flat(tree, file.stem):
            if missing := {each.value for each in Language} - text.keys():
                raise ConfigError(f"{file.name}: {key} lacks {', '.join(sorted(missing))}")
            found[key] = text
    return found


def _flat(tree: Mapping[str, Any], at: str) -> Iterator[tuple[str, Text]]:
    for name, value in tree.items():
        key = f"{at}.{name}"
        if "en" in value:
            yield key, value
        else:
            yield from _flat(value, key)


def undirected(text: str) -> str:
    """Return a text without the invisible signs that turn the direction of writing."""
    return text.translate(_BIDI)


def shown(value: object) -> str:
    """Return what a document holds as text that cannot change what stands around it.

    Marks that turn the direction are dropped, what cannot be seen shows that it is there, and no
    letter carries so many accents that it covers its neighbours.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(undirected(text)))


def _seen(text: str) -> Iterator[str]:
    stacked = 0
    for each in text:
        stacked = stacked + 1 if unicodedata.category(each) in _STACKED else 0
        if stacked <= _MOST_STACKED:
            yield each if each.isprintable() else _in_place_of(each)
        elif stacked == _MOST_STACKED + 1:
            yield _UNSEEN


def _in_place_of(unprintable: str) -> str:
    """Return what is shown for it; spaces of every kind, as those in French figures, are one."""
    if unprintable == "\n":
        return unprintable
    return " " if unprintable.isspace() else _UNSEEN


@dataclass(frozen=True)
class Words:
    """Words things in one language."""

    language: Language

    @property
    def locale(self) -> Locale:
        """The conventions of the language; Arabic with the digits that its papers use here."""
        return _locale(self.language)

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return str(self.locale.text_direction)

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the text of ``key`` with values put in.

        Args:
            n: a number chooses among the plural forms of the text.
        """
        text = texts()[key][self.language.value]
        if isinstance(text, Mapping):
            number = values["n"]
            form = self.locale.plural_form(number)  # type: ignore[arg-type]
            text = text.get(form) or text["other"]
        put_in = {name: self.isolated(each) for name, each in values.items()}
        return Markup(text).format(**put_in)  # noqa: S704 our own texts

    def word(self, group: str, value: object) -> Markup:
        """Return the word for one value of a vocabulary, the value itself if none is known."""
        key = f"{group}.{value}"
        return self(key) if key in texts() else self.code(value)

    def isolated(self, value: object) -> Markup:
        """Return a value as it stands in a sentence: escaped, its direction its own."""
        if isinstance(value, Markup):
            return value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return Markup("<bdi>{}</bdi>").format(shown(value))
        return Markup("<bdi>{}</bdi>").format(self.number(value))

    def code(self, value: object) -> Markup:
        """Return an identifier: left to right in any language, never translated."""
        return Markup('<bdi dir="ltr" class="code" translate="no">{}</bdi>').format(shown(value))

    def number(self, value: int | Decimal) -> str:
        """Return a number with the separators of the language."""
        return format_decimal(value, locale=self.locale, decimal_quantization=False)

    def percent(self, share: float | Decimal) -> str:
        """Return a share as a percentage."""
        return format_percent(share, format="#,##0.#%", locale=self.locale)

    def day(self, value: date | None) -> str:
        """Return a date."""
        return "" if value is None else format_date(value, _DAY, locale=self.locale)

    def month(self, value: date) -> str:
        """Return a month with its year."""
        return format_date(value, "MMM y", locale=self.locale)

    def moment(self, value: datetime | None) -> Markup:
        """Return a moment in UTC, with its machine-readable form."""
        if value is None:
            return Markup()
        said = format_datetime(value, self._moment_form, locale=self.locale)
        iso = value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Markup('<time datetime="{}" dir="auto">{} UTC</time>').format(iso, said)

    @property
    def _moment_form(self) -> str:
        return f"{_DAY}{'،' if self.direction == 'rtl' else ','} HH:mm"

    def age(self, span: timedelta) -> str:
        """Return a span of time in its largest unit."""
        return format_timedelta(span, locale=self.locale, threshold=1.5)

    def country(self, code: str) -> Markup:
        """Return a country by name, its code in brackets."""
        name = self.locale.territories.get(code)
        if name is None:
            return self.code(code)
        return Markup("{} ({})").format(name, self.code(code))


def plain(value: object) -> Markup:
    """Return a text that somebody else wrote: escaped, its direction found from itself."""
    return Markup('<bdi dir="auto">{}</bdi>').format(escape(shown(value)))


@cache
def _locale(language: Language) -> Locale:
    return Locale.parse(language.value)
