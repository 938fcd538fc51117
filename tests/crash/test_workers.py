"""Several workers on one outbox, and a worker that wakes up long after its lease ran out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from gateway.errors import UnreachableError
from gateway.exchange.delivery import deliver_due
from gateway.exchange.outbound import submit_document
from gateway.store import DeliveryState, outbox
from tests.crash.checker import digest_of, read_books
from tests.crash.forks import Child
from tests.crash.scene import SERIAL, Scene, drain, worker_of
from tests.crash.theatre import Theatre
from tests.exchange.corridor import Side
from tests.factories import certificate

WORKERS = 3
MESSAGES = 18


def _submit(theatre: Theatre, serial: str) -> str:
    side = theatre.scene.side("ZM")
    message_id = submit_document(side.desk, certificate(serial_number=serial)).message_id or ""
    theatre.told.note(serial, message_id)
    return message_id


def test_processes_that_share_an_outbox_deliver_each_message_once(theatre: Theatre):
    used = {f"ZM-20260309-{number:06}": 0 for number in range(1, MESSAGES + 1)}
    for serial in used:
        _submit(theatre, serial)
    side = theatre.scene.side("ZM")

    def work(name: str) -> Callable[[], None]:
        def run() -> None:
            worker = worker_of(side, name)
            with side.desk.store.read() as conn:
                still_open = outbox.backlog(conn)
            while still_open:
                deliver_due(worker)
                with side.desk.store.read() as conn:
                    still_open = outbox.backlog(conn)

        return run

    children = [theatre.fork(work(f"worker-{number}")) for number in range(WORKERS)]
    assert [child.wait() for child in children] == [0] * WORKERS
    assert theatre.broken_promises(dict.fromkeys(used, 0)) == []
    books = read_books("ZM", theatre.urls["ZM"])
    assert [row["fence"] for row in books["dispatches"]] == [1] * MESSAGES
    kenya = read_books("KE", theatre.urls["KE"])
    assert [row["repeats"] for row in kenya["arrivals"]] == [0] * MESSAGES


def _frozen_worker(theatre: Theatre, place: str, *, then: Callable[[], None]) -> Child:
    """Return a worker process that stops itself at ``place`` of its first delivery."""
    side = theatre.scene.side("ZM")

    def freeze(_where: str) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        then()

    def run() -> None:
        steps = theatre.scene.steps
        original = steps.step

        def step(where: str) -> None:
            original(where)
            if where == f"ZM: {place}":
                freeze(where)

        steps.step = step  # type: ignore[method-assign]
        deliver_due(worker_of(side, "frozen"))

    child = theatre.fork(run)
    child.wait_until_stopped()
    return child


@pytest.mark.parametrize("place", ["before sending", "after the answer"])
def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(theatre: Theatre, place: str):
    message_id = _submit(theatre, SERIAL)
    child = _frozen_worker(theatre, place, then=lambda: None)
    scene = theatre.scene
    assert _state(scene, message_id) is DeliveryState.SENDING
    scene.clock.pass_time(minutes=10)
    drain(scene)
    scene.close()
    before = digest_of(theatre.urls["ZM"])
    child.go_on()
    assert child.wait() == 0
    assert digest_of(theatre.urls["ZM"]) == before
    assert theatre.broken_promises({SERIAL: 0}) == []
    codes = [row["code"] for row in _attempts(theatre)]
    assert codes == ["LEASE_LOST", "DELIVERED"]


def test_the_receipt_of_a_worker_that_lost_its_claim_counts(theatre: Theatre):
    message_id = _submit(theatre, SERIAL)
    child = _frozen_worker(theatre, "after the answer", then=lambda: None)
    scene = theatre.scene
    scene.clock.pass_time(minutes=10)
    with scene.side("ZM").desk.store.begin() as conn:
        outbox.claim_due(conn, "dies soon", scene.clock(), lease_seconds=60, limit=1)
    scene.close()
    child.go_on()
    assert child.wait() == 0
    assert _state(scene, message_id) is DeliveryState.DELIVERED
    assert theatre.broken_promises({SERIAL: 0}) == []
    assert [row["fence"] for row in read_books("ZM", theatre.urls["ZM"])["dispatches"]] == [2]


def test_a_late_failure_does_not_undo_the_delivery_of_another_worker(theatre: Theatre):
    message_id = _submit(theatre, SERIAL)

    def fail() -> None:
        raise UnreachableError("noticed much too late")

    child = _frozen_worker(theatre, "before sending", then=fail)
    scene = theatre.scene
    scene.clock.pass_time(minutes=10)
    drain(scene)
    before = digest_of(theatre.urls["ZM"])
    child.go_on()
    assert child.wait() == 0
    assert digest_of(theatre.urls["ZM"]) == before
    assert _state(scene, message_id) is DeliveryState.DELIVERED


def test_a_worker_killed_while_frozen_leaves_its_message_to_the_others(theatre: Theatre):
    _submit(theatre, SERIAL)
    child = _frozen_worker(theatre, "after the answer", then=lambda: None)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    theatre.scene.clock.pass_time(minutes=10)
    drain(theatre.scene)
    assert theatre.broken_promises({SERIAL: 0}) == []


def _state(scene: Scene, message_id: str) -> DeliveryState:
    side: Side = scene.side("ZM")
    return side.dispatch(message_id).state


def _attempts(theatre: Theatre) -> list[dict[str, object]]:
    rows = read_books("ZM", theatre.urls["ZM"])["attempts"]
    return sorted(rows, key=lambda row: row["number"])
