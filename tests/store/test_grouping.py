"""Callers that come at once share a commit; none of them hears of anything before it."""

from __future__ import annotations

import contextvars
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from gateway.errors import BusyError, ConflictError, InputError
from gateway.store import Store, bodies, events, journal
from gateway.store.statements import inserting
from gateway.store.tables import tallies
from tests.crash.forks import fork
from tests.crash.steps import Steps, watch
from tests.store.helpers import NOW

_COUNT = inserting(tallies, ("name", "labels", "value"))
CALLER = contextvars.ContextVar("CALLER", default="nobody")


def write(conn: Connection, name: str) -> str:
    """Store one body with its journal entry and event, as everything here does."""
    bodies.put(conn, name.encode())
    journal.append(conn, at=NOW, action=journal.Action.USER_ACTION, subject=name)
    events.append(conn, at=NOW, kind=events.Kind.GAP, subject=name)
    return name


@dataclass
class Crowd:
    """Lets callers come while a first one is at work, so that they are served together."""

    store: Store
    answers: dict[str, Any] = field(default_factory=dict)

    def come(self, works: dict[str, Callable[[Connection], Any]]) -> None:
        """Run all ``works`` in one group; what each was answered is in ``answers``."""
        begun, go_on = threading.Event(), threading.Event()

        def first(_conn: Connection) -> None:
            begun.set()
            assert go_on.wait(20)

        waiting = [self._start("first", first)]
        assert begun.wait(20)
        waiting += [self._start(name, work) for name, work in works.items()]
        over = time.monotonic() + 20
        while len(self.store._group._waiting) < len(works):
            assert time.monotonic() < over
            time.sleep(0.001)
        go_on.set()
        for thread in waiting:
            thread.join(20)
            assert not thread.is_alive()

    def _start(self, name: str, work: Callable[[Connection], Any]) -> threading.Thread:
        def call() -> None:
            CALLER.set(name)
            try:
                self.answers[name] = self.store.together(work)
            except Exception as exc:  # noqa: BLE001 - it is the answer
                self.answers[name] = exc

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        return thread


def stored(store: Store) -> set[str]:
    """Return what stands in bodies, journal and feed, which must be the same."""
    with store.read() as conn:
        found = {row.content.decode() for row in conn.execute(text("SELECT content FROM bodies"))}
        noted = [entry.subject for entry in journal.page(conn, limit=500)]
        told = [one.subject for one in events.after(conn, 0, limit=500)]
        report = journal.verify_chain(conn)
    assert report.holds, report.reason
    assert sorted(noted) == sorted(told) == sorted(found)
    return found


def commits_of(store: Store) -> list[str]:
    """Return a list that grows by one with each commit."""
    seen: list[str] = []
    event.listen(store._writing, "commit", lambda _conn: seen.append("COMMIT"))
    return seen


def writer(name: str) -> Callable[[Connection], str]:
    return lambda conn: write(conn, name)


def test_callers_that_come_while_one_commits_share_the_next_commit(store: Store) -> None:
    seen, crowd = commits_of(store), Crowd(store)
    names = [f"n{number}" for number in range(5)]
    crowd.come({name: writer(name) for name in names})
    assert len(seen) == 2
    assert {name: crowd.answers[name] for name in names} == dict(zip(names, names, strict=True))
    assert stored(store) == set(names)


def test_what_was_attempted_in_a_shared_commit_that_is_undone_is_told_once(store: Store) -> None:
    def attempt(conn: Connection) -> None:
        kind = events.Kind.OVER_USE_ATTEMPTED
        events.append(conn, at=NOW, kind=kind, subject="tried", though_undone=True)
        raise ConflictError("refused")

    crowd = Crowd(store)
    crowd.come({"good": writer("good"), "bad": attempt, "other": writer("other")})
    assert isinstance(crowd.answers["bad"], ConflictError)
    assert crowd.answers["good"] == "good"
    with store.read() as conn:
        assert sorted(one.subject for one in events.after(conn, 0)) == ["good", "other", "tried"]


