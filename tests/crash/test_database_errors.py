"""A database that fails at any step: nothing half-written, and the same call succeeds later."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, make_url

from gateway.errors import BusyError
from gateway.exchange.delivery import deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import submit_document
from gateway.store import Store, bodies, outbox
from tests.crash.checker import digest_of
from tests.crash.scene import SERIAL, STORY, Deed, drain, play, say_all_again
from tests.crash.theatre import Theatre, administer
from tests.exchange.corridor import Side
from tests.factories import certificate

MESSAGES = {
    "sqlite": ("database is locked", "disk I/O error", "database or disk is full"),
    "postgresql": (
        "server closed the connection unexpectedly",
        "the database system is shutting down",
    ),
}


def _driver_error(theatre: Theatre, number: int) -> Exception:
    said = MESSAGES[theatre.engine]
    kind = sqlite3.OperationalError if theatre.engine == "sqlite" else psycopg.OperationalError
    return kind(said[number % len(said)])


def _call_until_it_succeeds(
    theatre: Theatre, country: str, work: Callable[[], Any]
) -> tuple[Any, list[str]]:
    """Return the answer of ``work`` and where it failed before.

    The first call fails at its first step, the next at its second, and so on.  After each failure
    the books are as they were, unless what failed was the answer to a COMMIT that was done.
    """
    steps, failed_at = theatre.scene.steps, []

    def fail(place: str) -> None:
        failed_at.append(place)
        raise _driver_error(theatre, len(failed_at))

    while True:
        tried, before = len(failed_at), digest_of(theatre.urls[country])
        steps.begin(tried + 1, fail)
        try:
            answer = work()
        except BusyError:
            assert len(steps.passed) == tried + 1, "a busy database was asked for more"
            if not failed_at[-1].endswith("after COMMIT"):
                assert digest_of(theatre.urls[country]) == before, failed_at[-1]
            continue
        finally:
            steps.begin(0)
        assert len(failed_at) == tried, f"the failure at {failed_at[-1]} went unnoticed"
        return answer, failed_at


def test_BUSY_a_request_whose_database_fails_at_any_step_stores_all_or_nothing(theatre: Theatre):
    told, scene = theatre.told, theatre.scene
    for deed in STORY:
        side = scene.side(deed.side)
        answer, failed_at = _call_until_it_succeeds(theatre, deed.side, _asking(deed, side))
        assert len(failed_at) > 10
        told.note(deed.name, answer.message_id)
        drain(scene)
    assert theatre.broken_promises() == []


def _asking(deed: Deed, side: Side) -> Callable[[], Any]:
    return lambda: deed.ask(side)


def test_BUSY_an_arrival_whose_database_fails_at_any_step_is_stored_with_its_receipt_or_not_at_all(
    theatre: Theatre,
):
    scene, receivers = theatre.scene, {"ZM": "KE", "KE": "ZM"}
    failures: dict[str, list[str]] = {}

    def through_failures(sender: str) -> Callable[[bytes], bytes]:
        receive, receiver = scene.side(sender).wire.deliver, receivers[sender]

        def deliver(raw: bytes) -> bytes:
            work = lambda: receive(raw)  # noqa: E731
            receipt, failures[receiver] = _call_until_it_succeeds(theatre, receiver, work)
            return receipt

        return deliver

    for sender in receivers:
        scene.side(sender).wire.deliver = through_failures(sender)
    play(scene, theatre.told)
    assert theatre.broken_promises() == []
    assert all(len(places) > 15 for places in failures.values())


def test_a_worker_whose_database_fails_at_any_step_delivers_once_in_the_end(theatre: Theatre):
    scene, failed_at = theatre.scene, []

    def fail(place: str) -> None:
        failed_at.append(place)
        raise _driver_error(theatre, len(failed_at))

    for deed in STORY:
        side = scene.side(deed.side)
        theatre.told.note(deed.name, deed.ask(side).message_id or "")
        for number in range(1, 200):
            steps_taken = len(failed_at)
            scene.clock.pass_time(minutes=20)
            scene.steps.begin(number, fail)
            _try_to_work(side)
            scene.steps.begin(0)
            if len(failed_at) == steps_taken:
                break
        drain(scene)
    assert theatre.broken_promises() == []
    assert len(failed_at) > 30
    say_all_again(scene, theatre.told)


def _try_to_work(side: Side) -> None:
    with suppress(BusyError):  # not even claiming was possible; the job logs it and comes again
        deliver_due(side.worker)


def _envelope_for_kenya(theatre: Theatre) -> bytes:
    zambia = theatre.scene.side("ZM")
    message_id = submit_document(zambia.desk, certificate(serial_number=SERIAL)).message_id
    with zambia.desk.store.read() as conn:
        dispatch = outbox.dispatch(conn, message_id or "")
        assert dispatch is not None
        return bodies.get(conn, dispatch.envelope_sha256)


def _kenya_with(theatre: Theatre, store: Store) -> Callable[[bytes], bytes]:
    desk = replace(theatre.scene.side("KE").desk, store=store)
    fingerprint = theatre.scene.side("ZM").tls_fingerprint
    return lambda raw: accept(desk, raw, tls_fingerprint=fingerprint)


@contextmanager
def _locked(theatre: Theatre) -> Iterator[None]:
    """Hold what every writer needs, as a backup tool or a stuck session does."""
    url = theatre.urls["KE"]
    if theatre.engine == "sqlite":
        with closing(sqlite3.connect(str(make_url(url).database))) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE arrivals, dispatches, chain_heads IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def test_BUSY_a_locked_database_takes_nothing_and_answers_in_time(theatre: Theatre):
    envelope = _envelope_for_kenya(theatre)
    store = Store.open(theatre.urls["KE"], lock_wait_seconds=0.2)
    take = _kenya_with(theatre, store)
    before = digest_of(theatre.urls["KE"])
    with _locked(theatre), pytest.raises(BusyError):
        take(envelope)
    assert digest_of(theatre.urls["KE"]) == before
    receipt = take(envelope)
    assert take(envelope) == receipt
    store.close()


def test_BUSY_a_full_disk_takes_nothing_and_heals_when_there_is_room(theatre: Theatre):
    if theatre.engine != "sqlite":
        pytest.skip("the size of a PostgreSQL database cannot be bounded from here")
    envelope = _envelope_for_kenya(theatre)
    store = Store.open(theatre.urls["KE"])
    room = {"pages": 0}

    def bound(conn: Any) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count={room['pages'] or 1_000_000}")

    for engine in store.engines:
        event.listen(engine, "begin", bound)

    take = _kenya_with(theatre, store)
    with store.read() as conn:
        pages: int = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    before = digest_of(theatre.urls["KE"])
    for more in (1, 4, 8):
        room["pages"] = pages + more
        with pytest.raises(BusyError):
            take(envelope)
        assert digest_of(theatre.urls["KE"]) == before
    room["pages"] = 0
    receipt = take(envelope)
    assert take(envelope) == receipt
    store.close()


def test_BUSY_connections_that_the_server_cuts_at_any_step_are_replaced_by_themselves(
    theatre: Theatre,
):
    if theatre.engine != "postgresql":
        pytest.skip("there is no server to cut connections")
    scene, server = theatre.scene, theatre.urls["KE"]
    receive, fingerprint = scene.side("ZM").wire.deliver, scene.side("ZM").tls_fingerprint
    assert fingerprint
    cut: list[str] = []

    def deliver(raw: bytes) -> bytes:
        while True:
            tried = len(cut)
            scene.steps.begin(tried * 3 + 1, lambda place: (cut.append(place), _cut(server)))
            try:
                return receive(raw)
            except BusyError:
                assert len(cut) == tried + 1
            finally:
                scene.steps.begin(0)

    scene.side("ZM").wire.deliver = deliver
    play(scene, theatre.told)
    assert len(cut) >= 8
    assert theatre.broken_promises() == []


def _cut(server: str) -> None:
    administer(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_threads_of_one_listener_that_get_the_same_message_at_once_answer_the_same(
    theatre: Theatre,
):
    envelope = _envelope_for_kenya(theatre)
    take = _kenya_with(theatre, theatre.scene.side("KE").desk.store)
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(take(envelope))) for _ in range(6)]
    with theatre.scene.steps.unseen():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert len(theatre.scene.side("KE").arrivals()) == 1
