"""The rules of alerting as data: what is watched, from which value on, and what to do then.

Shipped in ``mappings/operations/alerts.yaml``; a home may replace single rules by a file of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.agreements.loading import load_record
from gateway.documents.base import Record
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError
from gateway.operations.texts import require_same_placeholders
from gateway.resources import data_path
from gateway.store import AlertLevel

RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z-]{2,38}$")]


class Direction(StrEnum):
    """Says on which side of a threshold a value is an alert."""

    ABOVE = "above"
    BELOW = "below"


class Step(Record):
    """Is one threshold of a rule and how urgent passing it is."""

    at: float
    level: AlertLevel

    @property
    def label(self) -> str:
        """The threshold as text, the way alerts remember it."""
        return f"{self.at:g}"


class Rule(Record):
    """Says when something watched becomes an alert, and what it tells.

    Attributes:
        steps: thresholds, from the least to the most urgent.
        event: kind of event that raises it; such an alert is about something that happened
            and lives until a person acknowledges it.
        quiet_minutes: it clears when it was not seen for so long.
        remind_hours: recipients are told again after so long, while nobody acknowledged it.
        says: what is the matter.
        todo: what to do.
    """

    steps: tuple[Step, ...] = Field(min_length=1)
    direction: Direction = Direction.ABOVE
    event: str | None = None
    quiet_minutes: int = Field(default=3, ge=0, le=1440)
    remind_hours: int = Field(default=24, ge=1, le=720)
    says: LocalisedText
    todo: LocalisedText

    @model_validator(mode="after")
    def _fits(self) -> Self:
        values = [step.at for step in self.steps]
        rising = sorted(set(values), reverse=self.direction is Direction.BELOW)
        if values != rising:
            raise ValueError("the steps must stand from the least to the most urgent")
        ranks = [step.level.rank for step in self.steps]
        if ranks != sorted(ranks):
            raise ValueError("a later step must not be less urgent than an earlier one")
        require_same_placeholders((self.says, self.todo))
        return self

    def step_for(self, value: float, *, lifetime: float | None = None) -> Step | None:
        """Return the most urgent step that ``value`` has passed, None if none.

        Args:
            lifetime: of a thing that expires, in the rule's unit; thresholds beyond half of
                it are left out, so that a list renewed weekly is not warned of for ever.
        """
        if self.direction is Direction.ABOVE:
            passed = [step for step in self.steps if value >= step.at]
        else:
            passed = [step for step in self.steps if value <= step.at]
        if lifetime is not None:
            passed = [step for step in passed if step.at <= lifetime / 2]
        return passed[-1] if passed else None


class RuleBook(Record):
    """Holds every rule by its id."""

    rules: dict[RuleId, Rule]

    @classmethod
    def load(cls, own: Path | None = None) -> RuleBook:
        """Return the shipped rules, single ones replaced by those in ``own`` if given.

        Raises:
            ConfigError: a table is broken, or ``own`` has a rule that is watched by nothing.
        """
        shipped = load_record(cls, data_path("mappings", "operations", "alerts.yaml"))
        if own is None:
            return shipped
        return cls(rules={**shipped.rules, **load_record(_OwnRules, own).fitting(shipped).rules})

    def by_event(self) -> Mapping[str, str]:
        """Return the rule's id for each kind of event that is an alert."""
        return {rule.event: rule_id for rule_id, rule in self.rules.items() if rule.event}

    def threshold(self, rule_id: str, level: AlertLevel) -> float:
        """Return the first value that is an alert of at least ``level``; the last step's else."""
        rule = self.rules[rule_id]
        found = [step.at for step in rule.steps if step.level.rank >= level.rank]
        return (found or [rule.steps[-1].at])[0]


class _OwnRules(RuleBook):
    def fitting(self, shipped: RuleBook) -> Self:
        """Return the rules, which all replace a shipped one.

        Raises:
            ConfigError: one replaces none.
        """
        unknown = sorted(set(self.rules) - set(shipped.rules))
        if unknown:
            raise ConfigError(f"nothing watches the alert rules {', '.join(unknown)}")
        return self
