"""What a check is: one thing looked at, how it stands, and what mends it, in three languages.

Health and doctor are made of the same checks; the sentences stand in
``mappings/operations/checks.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Self

from pydantic import model_validator

from gateway.agreements.loading import load_record
from gateway.documents.base import Record
from gateway.documents.findings import LocalisedText
from gateway.operations.texts import filled, require_same_placeholders
from gateway.resources import data_path


class Outcome(StrEnum):
    """Is how a checked thing stands."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"

    @property
    def rank(self) -> int:
        """The badness as a number; more is worse."""
        return list(Outcome).index(self)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Is one thing that was looked at.

    Attributes:
        id: names the check and its sentences.
        subject: identifier of the peer it is about; empty for our own home.
        facts: values for the sentences; no secret and no payload.
    """

    id: str
    outcome: Outcome
    subject: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def says(self, language: str) -> str:
        """Return what was found, as a sentence."""
        text = check_texts()[self.id]
        return filled(text.good if self.outcome is Outcome.OK else text.bad, self.facts, language)

    def remedy(self, language: str) -> str | None:
        """Return what to do, None where nothing needs doing."""
        if self.outcome is Outcome.OK:
            return None
        return filled(check_texts()[self.id].remedy, self.facts, language)


class CheckText(Record):
    """Is what one check says.

    Attributes:
        good: all is well.
        bad: something is not.
        remedy: what mends it.
    """

    good: LocalisedText
    bad: LocalisedText
    remedy: LocalisedText

    @model_validator(mode="after")
    def _languages_agree(self) -> Self:
        require_same_placeholders((self.good, self.bad, self.remedy))
        return self


class CheckTexts(Record):
    """Holds the sentences of every check by its id."""

    checks: dict[str, CheckText]


@cache
def check_texts() -> Mapping[str, CheckText]:
    """Return the sentences that ship with the gateway; read once.

    Raises:
        ConfigError: the table is broken.
    """
    return load_record(CheckTexts, data_path("mappings", "operations", "checks.yaml")).checks


def worst(checks: Iterable[Check]) -> Outcome:
    """Return the worst outcome among ``checks``, OK for none."""
    return max((check.outcome for check in checks), key=lambda each: each.rank, default=Outcome.OK)


def graded(value: float, *, warn: float, fail: float) -> Outcome:
    """Return how a value stands that is worse the larger it is."""
    if value >= fail:
        return Outcome.FAIL
    return Outcome.WARN if value >= warn else Outcome.OK
