"""Interleaved rounds, medians, and a control loop that voids a noisy run.

Every round visits every measure in a new order, so that a slow minute of the machine hits all
of them alike.  Ratios are taken round by round and then their median: they mean something even
where the absolute figures do not.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

Work = Callable[[], object]
Setup = Callable[[], AbstractContextManager[Work]]

CONTROL = "control: RSA-2048 sign"
MOST_SPREAD = 0.10


@dataclass(frozen=True)
class Measure:
    """Is one thing to be measured.

    Attributes:
        name: what is done, once per call of the work.
        group: heading it is shown under.
        setup: gives the work to repeat, and cleans up.
        limits: names of the measures whose sum is the least that this one can take.
        calls: things done by one call of the work, where it is more than one.
    """

    name: str
    group: str
    setup: Setup
    limits: tuple[str, ...] = ()
    calls: int = 1


@dataclass
class Series:
    """Holds what the rounds found for one measure, in microseconds per thing."""

    measure: Measure
    rounds: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)

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
    def per_second(self) -> float:
        """Return how many fit into a second, one after another."""
        return 1e6 / self.typical


@dataclass(frozen=True)
class Run:
    """Is a finished run: every series, and the control that vouches for it."""

    series: dict[str, Series]
    control: Series
    rounds: int

    @property
    def is_void(self) -> bool:
        """Return whether the machine was too restless for the figures to mean anything."""
        return self.control.spread > MOST_SPREAD

    def share_of_limit(self, name: str) -> float | None:
        """Return limit / measured as the median over the rounds, or None without a limit."""
        own = self.series[name]
        limits = [self.series[each] for each in own.measure.limits if each in self.series]
        if not limits or len(limits) != len(own.measure.limits):
            return None
        sums = [sum(values) for values in zip(*(each.rounds for each in limits), strict=True)]
        return median(total / mine for total, mine in zip(sums, own.rounds, strict=True))


_REGISTRY: dict[str, Measure] = {}


def measure(
    name: str, *, group: str, limits: Sequence[str] = (), calls: int = 1
) -> Callable[[Callable[[], Iterator[Work]]], Callable[[], Iterator[Work]]]:
    """Register a generator that yields the work to repeat and cleans up after it."""

    def register(generator: Callable[[], Iterator[Work]]) -> Callable[[], Iterator[Work]]:
        assert name not in _REGISTRY, f"two measures are called {name!r}"
        _REGISTRY[name] = Measure(name, group, contextmanager(generator), tuple(limits), calls)
        return generator

    return register


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
    control: Work,
    *,
    rounds: int,
    seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Run:
    """Return the figures of ``rounds`` interleaved rounds.

    Args:
        seconds: how long one measure is repeated within one round.
    """
    order = random.Random(7)
    control_series = Series(Measure(CONTROL, "control", contextmanager(lambda: iter([control]))))
    series = {each.name: Series(each) for each in measures}
    with ExitStack() as stack:
        works = {each.name: stack.enter_context(each.setup()) for each in measures}
        for work in works.values():
            _repeat(work, seconds / 3)
        _repeat(control, seconds)
        for number in range(1, rounds + 1):
            _one_round(series, works, order, seconds)
            _add(control_series, _repeat(control, seconds))
            progress(f"round {number} of {rounds}")
    return Run(series, control_series, rounds)


def _one_round(
    series: dict[str, Series], works: dict[str, Work], order: random.Random, seconds: float
) -> None:
    names = list(series)
    order.shuffle(names)
    for name in names:
        _add(series[name], _repeat(works[name], seconds))


def _repeat(work: Work, seconds: float) -> list[float]:
    """Return the time of each call in microseconds, for as long as ``seconds`` last."""
    samples = []
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    while True:
        start = clock()
        work()
        stop = clock()
        samples.append((stop - start) / 1e3)
        if stop >= end and len(samples) >= 5:
            return samples


def _add(series: Series, samples: list[float]) -> None:
    calls = series.measure.calls
    per_thing = [sample / calls for sample in samples]
    series.rounds.append(median(per_thing))
    series.samples.extend(per_thing)
