"""The database goes away, is locked or has no room while both gateways work."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest

from gateway.errors import ConfigError, PeerFaultError
from gateway.exchange.outbound import submit_document
from gateway.store import DeliveryState
from gateway.transport import PeerEndpoint, PeerTransport
from tests.battery_machine.databases import COUNTRIES
from tests.battery_machine.pair import LOCK_WAIT_SECONDS, Pair, a_certificate

pytestmark = pytest.mark.slow

OUTAGE_SECONDS = 1.5
MOST_BUSY_SECONDS = 12.0
"""The wait of these homes for a lock, with all that a busy machine adds; 15 s is the default."""


def fault_of(endpoint: PeerEndpoint, envelope: bytes) -> PeerFaultError:
    """Return the fault with which the listener at ``endpoint`` answers an envelope."""
    patient = replace(endpoint, read_timeout=25.0, total_timeout=25.0)
    with closing(PeerTransport()) as transport, pytest.raises(PeerFaultError) as caught:
        transport.send(patient, envelope)
    return caught.value


def _assert_busy(fault: PeerFaultError) -> None:
    assert (fault.peer_code, fault.peer_retryable) == ("BUSY", True)
    assert fault.retry_after


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_BUSY_while_the_database_server_is_away_and_all_goes_on_when_it_is_back(
    pair: Pair, mode: str
):
    server = pair.databases.server
    if server is None:
        pytest.skip("SQLite has no server that could stop")
    endpoint, envelope = pair.endpoint("ZM"), pair.envelope(pair.told[pair.exchange()])
    refused = pair.busy
    with pair.traffic():
        server.stop(mode)
        _assert_busy(fault_of(endpoint, envelope))
        time.sleep(OUTAGE_SECONDS)
        server.start()
        time.sleep(OUTAGE_SECONDS)
    pair.settle()
    assert pair.busy > refused, "the national systems noticed nothing"


def test_BUSY_while_another_holds_the_database_for_longer_than_anyone_waits(pair: Pair):
    if pair.databases.engine != "sqlite":
        pytest.skip("tests/crash/test_database_errors.py has locked tables of PostgreSQL")
    endpoint, envelope = pair.endpoint("ZM"), pair.envelope(pair.told[pair.exchange()])
    pair.settle()
    began = time.monotonic()
    with pair.databases.locked("KE"):
        serial = pair.submit()
        fault = fault_of(endpoint, envelope)
        waited = time.monotonic() - began
        has_arrived = pair.has_arrived(serial)  # as soon as the lock is gone it may
    _assert_busy(fault)
    assert waited >= LOCK_WAIT_SECONDS
    assert waited <= MOST_BUSY_SECONDS
    assert not has_arrived
    pair.settle()


def test_BUSY_while_the_disk_of_the_books_is_full_and_nothing_is_acknowledged(pair: Pair):
    kenya, zambia = (pair.databases.disks[country] for country in ("KE", "ZM"))
    if not kenya.is_small:
        pytest.skip("a disk small enough to fill needs root, who may mount one")
    endpoint = pair.endpoint("ZM")
    kenya.fill()
    refused = _until_refused(pair)
    _assert_busy(fault_of(endpoint, pair.envelope(refused)))
    zambia.fill()
    turned_away = pair.busy
    with pair.traffic():
        pair.wait(lambda: pair.busy > turned_away)
        for disk in (zambia, kenya):
            disk.free()
    pair.settle()


def _until_refused(pair: Pair) -> str:
    """Submit until Kenya has no room left; return the id of a message that it could not take."""
    for _ in range(40):
        message_id = pair.told[pair.submit()]
        pair.wait(lambda: pair.state("ZM", message_id)[0] not in _UNTRIED)  # noqa: B023
        if pair.state("ZM", message_id) == (DeliveryState.RETRYING, "BUSY"):
            return message_id
    raise AssertionError("a full disk took everything")


_UNTRIED = (DeliveryState.QUEUED, DeliveryState.SENDING)


def test_CONFIGURATION_without_its_journal_a_gateway_takes_nothing_from_anybody(pair: Pair):
    envelope_of_zambia = pair.envelope(pair.told[pair.exchange()])
    pair.settle()
    endpoint = pair.endpoint("ZM")
    desk, document = pair.gateway("ZM").desk, a_certificate(pair)
    with _without_journal(pair, "KE"):
        serial = pair.submit()
        assert fault_of(endpoint, envelope_of_zambia).peer_code == "CONFIGURATION"
        assert not pair.has_arrived(serial)
    with _without_journal(pair, "ZM"), pytest.raises(ConfigError):
        submit_document(desk, document)
    pair.settle()


@contextmanager
def _without_journal(pair: Pair, country: str) -> Iterator[None]:
    _administer(pair, country, "ALTER TABLE journal RENAME TO journal_elsewhere")
    try:
        yield
    finally:
        _administer(pair, country, "ALTER TABLE journal_elsewhere RENAME TO journal")


def _administer(pair: Pair, country: str, statement: str) -> None:
    if pair.databases.engine == "sqlite":
        with closing(sqlite3.connect(pair.databases.file(country), timeout=20)) as plain:
            plain.execute(statement)
        return
    with psycopg.connect(pair.databases.urls[country], autocommit=True) as conn:
        conn.execute(statement.encode())


def test_both_disks_are_those_of_the_books(pair: Pair):
    for country in COUNTRIES:
        disk = pair.databases.disks[country]
        used = sum(file.stat().st_size for file in disk.folder.rglob("*") if file.is_file())
        assert used > 500_000, "filling it up would prove nothing"
