"""Sentences with placeholders in three languages, as the operating tables hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.agreements.texts import placeholders
from gateway.documents.codes import Language
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError

_LONGEST_VALUE = 400


def require_same_placeholders(texts: Iterable[LocalisedText]) -> None:
    """Return if each text names the same placeholders in every language.

    Raises:
        ValueError: the languages disagree (a mistake in a table).
    """
    for text in texts:
        names = {placeholders(text.in_language(language)) for language in Language}
        if len(names) > 1:
            raise ValueError(f"the languages disagree about placeholders: {text.en!r}")


def filled(text: LocalisedText, facts: Mapping[str, str], language: str) -> str:
    """Return ``text`` in one language with the facts put in, each on one line and bounded.

    Raises:
        ConfigError: a placeholder has no value.
    """
    try:
        return text.in_language(language).format_map(
            {name: one_line(value) for name, value in facts.items()}
        )
    except LookupError as exc:
        raise ConfigError(f"no value for {exc} in {text.en!r}") from exc


def one_line(value: str) -> str:
    """Return what somebody else wrote as part of a line: bounded, without marks of direction."""
    line = " ".join("".join(each for each in part if each.isprintable()) for part in value.split())
    return line if len(line) <= _LONGEST_VALUE else line[: _LONGEST_VALUE - 1] + "…"
