"""Interleaved rounds, medians, and a control loop that voids a noisy run.

Every round visits every measure in a new order, so that a slow minute of the machine hits all
of them alike.  Ratios are taken round by round and then their median: they mean something even
where the absolute figures do not.

The control is one loop of signatures that lasts longer than a slice of the scheduler, so that
whoever else is at work shows in it; a single signature fits between two slices and would show
nothing.  It runs three times in each round.  A run whose control moves, from its quickest loop
to its slowest round, is given up and tried again; the last attempt is carried to its end
whatever its control does, and says so.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from statistics import fmean, median
from typing import Any

Plain = Callable[[], object]


@dataclass(frozen=True)
class Supplied:
    """Is work whose every call uses up a thing of its own, made just before and not timed."""

    make: Callable[[], Any]
    use: Callable[[Any], object]


@dataclass(frozen=True)
class Batch:
    """Is what a work answers that did many things at once and timed them itself.

    Attributes:
        each: microseconds from the first beginning to the last end, divided by the things.
        singles: microseconds from beginning to end of every single thing.
        facts: what else was seen meanwhile, by name (bytes of memory, seconds of a processor).
    """

    each: float
    singles: Sequence[float]
    facts: Mapping[str, float] = field(default_factory=dict)


class UnavailableError(Exception):
    """Is raised by a setup whose thing is not to be had here; the text is the reason."""


Work = Plain | Supplied
Setup = Callable[[], AbstractContextManager[Work]]

CONTROL = "control: RSA-2048 sign"
CONTROL_CALLS = 40
MOST_UNREST = 0.10
LEAST_ROUNDS = 3
_CONTROLS_IN_A_ROUND = 3


@dataclass(frozen=True)
class Measure:
    """Is one thing to be measured.

    Attributes:
        name: what is done, once per call of the work.
        group: heading it is shown under.
        setup: gives the work to repeat, and cleans up.
        limits: names of the measures whose sum is the least that this one can take; a name
            stands there as often as the work must be done.
        calls: things done by one call of the work, where it is more than one.
        weight: time given to it in a round, as a multiple of what the others get.
        least: calls in a round, however long they take.
        is_warm: the setup has called the work before.
        warm_seconds: how long a full run repeats the work before the first round.
    """

    name: str
    group: str
    setup: Setup
    limits: tuple[str, ...] = ()
    calls: int = 1
    weight: float = 1.0
    least: int = 5
    is_warm: bool = False
    warm_seconds: float = 0.0


@dataclass
class Series:
    """Holds what the rounds found for one measure, in microseconds per thing."""

    measure: Measure
    rounds: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    facts: dict[str, list[float]] = field(default_factory=dict)

    @property
    def typical(self) -> float:
        """Return the median of the rounds' medians."""
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """Return how far the rounds lie apart, as a share of the typical one."""
        return (max(self.rounds) - min(self.rounds)) / self.typical

    @property
    def p95(self) -> float:
        """Return what 95 of 100 single samples stay below."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    @property
    def p50(self) -> float:
        """Return the median of the single samples."""
        return median(self.samples)

    def fact(self, name: str) -> float:
        """Return the median over the rounds of something else that was seen."""
        return median(self.facts[name])

    @property
    def per_second(self) -> float:
        """Return how many fit into a second at the typical time."""
        return 1e6 / self.typical


@dataclass(frozen=True)
class Run:
    """Is a finished run: every series, and the control that vouches for it.

    Attributes:
        given_up: how far the control had moved in the attempts that were given up before.
        skipped: why a measure could not be taken here, by name.
    """

    series: dict[str, Series]
    control: Series
    rounds: int
    given_up: tuple[float, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def unrest(self) -> float:
        """Return how far the control's slowest round lies above its quickest loop of all.

        A neighbour who is there all the time moves no round against another, but takes his
        share of most loops and leaves some alone.
        """
        return unrest_of(self.control)

    @property
    def is_void(self) -> bool:
        """Return whether the machine was too restless for the figures to mean anything."""
        return self.unrest > MOST_UNREST

    def share_of_limit(self, name: str) -> float | None:
        """Return limit / measured as the median over the rounds, or None without a limit."""
        own = self.series[name]
        limits = own.measure.limits
        return self.ratio(limits, (name,)) if limits else None

    def ratio(self, above: Sequence[str], below: Sequence[str]) -> float | None:
        """Return the times of some measures over those of others, or None if one is missing.

        The sums are divided round by round, then the median is taken.  A measure that is named
        twice counts twice.
        """
        if not self.series.keys() >= {*above, *below}:
            return None
        tops, bottoms = self._sums(above), self._sums(below)
        return median(top / bottom for top, bottom in zip(tops, bottoms, strict=False))

    def _sums(self, names: Sequence[str]) -> list[float]:
        return [sum(each) for each in zip(*(self.series[n].rounds for n in names), strict=False)]


@dataclass(frozen=True)
class Plan:
    """Says how much is measured.

    Attributes:
        seconds: how long one measure is repeated within one round.
        attempts: how often a run is begun before a restless one is kept.
        least: calls of a measure in a round where its own ``least`` would take too long.
        limit: seconds from the first round on after which no attempt is begun again, and the
            last one ends as soon as it has three rounds.
        warms: measures that need it are repeated for their ``warm_seconds`` first.
    """

    rounds: int
    seconds: float
    attempts: int = 1
    least: int = 100
    limit: float = math.inf
    warms: bool = False


_REGISTRY: dict[str, Measure] = {}

Generator = Callable[[], Iterator[Work]]


def measure(
    name: str, *, group: str, limits: Sequence[str] = (), **more: Any
) -> Callable[[Generator], Generator]:
    """Register a generator that yields the work to repeat and cleans up after it.

    Args:
        more: further attributes of ``Measure``.
    """

    def register(generator: Generator) -> Generator:
        assert name not in _REGISTRY, f"two measures are called {name!r}"
        _REGISTRY[name] = Measure(name, group, contextmanager(generator), tuple(limits), **more)
        return generator

    return register


def named(name: str) -> Measure | None:
    """Return the registered measure of this name."""
    return _REGISTRY.get(name)


def registered(words: Iterable[str] = ()) -> list[Measure]:
    """Return the registered measures whose name or group holds one of ``words`` (or all)."""
    wanted = [word.lower() for word in words]
    return [
        each
        for each in _REGISTRY.values()
        if not wanted or any(word in f"{each.group} {each.name}".lower() for word in wanted)
    ]


def with_limits(chosen: Sequence[Measure]) -> list[Measure]:
    """Return ``chosen`` together with the measures that they are compared with."""
    names = {each.name for each in chosen} | {name for each in chosen for name in each.limits}
    return [each for name, each in _REGISTRY.items() if name in names]


def run(
    measures: Sequence[Measure],
    control: Plain,
    plan: Plan,
    progress: Callable[[str], None] = lambda _: None,
) -> Run:
    """Return the figures of the first attempt whose control holds, or of the last attempt."""
    order = random.Random(7)
    given_up: list[float] = []
    with ExitStack() as stack:
        works, skipped = _set_up(measures, stack, progress)
        present = [each for each in measures if each.name in works]
        for each in present:
            _warm(works[each.name], each, plan)
        until = time.monotonic() + plan.limit
        while True:
            attempt = _Attempt(present, works, control, plan)
            if attempt.go(order, progress, until=until, is_last=_is_last(given_up, plan, until)):
                return attempt.run(tuple(given_up), skipped)
            given_up.append(unrest_of(attempt.control))
            progress(f"given up: the control moved by {given_up[-1]:.1%}")


def merged(runs: Sequence[Run]) -> Run:
    """Return several runs as one, as restless as the most restless of them.

    Ratios are taken within the runs only: rounds of different ones have nothing in common.
    """
    worst = max(runs, key=lambda each: each.unrest)
    return Run(
        {name: series for each in runs for name, series in each.series.items()},
        worst.control,
        max(each.rounds for each in runs),
        tuple(one for each in runs for one in each.given_up),
        {name: reason for each in runs for name, reason in each.skipped.items()},
    )


def _set_up(
    measures: Sequence[Measure], stack: ExitStack, progress: Callable[[str], None]
) -> tuple[dict[str, Work], dict[str, str]]:
    works: dict[str, Work] = {}
    skipped: dict[str, str] = {}
    for each in measures:
        try:
            works[each.name] = stack.enter_context(each.setup())
        except UnavailableError as exc:
            skipped[each.name] = str(exc)
            progress(f"skipped, {each.name}: {exc}")
    progress(f"{len(works)} measures are set up")
    return works, skipped


def _warm(work: Work, each: Measure, plan: Plan) -> None:
    if plan.warms and each.warm_seconds:
        _repeat(work, each, replace(plan, seconds=each.warm_seconds), share=1 / each.weight)
    elif not each.is_warm:
        _repeat(work, each, plan, share=1 / 3)


def _is_last(given_up: Sequence[float], plan: Plan, until: float) -> bool:
    """Return whether no attempt may follow: all are used up, or half of the time is."""
    return len(given_up) + 1 >= plan.attempts or until - time.monotonic() < plan.limit / 2


class _Attempt:
    """Is one attempt at a run."""

    def __init__(
        self, measures: Sequence[Measure], works: dict[str, Work], control: Plain, plan: Plan
    ) -> None:
        self.series = {each.name: Series(each) for each in measures}
        self.control = Series(_control_measure(control))
        self._works, self._work, self._plan = works, _repeated(control), plan

    def go(
        self, order: random.Random, progress: Callable[[str], None], *, until: float, is_last: bool
    ) -> bool:
        """Return whether the attempt is kept; one that is not the last stops when it is void.

        Args:
            until: moment of the monotonic clock at which three rounds are enough.
        """
        plan = self._plan
        _repeat(self._work, self.control.measure, plan)
        for number in range(1, plan.rounds + 1):
            self._one_round(order)
            progress(f"round {number} of {plan.rounds}")
            if not is_last and unrest_of(self.control) > MOST_UNREST:
                return False
            if number >= LEAST_ROUNDS and time.monotonic() > until:
                return True
        return True

    def run(self, given_up: tuple[float, ...], skipped: Mapping[str, str]) -> Run:
        """Return what the attempt found."""
        return Run(self.series, self.control, len(self.control.rounds), given_up, skipped)

    def _one_round(self, order: random.Random) -> None:
        names, controls = list(self.series), []
        order.shuffle(names)
        for turn in range(_CONTROLS_IN_A_ROUND):
            for name in names[turn::_CONTROLS_IN_A_ROUND]:
                _add(self.series[name], self._works[name], self._plan)
            controls += _repeat(self._work, self.control.measure, self._plan).each
        each = [control / CONTROL_CALLS for control in controls]
        self.control.rounds.append(fmean(each))
        self.control.samples.extend(each)


def unrest_of(control: Series) -> float:
    """Return how far the slowest round of a control lies above its quickest loop, as a share."""
    quickest = min(control.samples)
    return (max(control.rounds) - quickest) / quickest


def _control_measure(control: Plain) -> Measure:
    return Measure(CONTROL, "control", contextmanager(lambda: iter([control])), calls=CONTROL_CALLS)


def _repeated(control: Plain) -> Plain:
    def loop() -> None:
        for _ in range(CONTROL_CALLS):
            control()

    return loop


def _add(series: Series, work: Work, plan: Plan) -> None:
    calls = series.measure.calls
    found = _repeat(work, series.measure, plan)
    series.rounds.append(median(found.each) / calls)
    series.samples.extend(single / calls for single in found.singles)
    for name, values in found.facts.items():
        series.facts.setdefault(name, []).append(median(values))


@dataclass(frozen=True)
class _Repeated:
    """Holds microseconds per call, of every single thing, and facts of each call."""

    each: list[float] = field(default_factory=list)
    singles: list[float] = field(default_factory=list)
    facts: dict[str, list[float]] = field(default_factory=dict)

    def add(self, done: Batch) -> None:
        """Add what one call found."""
        self.each.append(done.each)
        self.singles.extend(done.singles)
        for name, value in done.facts.items():
            self.facts.setdefault(name, []).append(value)


def _repeat(work: Work, measure: Measure, plan: Plan, *, share: float = 1.0) -> _Repeated:
    """Return what calls found for as long as the plan says."""
    found = _Repeated()
    least = min(measure.least, plan.least)
    end = time.perf_counter_ns() + int(plan.seconds * share * measure.weight * 1e9)
    while True:
        found.add(_once(work))
        if len(found.each) >= least and time.perf_counter_ns() >= end:
            return found


def _once(work: Work) -> Batch:
    clock = time.perf_counter_ns
    if isinstance(work, Supplied):
        thing, use = work.make(), work.use
        start = clock()
        use(thing)
        stop = clock()
    else:
        start = clock()
        answer = work()
        stop = clock()
        if isinstance(answer, Batch):
            return answer
    return Batch((stop - start) / 1e3, ((stop - start) / 1e3,))
