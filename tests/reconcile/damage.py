"""Exchanging, damaging and reconciling: what the tests of this folder do to a corridor."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select, text, update

from gateway.documents import DocumentType, UtilisationStatus
from gateway.exchange.outbound import submit_document
from gateway.exchange.reconcile import reconcile_due, state_due
from gateway.exchange.reconcile_proof import proof_of
from gateway.store import (
    Balance,
    BalanceState,
    BooksSide,
    DeliveryState,
    Store,
    balances,
    certificates,
    events,
)
from gateway.store import Side as RegisterSide
from gateway.store.tables import arrivals, attempts, chain_heads, dispatches, metadata
from gateway.store.tables import balances as balance_table
from tests.exchange.corridor import Corridor, Side, action
from tests.exchange.corridor import respond as respond_to
from tests.factories import NOW, certificate

DAY = NOW.date()
BUSINESS = (DocumentType.CERTIFICATE_OF_ORIGIN, DocumentType.CUSTOMS_RESPONSE)


def serial(number: int) -> str:
    return f"ZM-20260309-{number:06}"


def exchange(corridor: Corridor, count: int = 3, uses: int = 2) -> None:
    """Let Zambia send certificates and Kenya use the first of them, a part at a time."""
    for number in range(1, count + 1):
        submit_document(corridor.zm.desk, certificate(serial_number=serial(number)))
    work(corridor)
    for use in range(uses):
        write_off(corridor, 1, reference=f"use-{use}")
    work(corridor)


def write_off(corridor: Corridor, number: int, *, reference: str, quantity: str = "1000") -> None:
    status = UtilisationStatus.PARTIAL
    decision = action(status, quantity, serial_number=serial(number), reference=reference)
    respond_to(corridor.ke.desk, decision)


def work(corridor: Corridor) -> None:
    """Deliver on both sides until nothing is due."""
    for _ in range(200):
        if not (corridor.zm.work() + corridor.ke.work()):
            return
        corridor.clock.pass_time(seconds=1)
    raise AssertionError("the queues never empty")


def next_day(corridor: Corridor) -> None:
    corridor.clock.pass_time(days=1)


def reconcile(corridor: Corridor, rounds: int = 8) -> None:
    """Let both sides' jobs and workers run until nothing is due for a while."""
    for _ in range(rounds):
        for side in (corridor.zm, corridor.ke):
            reconcile_due(side.desk, "worker")
        work(corridor)
        if all(balance.state is BalanceState.AGREED for balance in every_balance(corridor)):
            return
        corridor.clock.pass_time(hours=1)


def hurry(corridor: Corridor, rounds: int) -> None:
    """Run rounds one after another as if their pauses had passed, then let deadlines pass."""
    for whose in [*[BooksSide.SENT] * rounds, BooksSide.RECEIVED]:
        for side in (corridor.zm, corridor.ke):
            with side.desk.store.begin() as conn:
                waiting = (balance_table.c.due_at.is_not(None), balance_table.c.side == whose)
                conn.execute(update(balance_table).where(*waiting).values(due_at=corridor.clock()))
            state_due(side.desk)
        work(corridor)


def every_balance(corridor: Corridor) -> list[Balance]:
    return [balance for side in (corridor.zm, corridor.ke) for balance in balances_of(side)]


def balances_of(side: Side, day: date | None = DAY) -> tuple[Balance, ...]:
    with side.desk.store.read() as conn:
        return balances.page(conn, day=day)


def assert_agreed(corridor: Corridor, day: date = DAY) -> None:
    """Both books hold the same, both directions are agreed, and every signature verifies."""
    for sender, receiver in ((corridor.zm, corridor.ke), (corridor.ke, corridor.zm)):
        assert books(sender, dispatches) == books(receiver, arrivals)
    for side in (corridor.zm, corridor.ke):
        found = balances_of(side, day)
        assert {balance.side.value for balance in found} == {"SENT", "RECEIVED"}
        assert {balance.state for balance in found} == {BalanceState.AGREED}
        with side.desk.store.read() as conn:
            for balance in found:
                proof_of(side.desk, conn, balance)
    assert totals(corridor.zm, RegisterSide.ISSUED) == totals(corridor.ke, RegisterSide.RECEIVED)


def books(side: Side, table: Any) -> list[tuple[Any, ...]]:
    """Return id, digest and verdict of every business message, sorted: each stands once."""
    columns = (table.c.message_id, table.c.envelope_sha256, table.c.verdict)
    query = select(*columns).where(table.c.document_type.in_(BUSINESS))
    with side.desk.store.read() as conn:
        return sorted(tuple(row) for row in conn.execute(query.order_by(table.c.message_id)))


def totals(side: Side, register_side: RegisterSide) -> dict[str, Any]:
    with side.desk.store.read() as conn:
        return {
            row.serial_number: [
                (item.number, item.used) for item in certificates.items(conn, row.id)
            ]
            for row in certificates.page(conn, register_side, limit=1000)
        }


def message_ids(side: Side, table: Any = dispatches) -> list[str]:
    return [row[0] for row in books(side, table)]


def lose_dispatch(side: Side, message_id: str) -> None:
    """Forget that a message was ever sent."""
    with side.desk.store.begin() as conn:
        own = select(dispatches.c.id).where(dispatches.c.message_id == message_id)
        conn.execute(delete(attempts).where(attempts.c.dispatch_id.in_(own.scalar_subquery())))
        conn.execute(delete(dispatches).where(dispatches.c.message_id == message_id))


def lose_arrival(side: Side, message_id: str) -> None:
    with side.desk.store.begin() as conn:
        conn.execute(delete(arrivals).where(arrivals.c.message_id == message_id))


def lose_outcome(side: Side, message_id: str, state: DeliveryState) -> None:
    """Forget what became of a message: the receipt is gone."""
    alter(side, dispatches, message_id, state=state, receipt_sha256=None, verdict=None)


def alter(side: Side, table: Any, message_id: str, **values: Any) -> None:
    with side.desk.store.begin() as conn:
        conn.execute(update(table).where(table.c.message_id == message_id).values(**values))


def kinds(side: Side) -> list[events.Kind]:
    with side.desk.store.read() as conn:
        return [event.kind for event in events.after(conn, 0, limit=10_000)]


def copied(store: Store, fresh: Store) -> Store:
    """Return ``fresh`` with all rows of ``store``: a backup, or its restoration."""
    with store.read() as source, fresh.begin() as target:
        target.execute(delete(chain_heads))
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in source.execute(select(table))]
            if rows:
                target.execute(insert(table), rows)
            if (
                fresh.dialect == "postgresql"
                and "id" in table.c
                and rows
                and table.name != "chain_heads"
            ):
                top = max(row["id"] for row in rows)
                target.execute(text(f"SELECT setval('{table.name}_id_seq', {top})"))
    return fresh


def swap_store(side: Side, store: Store) -> None:
    """Let a gateway go on with other books: what a restored backup amounts to."""
    side.desk = replace(side.desk, store=store)
    side.worker = replace(side.worker, desk=side.desk)
