"""A collection cut at every line: each statement, commit and call, on both sides and databases.

The cut is an exception that nothing in the product catches, so that transactions roll back and
nothing after it happens, as when the process dies.  Afterwards the next collection must heal
whatever was left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from gateway.documents import Verdict
from gateway.store import DeliveryState, Store, events, journal, outbox
from gateway.store.states import EventKind
from tests.collect.bundle_files import export, take, written
from tests.collect.one_way import OneWay, queue


class CutError(Exception):
    """Ends everything that runs: the pipelines catch errors of their own tree only."""


class Cuts:
    """Counts steps and cuts at the chosen one."""

    def __init__(self) -> None:
        self.at = self.count = 0
        self.places: list[str] = []

    def begin(self, at: int) -> None:
        self.at, self.count = at, 0
        self.places.clear()

    def step(self, place: str) -> None:
        if not self.at:
            return
        self.count += 1
        self.places.append(place)
        if self.count == self.at:
            self.at = 0  # what cleans up afterwards is not cut again
            raise CutError(place)


@contextmanager
def watched(store: Store, cuts: Cuts) -> Iterator[None]:
    """Make every statement of ``store``, and each side of every commit, a step."""

    def before(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        cuts.step(statement[:40])

    with ExitStack() as stack:
        for engine in store.engines:
            event.listen(engine, "before_cursor_execute", before)
            stack.callback(event.remove, engine, "before_cursor_execute", before)
            _watch_commits(engine.dialect, cuts, stack)
        yield


def _watch_commits(dialect: Any, cuts: Cuts, stack: ExitStack) -> None:
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        cuts.step("before commit")
        commit(connection)
        cuts.step("after commit")

    dialect.do_commit = do_commit
    stack.callback(setattr, dialect, "do_commit", commit)


@pytest.fixture
def cuts(one_way: OneWay) -> Iterator[Cuts]:
    made = Cuts()
    one_way.wire.step = made.step
    with watched(one_way.zm.desk.store, made), watched(one_way.ke.desk.store, made):
        yield made


def _shared(one_way: OneWay, parts: int) -> tuple[int, int]:
    """Return first step and stride: the databases share the steps, each takes its part."""
    postgresql = one_way.zm.desk.store.dialect == "postgresql"
    return 1 + (parts // 2 if postgresql else 0), parts


def _is_whole(one_way: OneWay, message_id: str) -> None:
    """Check that the message is in both books exactly once, with one receipt."""
    sent = one_way.zm.dispatch(message_id)
    assert (sent.state, sent.verdict) == (DeliveryState.DELIVERED, Verdict.ACCEPTED)
    (arrival,) = [a for a in one_way.ke.arrivals() if a.message_id == message_id]
    with one_way.zm.desk.store.read() as conn:
        assert outbox.receipt(conn, message_id) == arrival.receipt
        told = [e for e in events.after(conn, 0, limit=1000) if e.subject == message_id]
        assert [e.kind for e in told] == [EventKind.MESSAGE_DELIVERED]
    with one_way.ke.desk.store.read() as conn:
        told = [
            e
            for e in events.after(conn, 0, limit=1000)
            if e.subject == arrival.document_number and e.kind is EventKind.CERTIFICATE_AVAILABLE
        ]
        assert len(told) <= 1


def test_a_collection_cut_at_any_line_is_healed_by_the_next_one(one_way: OneWay, cuts: Cuts):
    number, first, stride = 0, *_shared(one_way, 2)
    places: set[str] = set()
    while True:
        number += 1
        message_id = queue(one_way.zm, number)
        cuts.begin(first + (number - 1) * stride)
        try:
            one_way.collect()
        except CutError as cut:
            places.add(str(cut))
        else:
            break
        cuts.begin(0)
        one_way.pass_time(minutes=6)
        one_way.collect()
        _is_whole(one_way, message_id)
    cuts.begin(0)
    _is_whole(one_way, message_id)
    assert number * stride > 60  # every line of both pipelines was one of them
    assert {
        "before commit",
        "after commit",
        "before collect",
        "after confirm",
    } <= places or stride > 1
    for side in (one_way.zm, one_way.ke):
        with side.desk.store.read() as conn:
            assert journal.verify_chain(conn).holds


def test_an_import_cut_at_any_line_is_healed_by_importing_again(one_way: OneWay, cuts: Cuts):
    number, first, stride = 0, *_shared(one_way, 6)
    while True:
        number += 1
        message_id = queue(one_way.zm, number)
        file = export(one_way.zm)
        whole = _cut_import(one_way.ke, file, cuts, first + (number - 1) * stride)
        if not whole:
            take(one_way.ke, file)
        back = export(one_way.ke)
        whole &= _cut_import(one_way.zm, back, cuts, first + (number - 1) * stride)
        take(one_way.zm, back)
        _is_whole(one_way, message_id)
        if whole:
            break
    assert number * stride > 30


def _cut_import(side: Any, file: bytes, cuts: Cuts, at: int) -> bool:
    """Import with a cut; return whether the import ended before it."""
    cuts.begin(at)
    try:
        take(side, file)
    except CutError:
        return False
    finally:
        cuts.begin(0)
    return True


def test_an_export_cut_before_it_is_noted_is_repeated(one_way: OneWay, cuts: Cuts):
    message_id = queue(one_way.zm)
    noted = False
    for at in range(1, 60):
        cuts.begin(at)
        try:
            export(one_way.zm)
        except CutError:
            noted = cuts.places[-2:] == ["before commit", "after commit"]
        else:
            noted = True
        cuts.begin(0)
        _, exported = written(one_way.zm, again=noted)
        assert [m.message_id for m in exported.manifest.members] == [message_id]
        if noted:
            return
    pytest.fail("the export never ended")
