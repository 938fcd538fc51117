"""Workers that die, lose their lease or meet what is broken: no line twice, none lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, text

from gateway.errors import BusyError, ConflictError
from gateway.keeping.archive import open_archive
from gateway.keeping.backup import make_backup
from gateway.keeping.books import restore_books
from gateway.services.batches import line_work, working
from gateway.store import BatchState, BatchStep, Store, batches, clock_back, journal, outbox
from gateway.store.nesting import part_of
from tests.api.batches import (
    codes,
    hand_in,
    line,
    ndjson,
    outcomes,
    pieces_left,
    results,
    serial,
    stored,
    worker,
)
from tests.api.counter import Front
from tests.crash.forks import fork
from tests.factories import NOW
from tests.keep.books import order

LEASE = 60


def counts(front: Front) -> dict[str, int]:
    with front.desk.store.read() as conn:
        return {
            table: conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("dispatches", "certificates", "batch_lines")
        }


def killed_after(statements: int, front: Front) -> bool:
    """Let a process of its own work on batches, kill it at the n-th statement; tell if it was."""

    def work() -> None:
        left = statements

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        for engine in front.desk.store.engines:
            event.listen(engine, "before_cursor_execute", count)
            event.listen(engine, "commit", count)
        worker(front, lease_seconds=LEASE).run()

    status = fork(work, front.desk.store).wait()
    assert status in (-signal.SIGKILL, 0)
    return status != 0


def test_a_worker_killed_anywhere_loses_no_line_and_does_none_twice(both):
    lines = [line(number) for number in range(1, 49)]
    lines[20] = b"{"
    lines[30] = lines[29]
    address = hand_in(both.zm, ndjson(lines))
    killed: list[bool] = []
    for statements in (1, 5, 40, 151, 230, 310, 420):
        killed.append(killed_after(statements, both.zm))
        found = counts(both.zm)
        assert found["dispatches"] == found["certificates"] <= found["batch_lines"]
        both.corridor.clock.pass_time(seconds=LEASE + 1)
    assert killed.count(True) >= 5
    worker(both.zm).run()
    told = outcomes(both.zm, address)
    assert list(told) == list(range(1, 49))
    assert (told[21], told[31]) == ("REFUSED", "REPEATED")
    assert counts(both.zm) == {"dispatches": 46, "certificates": 46, "batch_lines": 48}
    got = both.zm.get(address).json
    assert (got["state"], got["lines"], got["accepted"]) == ("DONE", 48, 46)
    assert pieces_left(both.zm) == 0
    with both.zm.desk.store.read() as conn:
        assert journal.verify_chain(conn).holds


def test_a_worker_that_lost_its_lease_records_nothing(border, monkeypatch):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 17)))
    other = worker(border.zm)

    def frozen(work, portion):
        if portion.number == 16:  # judged and signed; now it is suspended beyond its lease
            monkeypatch.undo()
            border.corridor.clock.pass_time(seconds=other.lease_seconds + 1)
            assert other.turn()
        return ready(work, portion)

    ready = line_work.LineWork.ready
    monkeypatch.setattr(line_work.LineWork, "ready", frozen)
    assert worker(border.zm).turn()
    assert counts(border.zm)["dispatches"] == 16
    assert border.zm.get(address).json["accepted"] == 16


def test_a_batch_cancelled_during_a_commit_of_lines_takes_no_more(border, monkeypatch):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 33)))
    ready = line_work.LineWork.ready

    def cancelling(work, portion):
        if portion.number == 20:
            assert border.zm.post(f"{address}/cancel", b"").status_code == 200
        return ready(work, portion)

    monkeypatch.setattr(line_work.LineWork, "ready", cancelling)
    worker(border.zm).run()
    assert len(outcomes(border.zm, address)) == 16
    assert stored(border.zm, address).state is BatchState.CANCELLED
    assert pieces_left(border.zm) == 0


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, *numbers: int) -> None:
    """Let the booking of some certificates fail after it wrote something."""
    submit = line_work.submit

    def broken(counter, conn, caller, reading, **extra):
        taken = submit(counter, conn, caller, reading, **extra)
        if reading.document.serial_number in {serial(number) for number in numbers}:
            raise error
        return taken

    monkeypatch.setattr(line_work, "submit", broken)


def test_a_line_that_fails_after_it_wrote_leaves_nothing_behind(both, monkeypatch):
    failing(monkeypatch, ConflictError("a record stands against this one"), 3)
    address = hand_in(both.zm, ndjson(line(number) for number in range(1, 6)))
    worker(both.zm).run()
    assert codes(both.zm, address) == {3: "CONFLICT"}
    assert counts(both.zm) == {"dispatches": 4, "certificates": 4, "batch_lines": 5}
    monkeypatch.undo()
    assert both.zm.post("/certificates", line(3)).json["repeated"] is False
    with both.zm.desk.store.read() as conn:
        assert journal.verify_chain(conn).holds
        told = journal.page(conn, action=journal.Action.API_SUBMITTED, limit=50)
    assert len(told) == 5


def test_a_fault_of_our_own_in_one_line_harms_no_other_and_tells_no_particulars(
    border, monkeypatch
):
    failing(monkeypatch, RuntimeError("the trader's secret"), 2)
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 4)))
    worker(border.zm).run()
    assert codes(border.zm, address) == {2: "INTERNAL"}
    assert "secret" not in str(results(border.zm, address))


def test_what_may_pass_later_puts_the_batch_off_and_ends_after_some_tries(border, monkeypatch):
    failing(monkeypatch, BusyError("locked"), 2)
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 4)))
    for _ in range(working.MOST_TRIES):
        assert worker(border.zm).run() == 1
        assert stored(border.zm, address).lines == 0
        border.corridor.clock.pass_time(seconds=6)
    worker(border.zm).run()
    assert codes(border.zm, address) == {2: "BUSY"}
    assert border.zm.get(address).json["accepted"] == 2


def test_a_batch_that_breaks_the_reading_itself_ends_as_failed(border, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("the trader's secret")

    monkeypatch.setattr(working, "portions_of", broken)
    address = hand_in(border.zm, ndjson([line(1)]))
    other = hand_in(border.zm, ndjson([line(2)]))
    for _ in range(working.MOST_TRIES + 1):
        worker(border.zm).run()
        border.corridor.clock.pass_time(seconds=6)
    for each in (address, other):
        got = border.zm.get(each).json
        assert (got["state"], got["failure"]["code"]) == ("FAILED", "INTERNAL")
        assert "secret" not in str(got)


def test_a_batch_whose_format_is_gone_ends_as_failed(border, monkeypatch):
    address = hand_in(border.zm, b"HDR;", "text/csv", query="?format=csv-lines")
    front = replace(border.zm, counter=replace(border.zm.counter, national={}))
    worker(front).run()
    got = border.zm.get(address).json
    assert (got["state"], got["failure"]["code"]) == ("FAILED", "NOT_FOUND")


def test_a_worker_that_must_stop_leaves_the_rest_to_the_next(border):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 33)))
    asked = iter([False, True, True])
    worker(border.zm, must_stop=lambda: next(asked)).run()
    assert stored(border.zm, address).lines == 16
    worker(border.zm).run()
    assert len(outcomes(border.zm, address)) == 32


def test_a_lease_of_a_clock_that_was_ahead_is_over_when_it_is_right_again(border):
    hand_in(border.zm, ndjson([line(1)]))
    with border.zm.desk.store.begin() as conn:
        ahead = NOW.replace(hour=15)
        assert batches.claim(conn, "dead", ahead, until=ahead.replace(minute=2)) is not None
    assert worker(border.zm).run() == 0
    with border.zm.desk.store.begin() as conn:
        assert clock_back.bring_back(conn, NOW, lease_seconds=LEASE) == 1
    assert worker(border.zm).run() == 1


def test_a_backup_holds_a_batch_in_work_which_goes_on_where_it_is_restored(
    border, tmp_path: Path, make_empty: Callable[[], Store]
):
    address = hand_in(border.zm, ndjson(line(number) for number in range(1, 33)))
    worker(border.zm, turn_seconds=0.0).turn()
    path = tmp_path / "zm.backup"
    make_backup(path, order(border.corridor.zm), at=NOW, actor="user:test")
    restored = make_empty()
    with open_archive(path, signer=None) as reader:
        restore_books(reader, restored, None)
    there = replace(
        border.zm,
        counter=replace(border.zm.counter, desk=replace(border.zm.desk, store=restored)),
        desk=replace(border.zm.desk, store=restored),
    )
    border.corridor.clock.pass_time(seconds=worker(there).lease_seconds + 1)
    worker(there).run()
    found = stored(there, address)
    assert (found.state, found.lines, found.accepted) == (BatchState.DONE, 32, 32)
    with restored.read() as conn:
        assert len(outbox.page(conn, limit=100)) == 32


@pytest.fixture
def make_empty(tmp_path: Path):
    """Gives a function that opens an empty SQLite database."""
    opened = []

    def make() -> Store:
        opened.append(Store.open(f"sqlite:///{tmp_path / 'empty.db'}"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def test_a_part_of_a_transaction_that_fails_takes_its_entries_with_it(both):
    store, at = both.zm.desk.store, NOW
    action = journal.Action.SYSTEM_EVENT
    with store.begin() as conn:
        journal.append(conn, at=at, action=action, subject="before")
        with pytest.raises(RuntimeError), part_of(conn):
            journal.append(conn, at=at, action=action, subject="undone")
            raise RuntimeError
        journal.append(conn, at=at, action=action, subject="after")
    with store.read() as conn:
        told = journal.page(conn, action=action)
        assert [each.subject for each in told] == ["after", "before"]
        assert journal.verify_chain(conn).holds


def test_a_step_without_the_claim_is_refused(border):
    hand_in(border.zm, ndjson([line(1)]))
    with border.zm.desk.store.begin() as conn:
        batch = batches.claim(conn, "one", NOW, until=NOW)
        assert batch is not None
        assert batches.claim(conn, "two", NOW, until=NOW) is not None
        step = BatchStep(lines=(), position={}, units_done=1)
        with pytest.raises(ConflictError, match="somebody else works on it"):
            batches.advance(conn, batch, step, at=NOW)
