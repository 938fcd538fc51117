"""What is stored comes back as it was, and one key stands for every spelling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, insert, select

from gateway.store import Store, canonical_key
from gateway.store.states import DeliveryState
from gateway.store.types import EnumText, ExactDecimal, JsonText, UtcMoment

table = Table(
    "samples",
    MetaData(),
    Column("moment", UtcMoment),
    Column("number", ExactDecimal),
    Column("state", EnumText(DeliveryState)),
    Column("facts", JsonText),
)


@pytest.fixture
def samples(store: Store) -> Iterator[Store]:
    with store.begin() as conn:
        table.create(conn)
    yield store
    with store.begin() as conn:
        table.drop(conn)


@pytest.mark.parametrize(
    "number",
    ["0", "0.000001", "123456789012345.123456", "12000.50", "-6000", "1E+3", "0.1"],
)
def test_a_decimal_keeps_every_digit(samples: Store, number: str) -> None:
    with samples.begin() as conn:
        conn.execute(insert(table).values(number=Decimal(number)))
        back = conn.execute(select(table.c.number)).scalar_one()
    assert isinstance(back, Decimal)
    assert back == Decimal(number)


def test_a_moment_comes_back_as_utc_and_sorts_by_time(samples: Store) -> None:
    east = timezone(timedelta(hours=3))
    moments = [
        datetime(2026, 3, 10, 12, 0, tzinfo=east),
        datetime(2026, 3, 10, 9, 30, 0, 5, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, tzinfo=UTC),
    ]
    with samples.begin() as conn:
        conn.execute(insert(table), [{"moment": moment} for moment in moments])
        back = list(conn.execute(select(table.c.moment).order_by(table.c.moment)).scalars())
    assert back == sorted(moments)
    assert all(moment.utcoffset() == timedelta(0) for moment in back)


def test_a_naive_moment_or_a_foreign_state_is_our_own_mistake(samples: Store) -> None:
    from gateway.errors import GatewayError

    for values in ({"moment": datetime(2026, 1, 1)}, {"state": "SLEEPING"}):  # noqa: DTZ001
        with pytest.raises((ValueError, GatewayError)), samples.begin() as conn:
            conn.execute(insert(table).values(**values))


def test_states_and_facts_come_back_as_they_were(samples: Store) -> None:
    facts = {"b": [1, None, True], "a": "é ع", "n": {}}
    with samples.begin() as conn:
        conn.execute(insert(table).values(state=DeliveryState.HELD, facts=facts))
        row = conn.execute(select(table.c.state, table.c.facts)).one()
    assert row.state is DeliveryState.HELD
    assert row.facts == facts


@pytest.mark.parametrize(
    "spelling",
    [
        "ZM-20260309-000123",
        " zm-20260309-000123 ",
        "ZM–20260309—000123",
        "ＺＭ－２０２６０３０９－０００１２３",
        "zm\u20112026\u200b0309\u2212000123",
        "ZM-٢٠٢٦٠٣٠٩-٠٠٠١٢٣",
    ],
)
def test_every_spelling_of_a_serial_has_one_key(spelling: str) -> None:
    assert canonical_key(spelling) == "ZM-20260309-000123"


@pytest.mark.parametrize(("one", "other"), [("A 1", "A1"), ("A-1", "A1"), ("AO", "A0")])
def test_different_numbers_keep_different_keys(one: str, other: str) -> None:
    assert canonical_key(one) != canonical_key(other)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    assert canonical_key(canonical_key(text)) == canonical_key(text)
