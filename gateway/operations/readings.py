"""What an observer of the watch measured, before a rule judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Is one measured value of one subject, to be judged by the rule of that name.

    Attributes:
        lifetime: of a thing that expires, in the unit of the value.
    """

    rule: str
    subject: str
    value: float
    facts: Mapping[str, str] = field(default_factory=dict)
    lifetime: float | None = None