def test_more_callers_than_fit_one_transaction_are_served_in_turns(store: Store) -> None:
    seen, crowd = commits_of(store), Crowd(store)
    names = {f"n{number:02}" for number in range(40)}
    crowd.come({name: writer(name) for name in names})
    assert len(seen) == 3
    assert stored(store) == names


def test_who_comes_alone_is_served_as_by_a_transaction_of_its_own(store: Store) -> None:
    statements: list[str] = []
    event.listen(
        store._writing,
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_more: statements.append(statement),
    )
    assert store.together(writer("alone")) == "alone"
    assert not [one for one in statements if "SAVEPOINT" in one]
    with pytest.raises(ConflictError, match="mine"):
        store.together(lambda _conn: raise_(ConflictError("mine")))
    assert stored(store) == {"alone"}


def raise_(error: Exception) -> None:
    raise error


def fail_after_writing(name: str, error: Exception) -> Callable[[Connection], None]:
    def work(conn: Connection) -> None:
        write(conn, name)
        raise error

    return work


def break_a_key(conn: Connection) -> None:
    write(conn, "key")
    conn.execute(text("INSERT INTO chain_heads VALUES (1, 0, 'x', 0)"))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.booleans(), min_size=2, max_size=8))
def test_any_mix_of_good_and_failing_members_keeps_the_good_ones_whole(
    store: Store, good: list[bool]
) -> None:
    crowd, before = Crowd(store), stored(store)
    token = os.urandom(4).hex()
    works: dict[str, Callable[[Connection], Any]] = {}
    errors: dict[str, Exception] = {}
    for number, is_good in enumerate(good):
        name = f"{token}-{number}"
        if is_good:
            works[name] = writer(name)
        else:
            errors[name] = InputError(f"not {name}")
            works[name] = fail_after_writing(name, errors[name])
    crowd.come(works)
    kept = {name for name in works if name not in errors}
    assert stored(store) - before == kept
    assert {name: crowd.answers[name] for name in errors} == errors
    assert {name: crowd.answers[name] for name in kept} == {name: name for name in kept}


def test_a_taken_key_is_the_conflict_of_one_member_alone(store: Store) -> None:
    crowd = Crowd(store)
    crowd.come({"a": writer("a"), "key": break_a_key, "b": writer("b")})
    assert isinstance(crowd.answers["key"], ConflictError)
    assert stored(store) == {"a", "b"}


def test_bytes_that_a_failed_member_stored_are_stored_by_the_next(store: Store) -> None:
    crowd = Crowd(store)
    crowd.come({"bad": fail_after_writing("same", InputError("no")), "good": writer("same")})
    assert crowd.answers["good"] == "same"
    assert stored(store) == {"same"}


def test_a_commit_that_fails_is_a_busy_database_to_every_member(store: Store) -> None:
    crowd, dialect = Crowd(store), store._writing.dialect
    commit: Any = dialect.do_commit
    begun: list[int] = []

    def fail_second(connection: Any) -> None:
        begun.append(1)
        if len(begun) == 2:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))
        commit(connection)

    dialect.do_commit = fail_second  # type: ignore[method-assign]
    crowd.come({"a": writer("a"), "b": writer("b"), "c": writer("c")})
    dialect.do_commit = commit  # type: ignore[method-assign]
    failed = [crowd.answers[name] for name in "abc"]
    assert all(isinstance(one, BusyError) for one in failed)
    assert len({id(one) for one in failed}) == 3  # a shared exception would grow three tracebacks
    assert stored(store) == set()
    assert store.together(writer("later")) == "later"


def test_a_statement_that_fails_late_costs_the_others_of_the_group_nothing(store: Store) -> None:
    """PostgreSQL hears of a statement without rows after the work that it belongs to."""
    crowd = Crowd(store)

    def twice(conn: Connection) -> None:
        write(conn, "twice")
        for _ in range(2):
            _COUNT.run(conn, name="twice", labels="", value=1)

    crowd.come({"a": writer("a"), "twice": twice, "z": writer("z")})
    assert isinstance(crowd.answers["twice"], ConflictError)
    assert (crowd.answers["a"], crowd.answers["z"]) == ("a", "z")
    assert stored(store) == {"a", "z"}


