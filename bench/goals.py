"""The twelve goals of speed near the limit of the machine, as data, and what a run says of them.

A goal has parts; each part is a bound and a function of the measures.  What a run did not
measure is said to be so: no part has a value that was not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.harness import Run
from bench.kept import kept


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Is what a part must reach: at least or at most so much, in a unit."""

    value: float
    unit: str = "×"
    at_most: bool = False

    def holds(self, reached: float) -> bool:
        """Return whether ``reached`` is good enough."""
        return reached <= self.value if self.at_most else reached >= self.value

    def text(self) -> str:
        """Return the bound as it stands in the table."""
        return f"{'≤' if self.at_most else '≥'} {quantity(self.value, self.unit)}"


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit."""
    if unit == "%":
        return f"{value:.0%}"
    if unit == "":
        return f"{value:,.0f}"
    digits = f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{digits}{'' if unit == '×' else ' '}{unit}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Is one condition of a goal.

    Attributes:
        names: measures that it needs.
        reached: their value; asked only where all of them were taken.
        command: the command apart that measures it, where none of the run does.
        how: how it is measured, in a few words.
        reason: why it is never measured, where it is not.
    """

    text: str
    bound: Bound
    how: str
    names: tuple[str, ...] = ()
    reached: Callable[[Run], float | None] = lambda _run: None
    command: str | None = None
    of_kept: Callable[[Mapping[str, Any]], float | None] = lambda _values: None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Is one of the twelve goals."""

    number: int
    text: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Is what a run says of one part.

    Attributes:
        value: None where it was not measured.
        note: how it was measured, or why not.
    """

    goal: Goal
    part: Part
    value: float | None
    note: str

    @property
    def is_met(self) -> bool | None:
        """Whether the bound holds; None where nothing was measured."""
        return None if self.value is None else self.part.bound.holds(self.value)

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of its row: goal, part, wanted, reached, met, how."""
        value = "not measured" if self.value is None else quantity(self.value, self.part.bound.unit)
        met = {True: "yes", False: "**no**", None: ""}[self.is_met]
        number = str(self.goal.number)
        return (number, self.part.text, self.part.bound.text(), value, met, self.note)


ABSENT = "not in this run"
COLUMNS = ("goal", "what", "wanted", "reached", "met", "how measured")


def reached(
    run: Run, goals: Sequence[Goal], found: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Reached]:
    """Return what ``run`` says of each part of each goal.

    Args:
        found: what commands apart have kept; by default, what is kept in the repository.
    """
    apart = kept() if found is None else found
    return [_reached(run, goal, part, apart) for goal in goals for part in goal.parts]


def _reached(run: Run, goal: Goal, part: Part, apart: Mapping[str, Mapping[str, Any]]) -> Reached:
    value, note = None, part.how
    if part.reason is not None:
        note = part.reason
    elif part.command is not None:
        values = apart.get(part.command)
        value = None if values is None else part.of_kept(values)
        note = f"`python -m bench {part.command}` has not been run"
        if values is not None:
            note = f"{part.how}; measured apart on {values['measured_on']}"
    elif missing := [name for name in part.names if name not in run.series]:
        note = run.skipped.get(missing[0], f"{ABSENT}: {missing[0]}")
    else:
        value = part.reached(run)
    return Reached(goal=goal, part=part, value=value, note=note)


def ratio_part(
    text: str, bound: Bound, how: str, above: Sequence[str], below: Sequence[str]
) -> Part:
    """Return a part that is a ratio of times, taken round by round."""
    return Part(
        text=text,
        bound=bound,
        how=how,
        names=(*above, *below),
        reached=lambda run: run.ratio(above, below),
    )
