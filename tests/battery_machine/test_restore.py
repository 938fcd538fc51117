"""A gateway that comes back from an older backup gets everything back, and counts nothing twice."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from gateway.app import open_gateway
from gateway.exchange.reconcile import reconcile_due
from gateway.store import BalanceState, balances
from tests.battery_machine.clocks import CACHE_SECONDS
from tests.battery_machine.commands import eco
from tests.battery_machine.pair import Pair
from tests.crash.checker import broken_promises
from tests.crash.processes import COMMANDS

pytestmark = pytest.mark.slow

PASSPHRASE = {"ECO_BACKUP_PASSPHRASE": "of this test only"}
BY_DESIGN = re.compile(
    r"delivered [2-9] times|was told [2-9]×|the feed of events has a gap|is stored for nobody"
)
"""What a restoration leaves behind by design: a message that was delivered anew, its receipt of
before, and a gap that tells the national system that it has to ask for events again."""


ROUNDS = 20
ROUND_SECONDS = 4.0
"""A response whose certificate is not back yet waits longer than this, for a later round."""
RESTORED = {"sqlite": "KE", "postgresql": "ZM"}
"""Each direction once among real processes; tests/reconcile has both on both engines."""


def test_a_side_restored_from_an_older_backup_is_what_its_peer_holds_receipts_for(
    pair: Pair, tmp_path: Path
):
    if not pair.clocks.can_be_set:
        pytest.skip("libfaketime is not installed, and books are compared on the next day")
    country = RESTORED[pair.databases.engine]
    serial = pair.exchange()
    pair.settle()
    backup = tmp_path / "backup.eco"
    made = _eco(pair, country, "backup", str(backup))
    pair.exchange()
    lost = pair.exchange()
    pair.write_off(serial, f"{serial}/2")
    pair.settle()
    _restore(pair, country, backup, made["signer_sha256"])
    _compare_books(pair)
    if country == "KE":  # whose customs system says once more what it is not sure of
        known = pair.told[f"{lost}/1"]
        assert pair.write_off(lost, f"{lost}/1") == known
    books = pair.books()
    found = broken_promises(books["ZM"], books["KE"], pair.told, pair.used)
    assert [each for each in found if not BY_DESIGN.search(each)] == []
    pair.assert_logs_tell_nothing()


def _eco(pair: Pair, country: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = eco(pair, country, *arguments, secrets=PASSPHRASE)
    return found


def _restore(pair: Pair, country: str, backup: Path, signer: str) -> None:
    """Replace a gateway by its restored self, as an operator does on a new host."""
    for command in COMMANDS:
        pair.crew.kill(country, command)
    stage, url = pair.crew.stage, _empty_database(pair, country)
    stage.gateways[country].close()
    home = stage.home(country)
    restored = home.with_name(f"restored-{country}")
    _eco(
        pair,
        country,
        "restore",
        str(backup),
        str(restored),
        "--verify",
        "--signer",
        signer,
        "--store-url",
        url,
    )
    home.rename(home.with_name(f"lost-{country}"))
    restored.rename(home)
    pair.databases.urls[country] = url
    stage.gateways[country] = open_gateway(home)
    now_open = make_url(stage.gateways[country].settings.store_url)
    assert now_open.database == make_url(url).database
    for command in COMMANDS:
        pair.crew.start(country, command)


def _empty_database(pair: Pair, country: str) -> str:
    server = pair.databases.server
    if server is None:
        return f"sqlite:///{pair.databases.file(country).with_name('restored.db')}"
    name = f"restored_{country.lower()}"
    server.run(f"CREATE DATABASE {name}")
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


def _compare_books(pair: Pair) -> None:
    """Let the day end, and hours pass until both sides have agreed on it."""
    off = max(pair.clocks.off.values()) + timedelta(days=1)
    for hours in range(ROUNDS):
        for country in ("ZM", "KE"):
            pair.clocks.set(country, off + timedelta(hours=hours + 2))
        time.sleep(CACHE_SECONDS + 0.2)
        for country in ("ZM", "KE"):
            reconcile_due(pair.gateway(country).desk, "test")
        if _drains(pair) and _states(pair) == {BalanceState.AGREED}:
            return
    raise AssertionError(f"not agreed: {_states(pair)}\n{pair.crew.log()}")


def _states(pair: Pair) -> set[BalanceState]:
    found = set()
    for country in ("ZM", "KE"):
        with pair.gateway(country).store.read() as conn:
            found |= {balance.state for balance in balances.page(conn)}
    return found


def _drains(pair: Pair) -> bool:
    """Return whether nothing waits any more; what waits for the next round is left to it."""
    end = time.monotonic() + ROUND_SECONDS
    while pair.backlog():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
