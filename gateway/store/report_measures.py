"""What reports count certificates of origin by, and how a count is named.

A certificate is counted at most once under one measure and name.  Spans of time are counted by
steps of a ninth, so that a median costs no row per certificate.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from typing import Final

_STEPS_PER_DOUBLING: Final = 8
_LONGEST_NAME: Final = 100
SEPARATOR: Final = "|"
"""Stands around each count of a certificate; in no name of one."""


class Measure(StrEnum):
    """Names what a certificate is counted by.

    Attributes:
        ARRIVED: it was issued here and has reached its destination.
        USED: customs wrote goods off, here or, as they reported, abroad.
        CHAPTER: it covers goods of this chapter of the Harmonized System.
        REASON: customs refused it for this reason; blank where none was stated.
        PACE: a step took it so long.
        STANDS: it has stood in this state since this hour.
    """

    ALL = "ALL"
    ARRIVED = "ARRIVED"
    USED = "USED"
    CHAPTER = "CHAPTER"
    REASON = "REASON"
    PACE = "PACE"
    STANDS = "STANDS"


class Step(StrEnum):
    """Names two steps in the life of a certificate between which time passes."""

    ISSUE_DELIVERY = "ISSUE_DELIVERY"
    ISSUE_ANSWER = "ISSUE_ANSWER"
    ARRIVAL_DECISION = "ARRIVAL_DECISION"


def mark_of(measure: Measure, name: str = "") -> str:
    """Return how a certificate says that it was counted by ``measure`` under ``name``."""
    return f"{measure.value}:{name.replace(SEPARATOR, '/')[:_LONGEST_NAME]}"


def pace_name(step: Step, seconds: float) -> str:
    """Return the name under which a span of time is counted."""
    place = math.ceil(_STEPS_PER_DOUBLING * math.log2(max(1.0, seconds)))
    return f"{step.value} {place:03d}"


def pace_of(name: str) -> tuple[Step, float]:
    """Return the step that a name counts, and the seconds that none of its spans exceeds."""
    step, place = name.split(" ")
    return Step(step), 2.0 ** (int(place) / _STEPS_PER_DOUBLING)


def standing_name(state: str, since: datetime) -> str:
    """Return the name under which a certificate that waits in a state is counted."""
    return f"{state} {since:%Y-%m-%dT%H}"


def standing_of(name: str) -> tuple[str, str]:
    """Return state and hour of a name; hours compare as they follow one another."""
    state, hour = name.split(" ")
    return state, hour
