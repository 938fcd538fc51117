"""Statements that nobody waits for: PostgreSQL gets them late, but in order and never unheard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from gateway.errors import BusyError, ConflictError, InputError
from gateway.store import Store
from gateway.store.statements import Statement, inserting
from gateway.store.tables import tallies

_ADD = inserting(tallies, ("name", "labels", "value"))
_OURS = Statement(select(tallies.c.name, tallies.c.value).order_by(tallies.c.name))


def row(name: str, value: int = 1) -> dict[str, object]:
    return {"name": name, "labels": "", "value": value}


def found(conn: Connection) -> list[tuple[str, int]]:
    return [tuple(each) for each in _OURS.all(conn)]


@contextmanager
def only_on(store: Store, dialect: str) -> Iterator[None]:
    if store.dialect != dialect:
        pytest.skip(f"about {dialect}")
    yield


def test_what_was_run_before_is_seen_by_our_statements_and_by_those_of_sqlalchemy(
    store: Store,
) -> None:
    with store.begin() as conn:
        _ADD.run(conn, **row("a"))
        _ADD.run_each(conn, [row("b"), row("c")])
        assert found(conn) == [("a", 1), ("b", 1), ("c", 1)]
        _ADD.run(conn, **row("d"))
        assert conn.execute(select(tallies.c.name).order_by(tallies.c.name)).scalars().all() == [
            *"abcd"
        ]
        _ADD.run(conn, **row("e"))
        assert conn.exec_driver_sql("SELECT count(*) FROM tallies").scalar_one() == 5
        _ADD.run(conn, **row("last"))
    with store.read() as conn:
        assert [name for name, _ in found(conn)] == ["a", "b", "c", "d", "e", "last"]


def test_a_failure_of_the_last_statement_is_heard_before_the_commit(store: Store) -> None:
    with store.begin() as conn:
        _ADD.run(conn, **row("a"))
    with pytest.raises(ConflictError), store.begin() as conn:
        _ADD.run(conn, **row("b"))
        _ADD.run(conn, **row("a"))
    with store.read() as conn:
        assert found(conn) == [("a", 1)]


def test_a_failure_is_heard_by_the_next_statement_at_the_latest(store: Store) -> None:
    with pytest.raises(ConflictError), store.begin() as conn:
        _ADD.run_each(conn, [row("a"), row("a")])
        found(conn)
        pytest.fail("nobody heard of it")
    with store.read() as conn:
        assert found(conn) == []


def test_what_a_transaction_did_is_undone_with_it(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as conn:
        _ADD.run(conn, **row("a"))
        raise ZeroDivisionError
    with store.begin() as conn:  # the same connection
        assert found(conn) == []
        _ADD.run(conn, **row("b"))
    with store.read() as conn:
        assert found(conn) == [("b", 1)]


@pytest.mark.parametrize("count", [1, 2, 3], ids=lambda each: f"{each} rows")
def test_a_value_that_is_too_long_is_refused_and_not_cut(store: Store, count: int) -> None:
    with only_on(store, "postgresql"), pytest.raises(InputError), store.begin() as conn:
        _ADD.run_each(conn, [row(f"{number}" * 61) for number in range(count)])


def test_a_transaction_without_statements_never_reaches_the_server(store: Store) -> None:
    def status(conn: Connection) -> str:
        driver: Any = conn.connection.driver_connection
        return str(driver.info.transaction_status.name)

    with only_on(store, "postgresql"), store.begin() as conn:
        assert status(conn) == "IDLE"
        conn.execute(text("SELECT 1"))
        assert status(conn) == "INTRANS"


def test_nothing_is_written_where_only_reading_was_promised(store: Store) -> None:
    with pytest.raises(BusyError), store.read() as conn:
        _ADD.run(conn, **row("a"))
    with store.read() as conn:
        assert found(conn) == []
