"""Questions that must stay quick however long the history is: their plans name the small index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from gateway.store import (
    DeliveryState,
    ImportState,
    Store,
    batch_uploads,
    batches,
    certificates,
    measures,
    outbox,
    reporting,
)
from gateway.store.report_measures import Measure
from gateway.store.reporting import Bounds
from gateway.store.search import Visible
from tests.store.helpers import NOW, add_peer, new_dispatch

STOPPED = (DeliveryState.HELD, DeliveryState.REFUSED, DeliveryState.FAILED)


@pytest.mark.parametrize("state", STOPPED)
def test_what_was_stopped_of_one_peer_is_found_without_its_history(
    tmp_path: Path, state: DeliveryState
) -> None:
    with _books(tmp_path) as store, store.read() as conn, _asked(conn) as asked:
        outbox.page(conn, peer_id=1, state=state)
        assert "ix_dispatches_stopped" in _plan(conn, *asked[-1])


def test_what_is_under_way_to_a_peer_is_counted_without_its_backlog(tmp_path: Path) -> None:
    with _books(tmp_path) as store, store.begin() as conn, _asked(conn) as asked:
        outbox.claim_due(conn, "worker", NOW, lease_seconds=60, limit=5)
        counting = [each for each in asked if "under_way" in each[0] or "SENDING" in each[0]]
        assert counting
        assert all("ix_dispatches_under_way" in _plan(conn, *each) for each in counting)


def test_the_certificates_of_a_conversation_are_found_without_reading_all(tmp_path: Path) -> None:
    with _books(tmp_path) as store, store.read() as conn, _asked(conn) as asked:
        certificates.in_conversation(conn, "c-1")
        assert "SCAN" not in _plan(conn, *asked[-1])


def test_a_report_reads_counts_by_their_groups_and_no_certificate(tmp_path: Path) -> None:
    everybody = Visible(issued=True, received=True)
    first, until = date(2026, 1, 1), date(2026, 4, 1)
    bounds = Bounds(visible=everybody, since=first, until=until, test=False)
    with _books(tmp_path) as store, store.read() as conn, _asked(conn) as asked:
        reporting.cells(conn, bounds)
        reporting.chapters(conn, bounds)
        reporting.spans(conn, bounds)
        reporting.overdue(conn, bounds, [(ImportState.ACCEPTED, NOW)])
        for each in list(asked):
            plan = _plan(conn, *each)
            assert "SEARCH report_groups" in plan
            assert "SEARCH report_counts" in plan
            assert "certificates" not in plan
        reporting.members(conn, 1, Measure.USED, "", before=7, limit=5)
        plan = _plan(conn, *asked[-1])
        assert "ix_report_certificates_group_id" in plan
        assert "TEMP B-TREE" not in plan


def test_batches_that_wait_and_lines_refused_are_found_among_many(tmp_path: Path) -> None:
    with _books(tmp_path) as store, store.read() as conn, _asked(conn) as asked:
        batches.is_any_due(conn, NOW)
        assert "ix_batches_due_at" in _plan(conn, *asked[-1])
        batches.page(conn, 1, before=7, limit=5)
        assert "ix_batches_organisation_id" in _plan(conn, *asked[-1])
        batch_uploads.forgotten(conn, stalled_before=NOW, ended_before=NOW)
        stalled, ended = asked[-2:]
        assert "ix_batches_receiving" in _plan(conn, *stalled)
        assert "ix_batches_ended_at" in _plan(conn, *ended)
        conn.execute(batches.refused_lines(1, after=0, limit=5))
        assert "ix_batch_lines_refused" in _plan(conn, *asked[-1])


@pytest.mark.parametrize("analyzed", [False, True])
def test_the_first_of_a_dead_peers_backlog_is_read_in_order_and_not_sorted_out(
    tmp_path: Path, *, analyzed: bool
) -> None:
    with _books(tmp_path) as store:
        _fill(store, analyzed=analyzed)
        with store.begin() as conn, _asked(conn) as asked:
            assert len(outbox.claim_due(conn, "worker", NOW, lease_seconds=60, limit=1)) == 1
            (reading,) = (each for each in asked if "rank_at, " in each[0].partition("WHERE")[2])
            plan = _plan(conn, *reading)
    assert "ix_dispatches_rank" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("count", [outbox.backlog, measures.queue])
def test_what_waits_is_counted_without_walking_through_what_is_done(
    tmp_path: Path, count: Callable[[Connection], object], *, analyzed: bool
) -> None:
    with _books(tmp_path) as store:
        _fill(store, analyzed=analyzed)
        with store.read() as conn, _asked(conn) as asked:
            count(conn)
            plan = _plan(conn, *asked[-1])
    assert "SCAN dispatches" not in plan or "ix_dispatches_open" in plan, plan


def _fill(store: Store, *, analyzed: bool) -> None:
    peer = add_peer(store)
    with store.begin() as conn:
        for _ in range(200):
            outbox.enqueue(conn, new_dispatch(peer.id))
        if analyzed:
            conn.exec_driver_sql("ANALYZE")


@contextmanager
def _books(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'books.db'}")
    store.migrate()
    yield store
    store.close()


@contextmanager
def _asked(conn: Connection) -> Iterator[list[tuple[str, Any]]]:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(conn.engine, "before_cursor_execute", note)
    yield asked
    event.remove(conn.engine, "before_cursor_execute", note)


def _plan(conn: Connection, statement: str, parameters: Any) -> str:
    rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return "\n".join(row[-1] for row in rows)
