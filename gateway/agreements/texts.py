"""The sentences of the rules in English, French and Arabic, with their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Self

from pydantic import model_validator

from gateway.agreements.loading import load_record
from gateway.documents.base import Record
from gateway.documents.codes import Language
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError

_LONGEST_VALUE = 80


class RuleText(Record):
    """Is what one rule, or one variant of it, says.

    Attributes:
        message: what is wrong.
        remedy: what would mend it; a variant without one uses its rule's.
    """

    message: LocalisedText
    remedy: LocalisedText | None = None

    @model_validator(mode="after")
    def _languages_agree(self) -> Self:
        for text in (self.message, self.remedy):
            if text is not None:
                _require_same_placeholders(text)
        return self


class RuleTexts(Record):
    """Holds every text by its key: ``V18`` or, for a variant, ``V18.date``."""

    texts: dict[str, RuleText]

    @model_validator(mode="after")
    def _every_text_has_a_remedy(self) -> Self:
        for key, text in self.texts.items():
            base = self.texts.get(key.partition(".")[0])
            if base is None or (text.remedy or base.remedy) is None:
                raise ValueError(f"{key}: there is no remedy, neither here nor at the rule")
        return self


@cache
def rule_texts() -> RuleTexts:
    """Return the texts that ship beside this module; read once.

    Raises:
        ConfigError: the file is broken or the languages disagree about placeholders.
    """
    return load_record(RuleTexts, Path(__file__).with_name("texts.yaml"))


def text_keys() -> frozenset[str]:
    """Return the key of every rule and variant that has a text."""
    return frozenset(rule_texts().texts)


def placeholders(text: str) -> frozenset[str]:
    """Return the names in braces of a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def render(
    rule_id: str, variant: str | None, values: Mapping[str, object]
) -> tuple[LocalisedText, LocalisedText]:
    """Return message and remedy with the values put in.

    Raises:
        ConfigError: there is no such text, or a placeholder without value; both are
            mistakes of ours that the tests exclude.
    """
    message, remedy = _pair(rule_id, variant)
    return _filled(message, values), _filled(remedy, values)


@cache
def _pair(rule_id: str, variant: str | None) -> tuple[LocalisedText, LocalisedText]:
    texts = rule_texts().texts
    base = texts.get(rule_id)
    own = base if variant is None else texts.get(f"{rule_id}.{variant}")
    remedy = None if own is None or base is None else own.remedy or base.remedy
    if own is None or remedy is None:
        raise ConfigError(f"texts.yaml: texts: there is no {rule_id}.{variant or ''}")
    return own.message, remedy


def _filled(text: LocalisedText, values: Mapping[str, object]) -> LocalisedText:
    if not values or not any("{" in text.in_language(language) for language in Language):
        return text
    try:
        written = {
            language.value: text.in_language(language).format_map(
                {name: _written(value, language) for name, value in values.items()}
            )
            for language in Language
        }
    except LookupError as exc:
        raise ConfigError(f"texts.yaml: no value for {exc} in {text.en!r}") from exc
    return LocalisedText(**written)


def _written(value: object, language: Language) -> str:
    if isinstance(value, LocalisedText):
        return value.in_language(language)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M%z")
    if isinstance(value, date):
        return value.isoformat()
    written = " ".join(str(value).split())
    return written if len(written) <= _LONGEST_VALUE else written[: _LONGEST_VALUE - 1] + "…"


def _require_same_placeholders(text: LocalisedText) -> None:
    names = {language: placeholders(text.in_language(language)) for language in Language}
    if len(set(names.values())) > 1:
        raise ValueError(f"the languages disagree about placeholders: {text.en!r}")
