"""Clocks that are wrong, leap and are set back while both gateways work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.store import DeliveryState
from tests.battery_machine.clocks import CACHE_SECONDS
from tests.battery_machine.pair import Pair

pytestmark = pytest.mark.slow

TAKEN_UP = CACHE_SECONDS + 0.2


@pytest.fixture(autouse=True)
def right_clocks(pair: Pair) -> Iterator[None]:
    """Leaves both clocks right, whatever becomes of the test."""
    if not pair.clocks.can_be_set:
        pytest.skip("libfaketime is not installed")
    pair.settle()
    yield
    _set(pair, timedelta(), "ZM", "KE")


def _set(pair: Pair, off: timedelta, *countries: str) -> None:
    for country in countries:
        pair.clocks.set(country, off)
    time.sleep(TAKEN_UP)


def _codes(pair: Pair, country: str) -> dict[str, list[str]]:
    """Return the codes of all attempts by message id."""
    books = pair.books()[country]
    ids = {row["id"]: row["message_id"] for row in books["dispatches"]}
    found: dict[str, list[str]] = {}
    for row in sorted(books["attempts"], key=lambda row: row["id"]):
        found.setdefault(ids[row["dispatch_id"]], []).append(row["code"])
    return found


@pytest.mark.parametrize("minutes", [4, -4])
def test_clocks_that_differ_by_four_minutes_cost_no_attempt(pair: Pair, minutes: int):
    _set(pair, timedelta(minutes=minutes), "ZM")
    known = {country: _codes(pair, country) for country in ("ZM", "KE")}
    pair.exchange()
    pair.exchange()
    pair.settle()
    for country, before in known.items():
        new = {i: codes for i, codes in _codes(pair, country).items() if i not in before}
        assert len(new) == 2
        assert set(map(tuple, new.values())) == {("DELIVERED",)}


def test_FUTURE_MESSAGE_a_clock_ten_minutes_ahead_is_named_and_time_alone_mends_it(pair: Pair):
    _set(pair, timedelta(minutes=10), "ZM")
    message_id = pair.told[pair.submit()]
    expected = (DeliveryState.RETRYING, "FUTURE_MESSAGE")
    pair.wait(lambda: pair.state("ZM", message_id) == expected)
    (skew,) = (check for check in _doctor(pair, "ZM") if check["check"] == "clock-skew")
    assert skew["outcome"] == "FAIL"
    _set(pair, timedelta(minutes=6), "ZM", "KE")  # six minutes later; Zambia's clock is right
    pair.settle()


def _doctor(pair: Pair, country: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "gateway", "doctor", "--json", "--home"]
    done = subprocess.run(
        [*command, str(pair.crew.stage.home(country))],
        capture_output=True,
        check=False,
        env={**os.environ, **pair.crew.environment[country]},
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return found


def test_a_clock_set_back_by_an_hour_freezes_neither_retries_nor_parked_lanes(pair: Pair):
    leader = pair.crew.running["KE", "serve"].pid
    os.killpg(leader, signal.SIGSTOP)
    try:
        serial = pair.submit()
        pair.clocks.set("ZM", timedelta(hours=1))
        message_id = pair.told[serial]
        pair.wait(lambda: _next_attempt(pair, message_id) > timedelta(minutes=50))
        _set(pair, timedelta(), "ZM")
    finally:
        os.killpg(leader, signal.SIGCONT)
    pair.wait(lambda: pair.has_arrived(serial), 20)
    pair.settle()


def _next_attempt(pair: Pair, message_id: str) -> timedelta:
    """Return how far away the next attempt at a message that failed is by a right clock."""
    (row,) = (r for r in pair.books()["ZM"]["dispatches"] if r["message_id"] == message_id)
    if row["state"] != DeliveryState.RETRYING:
        return timedelta()
    due = row["due_at"]
    moment = datetime.fromisoformat(due) if isinstance(due, str) else due
    return moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)


def test_a_leap_past_every_certificate_holds_messages_back_and_refuses_none(pair: Pair):
    _set(pair, timedelta(days=365 * 30), "KE")
    message_id = pair.told[pair.submit()]
    pair.wait(lambda: pair.state("ZM", message_id)[0] is DeliveryState.RETRYING)
    assert pair.state("ZM", message_id)[1] in ("TLS", "SIGNER_EXPIRED", "CLIENT_CERTIFICATE")
    _set(pair, timedelta(), "KE")
    pair.settle()
