"""What only grows: the journal proves itself, the feed skips nothing."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.errors import ConflictError
from gateway.store import Store, events, idempotency, journal, tasks
from tests.store.helpers import NOW, after


def write(store: Store, count: int, start: int = 0) -> None:
    with store.begin() as conn:
        for number in range(start, start + count):
            journal.append(
                conn,
                at=after(number),
                actor="user:é",
                action=journal.Action.USER_ACTION,
                subject=f"subject-{number}",
                detail={"number": number, "text": 'quote " and ع'},
            )


def unguarded(store: Store, *statements: str) -> None:
    """Do what an administrator of the database could do."""
    with store.begin() as conn:
        if store.dialect == "postgresql":
            conn.execute(text("ALTER TABLE journal DISABLE TRIGGER ALL"))
        else:
            for deed in ("update", "delete"):
                conn.execute(text(f"DROP TRIGGER IF EXISTS journal_no_{deed}"))
        for statement in statements:
            conn.execute(text(statement))


def test_an_empty_and_an_untouched_journal_hold(store: Store) -> None:
    with store.read() as conn:
        assert journal.verify_chain(conn).holds
    write(store, 5)
    write(store, 5, start=5)
    with store.read() as conn:
        report = journal.verify_chain(conn)
        assert journal.head(conn) == (10, report.last_hash)
        rest = journal.verify_chain(
            conn, after=4, anchor=journal.page(conn, before=5)[0].entry_hash
        )
    assert (report.holds, report.entries, rest.entries) == (True, 10, 6)


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        (["UPDATE journal SET actor = 'user:x' WHERE sequence = 3"], 3),
        (["UPDATE journal SET details = '{}' WHERE sequence = 1"], 1),
        (["UPDATE journal SET entry_hash = previous_hash WHERE sequence = 4"], 4),
        (["DELETE FROM journal WHERE sequence = 2"], 2),
        (["DELETE FROM journal WHERE sequence = 6"], 6),
        (["DELETE FROM journal"], 1),
        (
            [
                "UPDATE journal SET sequence = 99 WHERE sequence = 2",
                "UPDATE journal SET sequence = 2 WHERE sequence = 3",
                "UPDATE journal SET sequence = 3 WHERE sequence = 99",
            ],
            2,
        ),
    ],
)
def test_a_changed_missing_or_swapped_entry_shows(
    store: Store, tampering: list[str], broken_at: int
) -> None:
    write(store, 6)
    unguarded(store, *tampering)
    with store.read() as conn:
        report = journal.verify_chain(conn)
    assert not report.holds
    assert report.broken_at == broken_at


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sequence=st.integers(1, 6), column=st.sampled_from(["actor", "action", "subject", "at"]))
def test_any_flipped_column_shows(store: Store, sequence: int, column: str) -> None:
    with store.read() as conn:
        empty = journal.head(conn)[0] == 0
    if empty:
        write(store, 6)
    value = "'2020-01-01T00:00:00.000000Z'" if column == "at" else "'flipped'"
    other = text(f"UPDATE journal SET {column} = {value} WHERE sequence = {sequence}")
    unguarded(store)
    with pytest.raises(UndoError), store.begin() as conn:
        conn.execute(other)
        assert journal.verify_chain(conn).broken_at == sequence
        raise UndoError


class UndoError(Exception):
    """Rolls a transaction back."""


def test_the_newest_entries_come_first_and_filter(store: Store) -> None:
    write(store, 4)
    with store.read() as conn:
        assert [entry.sequence for entry in journal.page(conn, limit=2)] == [4, 3]
        assert [entry.sequence for entry in journal.page(conn, before=3)] == [2, 1]
        (entry,) = journal.page(conn, subject="subject-2")
        assert journal.page(conn, action=journal.Action.PEER_ADDED) == ()
    assert entry.detail == {"number": 2, "text": 'quote " and ع'}
    assert (entry.actor, entry.at) == ("user:é", after(2))


def test_the_feed_is_read_by_cursor(store: Store) -> None:
    with store.begin() as conn:
        for number in range(5):
            data = {"number": number}
            events.append(conn, at=NOW, kind=events.Kind.GAP, subject=f"s-{number}", data=data)
    with store.read() as conn:
        first = events.after(conn, 0, limit=3)
        rest = events.after(conn, first[-1].cursor)
        assert [event.data["number"] for event in (*first, *rest)] == [0, 1, 2, 3, 4]
        assert events.last_cursor(conn) == rest[-1].cursor == 5
        assert events.newest(conn, limit=1)[0].subject == "s-4"
        assert [event.cursor for event in events.newest(conn, subject="s-1")] == [2]


def test_a_late_commit_is_never_skipped_by_a_reader(store: Store) -> None:
    """A cursor once passed can gain no event behind it, however long a writer takes."""
    seen: list[int] = []
    stop = threading.Event()

    def read() -> None:
        cursor = 0
        end = time.monotonic() + 20
        while (not stop.is_set() or cursor < 30) and time.monotonic() < end:
            with store.read() as conn:
                for event in events.after(conn, cursor):
                    seen.append(event.data["id"])
                    cursor = event.cursor
            time.sleep(0.001)

    def write_slowly(name: int) -> None:
        for number in range(10):
            with store.begin() as conn:
                data = {"id": name * 10 + number}
                events.append(conn, at=NOW, kind=events.Kind.GAP, subject="x", data=data)
                time.sleep(0.001 * (name + 1))

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write_slowly, args=(n,)) for n in range(3)]
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    reader.join()
    assert sorted(seen) == list(range(30))


def test_concurrent_writers_keep_the_chain_whole(store: Store) -> None:
    threads = [threading.Thread(target=write, args=(store, 3, 10 * n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        report = journal.verify_chain(conn)
    assert (report.holds, report.entries) == (True, 18)


def test_the_same_request_gets_the_same_answer(store: Store) -> None:
    with store.begin() as conn:
        assert idempotency.reserve(conn, "api:x", "key", "a" * 64) is None
        idempotency.remember(conn, "api:x", "key", "a" * 64, status=202, answer=b"{}", at=NOW)
    with store.begin() as conn:
        stored = idempotency.reserve(conn, "api:x", "key", "a" * 64)
        assert stored == idempotency.StoredAnswer(status=202, answer=b"{}", created_at=NOW)
        assert idempotency.reserve(conn, "api:y", "key", "b" * 64) is None
    with pytest.raises(ConflictError), store.begin() as conn:
        idempotency.reserve(conn, "api:x", "key", "b" * 64)
    with store.begin() as conn:
        assert idempotency.forget_before(conn, NOW) == 0
        assert idempotency.forget_before(conn, after(1)) == 1


def test_a_task_runs_once_per_period_whoever_asks(store: Store) -> None:
    runs: list[str] = []

    def ask(name: str) -> None:
        with store.begin() as conn:
            run = tasks.claim(conn, "expire", name, NOW, period=timedelta(hours=1))
        if run is not None:
            runs.append(name)

    threads = [threading.Thread(target=ask, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1
    with store.begin() as conn:
        assert tasks.claim(conn, "expire", "x", after(3599), period=timedelta(hours=1)) is None
        run = tasks.claim(conn, "expire", "x", after(3600), period=timedelta(hours=1))
        assert run is not None
        tasks.end(conn, run, at=after(3605), error="disk full")
        (state,) = tasks.every(conn)
    assert (state.last_ended_at, state.last_error) == (after(3605), "disk full")
