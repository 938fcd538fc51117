"""Workers killed at every step of a hand-over, and workers that both believe it is their turn."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from gateway.files import turns
from gateway.files.leases import Lease
from gateway.store import EventKind
from gateway.store.tasks import TaskRun
from tests.crash.forks import fork
from tests.crash.steps import Steps
from tests.exchange.corridor import Clock
from tests.factories import certificate
from tests.files.spool import Spool, make_spool

KILLED = -9
_DEEDS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open", "shutil.rmtree")


def count_steps(spool: Spool, steps: Steps) -> None:
    """Make every change of a file below the spool, and every commit, a step (in a child)."""
    root = os.fsencode(spool.root)

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        if name not in _DEEDS or not arguments or isinstance(arguments[0], int):
            return
        if name == "open" and not arguments[2] & os.O_CREAT:  # nothing changes by reading
            return
        if os.fsencode(arguments[0]).startswith(root):
            steps.step(name)

    sys.addaudithook(hook)
    for engine in spool.counter.desk.store.engines:
        event.listen(engine, "commit", lambda _conn: steps.step("commit"))


def killed_at(spool: Spool, number: int) -> int:
    """Run the clerk until its step ``number``; return how that ended."""
    steps = Steps(at=number)

    def run() -> None:
        count_steps(spool, steps)
        spool.look()

    return fork(run, spool.counter.desk.store).wait()


def kill_everywhere(
    spool: Spool, clock: Clock, begin: Callable[[int], Spool], prove: Callable[[Spool], None]
) -> int:
    """Kill a worker at each step in turn, let another go on, and prove; return the steps."""
    number, ended = 0, KILLED
    while ended == KILLED:
        number += 1
        spool = begin(number)
        ended = killed_at(spool, number)
        assert ended in (0, KILLED)
        clock.pass_time(minutes=2)
        another = spool.another_clerk("another")
        another.ring()
        clock.pass_time(minutes=2)
        another.ring()
        prove(spool)
    return number - 1


def test_a_file_is_taken_once_wherever_the_worker_is_killed(border, tmp_path):
    def begin(number: int) -> Spool:
        spool = make_spool(border.zm, tmp_path / str(number), ways="in")
        serial = f"ZM-20260309-{number:06d}"
        spool.put("a.json", certificate(serial_number=serial).model_dump_json().encode())
        return spool

    def prove(spool: Spool) -> None:
        said = spool.result("a.json")
        number = int(spool.root.name)
        (document,) = said["documents"]
        assert (said["outcome"], document["repeated"]) == ("TAKEN", False)
        assert document["message_id"]
        assert (spool.sent(), spool.lying("done"), spool.lying("work")) == (number, ["a.json"], [])
        assert [path.name for path in spool.inbox.results.iterdir()] == ["a.json.result.json"]

    first = make_spool(border.zm, tmp_path / "none")
    steps = kill_everywhere(first, border.corridor.clock, begin, prove)
    assert steps >= 15


def test_what_comes_shows_once_wherever_the_worker_is_killed(border, tmp_path):
    border.zm.submit(certificate())
    border.deliver()
    reader: dict[str, Counter[str]] = {}

    def begin(number: int) -> Spool:
        kinds = frozenset({EventKind.CERTIFICATE_AVAILABLE})
        changes = {"name": f"box-{number}", "kinds": kinds}
        return make_spool(border.ke, tmp_path / str(number), outbox_changes=changes, ways="out")

    def take_away(spool: Spool) -> None:
        taken = reader.setdefault(spool.root.name, Counter())
        for name in spool.out():
            taken[name] += 1
            (spool.outbox.folder / name).unlink()

    def prove(spool: Spool) -> None:
        take_away(spool)
        taken = reader[spool.root.name]
        assert set(taken.values()) == {1}
        assert set(taken) == set(reader["1"])
        assert list(spool.outbox.staging.iterdir()) == []

    run = fork_and_take_away(take_away)
    steps = kill_everywhere(
        make_spool(border.ke, tmp_path / "none"),
        border.corridor.clock,
        lambda number: run(begin(number)),
        prove,
    )
    assert steps >= 15


def fork_and_take_away(take_away: Callable[[Spool], None]) -> Callable[[Spool], Spool]:
    """The reader looks as soon as the worker was killed, before the next one starts."""

    def prepared(spool: Spool) -> Spool:
        another = spool.another_clerk

        def after_reading(worker: str):
            take_away(spool)
            return another(worker)

        spool.another_clerk = after_reading
        return spool

    return prepared


def test_two_workers_that_both_believe_it_is_their_turn_take_each_file_once(
    border, tmp_path, monkeypatch
):
    names = [f"{number}.json" for number in range(8)]
    spool = make_spool(border.zm, tmp_path, ways="in")
    for number, name in enumerate(names):
        serial = f"ZM-20260309-{number:06d}"
        spool.put(name, certificate(serial_number=serial).model_dump_json().encode())

    def believe(store, clock, name, worker, length) -> Lease:
        run = TaskRun(name=name, worker=worker, fence=0)
        return Lease(store=store, clock=clock, run=run, length=length, renewed_at=clock())

    with monkeypatch.context() as patched:
        patched.setattr(turns, "take_turn", believe)
        patched.setattr(Lease, "holds", lambda _self: True)
        children = [
            fork(lambda worker=worker: _ring(spool, worker), spool.counter.desk.store)
            for worker in ("one", "two")
        ]
        assert [child.wait() for child in children] == [0, 0]
    spool.another_clerk("three").ring()
    assert spool.lying("done") == names
    assert spool.lying("work") == []
    assert spool.sent() == len(names)
    assert {spool.result(name)["outcome"] for name in names} == {"TAKEN"}


def _ring(spool: Spool, worker: str) -> None:
    clerk = spool.another_clerk(worker)
    for _ in range(2):  # twice each: a third time the claim would count as one that kills
        clerk.ring()


@pytest.mark.parametrize("left", ["empty", "foreign"])
def test_what_lies_in_work_and_is_no_claim_does_no_harm(border, tmp_path, left):
    spool = make_spool(border.zm, tmp_path)
    spool.inbox.work.mkdir()
    if left == "empty":
        (spool.inbox.work / f"{'a' * 16}.3").mkdir()
    else:
        (spool.inbox.work / "notes.txt").write_text("x")
    spool.put("a.json")
    assert spool.look() == 1
    kept = [] if left == "empty" else ["notes.txt"]
    assert [Path(name).name for name in spool.lying("work")] == kept
