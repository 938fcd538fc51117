"""The lists that a form offers, with names in the visitor's language, and codes found in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from gateway.agreements import Agreement
from gateway.documents import Language, Severity
from gateway.documents.codelists import CodeList, code_list
from gateway.web.console.drafting_fields import Choices
from gateway.web.console.words import Words, undirected

JOINT: Final = " · "
"""Stands between a code and its name in a field."""
_CODE_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", re.ASCII)
_WORDED: Final[Mapping[Choices, tuple[str, tuple[str, ...]]]] = {
    Choices.PURPOSES: ("draft_purpose", ("9", "5", "1")),
    Choices.LANGUAGES: ("draft_language", tuple(Language)),
    Choices.BASES: ("draft_basis", ("EXW", "FOB", "CIF")),
}
"""Vocabularies that our own texts word."""


@dataclass
class Lists:
    """Holds what the fields of one form offer.

    Attributes:
        agreement: whose members, letters and boxes are offered.
    """

    words: Words
    agreement: Agreement
    _made: dict[Choices, Mapping[str, str]] = field(default_factory=dict)

    def options(self, choices: Choices) -> Mapping[str, str]:
        """Return the values of a list with their names."""
        if choices not in self._made:
            self._made[choices] = dict(self._named(choices))
        return self._made[choices]

    def name(self, choices: Choices, code: str) -> str:
        """Return the name of a value, empty if there is none."""
        known = self.options(choices).get(code)
        if known is not None:
            return known
        listed = _behind(choices)
        return (
            "" if listed is None or code not in listed else listed.name(code, self.words.language)
        )

    def code_in(self, choices: Choices, text: str) -> str | None:
        """Return the code that was chosen, or written as code, name, or both; None if none is.

        Lists that ship as a part of the whole take any code.
        """
        offered, listed = self.options(choices), _behind(choices)
        head = text.partition(JOINT.strip())[0].strip()
        for code in (head, head.upper()):
            if code in offered or (listed is not None and code in listed):
                return code
        named = [code for code, name in offered.items() if name.casefold() == text.casefold()]
        if len(named) == 1:
            return named[0]
        is_open = listed is not None and listed.unknown is not Severity.ERROR
        return head if is_open and _CODE_FORM.fullmatch(head) else None

    def _named(self, choices: Choices) -> Iterable[tuple[str, str]]:
        language, agreement = self.words.language, self.agreement
        if choices in _WORDED:
            group, values = _WORDED[choices]
            return ((each, str(self.words(f"{group}.{each}"))) for each in values)
        own: Mapping[Choices, Callable[[], Iterable[tuple[str, str]]]] = {
            Choices.MEMBERS: lambda: (
                pair for pair in _listed("countries", language) if pair[0] in agreement.members
            ),
            Choices.KINDS: lambda: (
                (each, self.words.word("kind", each).striptags()) for each in agreement.kinds
            ),
            Choices.BOXES: lambda: (
                (box.number, box.title.in_language(language)) for box in agreement.boxes
            ),
            Choices.CRITERIA: lambda: (
                (each.code, each.name.in_language(language)) for each in agreement.criteria
            ),
            Choices.HS_EDITIONS: lambda: ((year, "") for year in reversed(agreement.hs_editions)),
        }
        return own[choices]() if choices in own else _listed(choices, language)


@cache
def _listed(choices: str, language: Language) -> tuple[tuple[str, str], ...]:
    """Return the values of a code list with their names, those of countries by name."""
    if choices == Choices.PAPERS:
        listed = code_list("attachments")
        codes = [each.code for each in listed if each.attributes.get("group") == "transport"]
    else:
        listed = code_list(choices)
        codes = [each.code for each in listed]
    pairs = [(code, undirected(listed.name(code, language))) for code in codes]
    if choices != Choices.COUNTRIES:
        return tuple(pairs)
    names = Words(language).locale.territories  # shorter than those of the standard
    return tuple(sorted(((code, names.get(code, name)) for code, name in pairs), key=_by_name))


def _by_name(pair: tuple[str, str]) -> str:
    """Return a name as it is sorted: without the marks above its letters."""
    return unicodedata.normalize("NFKD", pair[1]).casefold()


def _behind(choices: Choices) -> CodeList | None:
    """Return the code list that knows more values than are offered."""
    if choices in (Choices.PAPERS, Choices.ATTACHMENTS):
        return code_list("document-names")
    return code_list(choices) if choices in _WHOLE else None


_WHOLE: Final = (
    Choices.COUNTRIES,
    Choices.MODES,
    Choices.MEANS,
    Choices.PLACES,
    Choices.PACKAGES,
    Choices.UNITS,
    Choices.CURRENCIES,
    Choices.REASONS,
)