def test_nobody_is_answered_before_the_commit(store: Store) -> None:
    crowd, dialect = Crowd(store), store._writing.dialect
    commit: Any = dialect.do_commit
    answered: list[set[str]] = []

    def note(connection: Any) -> None:
        time.sleep(0.05)  # whoever would answer too early has the time for it
        answered.append(set(crowd.answers))
        commit(connection)

    dialect.do_commit = note  # type: ignore[method-assign]
    crowd.come({"a": writer("a"), "b": writer("b")})
    dialect.do_commit = commit  # type: ignore[method-assign]
    assert answered[0] == set()
    assert answered[1] <= {"first"}
    assert set(crowd.answers) == {"first", "a", "b"}


def test_each_member_works_with_the_context_of_its_caller(store: Store) -> None:
    crowd = Crowd(store)
    crowd.come({name: lambda _conn: CALLER.get() for name in ("a", "b", "c")})
    assert {name: crowd.answers[name] for name in "abc"} == {"a": "a", "b": "b", "c": "c"}


def test_a_member_that_breaks_the_connection_breaks_nobody_elses_work(store: Store) -> None:
    crowd = Crowd(store)

    def cut(conn: Connection) -> None:
        write(conn, "cut")
        if store.dialect == "postgresql":
            conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    crowd.come({"a": writer("a"), "cut": cut, "b": writer("b")})
    assert isinstance(crowd.answers["cut"], BusyError)
    assert stored(store) == {"a", "b"}
    assert store.together(writer("later")) == "later"


def test_a_leader_that_is_broken_off_leaves_nobody_with_an_answer(store: Store) -> None:
    class Broken(BaseException):
        """Is what ends a thread from outside."""

    def end(conn: Connection) -> None:
        write(conn, "end")
        raise Broken

    crowd = Crowd(store)
    with warnings_of_threads():
        crowd.come({"end": end, "a": writer("a"), "b": writer("b")})
    assert {type(crowd.answers[name]) for name in "ab"} == {BusyError}
    assert stored(store) == set()
    assert store.together(writer("later")) == "later"


@contextmanager
def warnings_of_threads() -> Iterator[None]:
    """Let a thread end by an exception without a warning of pytest."""
    before, threading.excepthook = threading.excepthook, lambda _args: None
    try:
        yield
    finally:
        threading.excepthook = before


def test_a_group_killed_at_any_step_has_stored_all_that_it_answered(store: Store) -> None:
    before: set[str] = set()
    for step in range(1, 60):
        names = {f"{step:02}{letter}" for letter in "abc"}
        ended, answered = _killed_at(store, step, names)
        present = stored(store) - before
        before |= present
        assert present in (set(), names), f"half a group was stored at step {step}"
        assert answered <= present, f"something was answered and lost at step {step}"
        if ended == 0:
            assert answered == names
            assert step > 10
            return
    raise AssertionError("the group never came to its end")


def _killed_at(store: Store, step: int, names: set[str]) -> tuple[int, set[str]]:
    """Return how a process ended that dies at ``step``, and what it had answered before."""
    reading, writing = os.pipe()

    def run() -> None:
        steps = Steps(at=step)
        watch(store, "us", steps)
        crowd = Crowd(store)

        def telling(name: str) -> Callable[[], None]:
            def call() -> None:
                store.together(writer(name))
                os.write(writing, name.encode())

            return call

        with steps.unseen():
            begun, go_on = threading.Event(), threading.Event()

            def first(_conn: Connection) -> None:
                begun.set()
                assert go_on.wait(20)

            threads = [threading.Thread(target=lambda: store.together(first), daemon=True)]
            threads[0].start()
            assert begun.wait(20)
            threads += [threading.Thread(target=telling(name), daemon=True) for name in names]
            for thread in threads[1:]:
                thread.start()
            while len(crowd.store._group._waiting) < len(names):
                time.sleep(0.001)
        go_on.set()
        for thread in threads:
            thread.join(20)

    ended = fork(run, store).wait()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    assert ended in (0, -signal.SIGKILL)
    return ended, {said[at : at + 3] for at in range(0, len(said), 3)}
