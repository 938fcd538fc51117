"""The benchmark's arithmetic: medians, ratios taken round by round, and runs that are void."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench import harness
from bench.harness import Measure, Run, Series


def measure_called(name: str, *limits: str, calls: int = 1) -> Measure:
    @contextmanager
    def setup() -> Iterator[harness.Work]:
        yield lambda: None

    return Measure(name, "group", setup, limits, calls)


def series(name: str, rounds: list[float], *limits: str) -> Series:
    return Series(measure_called(name, *limits), rounds, samples=list(rounds))


def test_a_share_of_the_limit_is_taken_round_by_round():
    slow_second_round = Run(
        {
            "sign": series("sign", [100.0, 300.0, 100.0]),
            "parse": series("parse", [50.0, 150.0, 50.0]),
            "whole": series("whole", [200.0, 600.0, 200.0], "sign", "parse"),
        },
        control=series("control", [1.0]),
        rounds=3,
    )
    assert slow_second_round.share_of_limit("whole") == pytest.approx(0.75)


def test_without_its_limits_a_measure_has_no_share():
    alone = Run({"whole": series("whole", [1.0], "sign")}, series("control", [1.0]), 1)
    assert alone.share_of_limit("whole") is None


@pytest.mark.parametrize(("rounds", "void"), [([100.0, 109.0], False), ([100.0, 112.0], True)])
def test_a_run_is_void_when_its_control_moves_by_more_than_a_tenth(rounds: list[float], void: bool):
    assert Run({}, series("control", rounds), 2).is_void is void


def test_every_round_visits_every_measure_and_cleans_up_after_itself():
    visits: list[str] = []
    cleaned: list[str] = []

    def kept(name: str) -> Measure:
        @contextmanager
        def setup() -> Iterator[harness.Work]:
            yield lambda: visits.append(name)
            cleaned.append(name)

        return Measure(name, "group", setup)

    finished = harness.run([kept("one"), kept("two")], lambda: None, rounds=4, seconds=0.0)
    assert {name: len(each.rounds) for name, each in finished.series.items()} == {
        "one": 4,
        "two": 4,
    }
    assert len(finished.control.rounds) == 4
    assert {"one", "two"} == set(visits)
    assert sorted(cleaned) == ["one", "two"]


def test_a_work_of_many_calls_is_counted_per_call():
    finished = harness.run(
        [measure_called("batch", calls=1000)], lambda: None, rounds=1, seconds=0.0
    )
    assert finished.series["batch"].typical < 10
