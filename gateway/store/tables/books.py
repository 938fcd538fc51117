"""The balances of reconciled days: one row per peer, direction, day and part."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, String, Table, UniqueConstraint

from gateway.store.states import BalanceState, BooksSide
from gateway.store.tables.base import (
    body_reference,
    choice,
    id_column,
    metadata,
    partial_index,
    reference,
)
from gateway.store.types import JsonText, UtcMoment

balances = Table(
    "balances",
    metadata,
    id_column(),
    reference("peer_id", "peers"),
    choice("side", BooksSide),
    Column("day", Date, nullable=False),
    Column("part", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("after", String(70)),
    Column("up_to", String(70)),
    choice("state", BalanceState),
    Column("round", Integer, nullable=False),
    Column("first_round", Integer, nullable=False),
    Column("due_at", UtcMoment),
    Column("counts", JsonText, nullable=False),
    Column("totals", JsonText, nullable=False),
    Column("differences", JsonText, nullable=False),
    Column("statement_id", String(70), index=True),
    Column("answer_id", String(70)),
    Column("created_at", UtcMoment, nullable=False),
    Column("updated_at", UtcMoment, nullable=False),
    body_reference("statement_sha256", nullable=True),
    body_reference("answer_sha256", nullable=True),
    UniqueConstraint("peer_id", "side", "day", "part"),
)
BALANCE_DUE = "due_at IS NOT NULL"
partial_index(
    "ix_balances_due",
    BALANCE_DUE,
    balances.c.due_at,
    balances.c.id,
)
Index("ix_balances_day_id", balances.c.day, balances.c.id)
