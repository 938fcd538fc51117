"""Whole round trips: submitted, delivered over mutual TLS to another process, receipt recorded.

Each database has one sending gateway with two sender processes, and two receiving gateways with
a listener process each.  Two senders work on the same database and deliver whatever is due.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import IO

from bench.exchange import ACCEPT_LIMITS, COMMIT, PREPARE_LIMITS, RECEIPT_LIMITS
from bench.gateways import (
    COUNTRIES,
    OTHER_RECEIVER,
    RECEIVER,
    SENDER,
    Database,
    Side,
    gateways,
    listening,
)
from bench.harness import Batch, Work, measure
from bench.material import Shared
from bench.memory import processor_seconds
from bench.sender import Account, Order
from bench.wire_limit import TLS_LIMIT
from gateway.transport import Channel, PeerTransport

TRIPS = "whole round trips, over mutual TLS"
WIRE = "the wire, kept connection"
CHANNEL_NAMES: Mapping[Channel, str] = {Channel.SOAP: "SOAP 1.2", Channel.REST: "REST"}
BATCH = 6
CPU = "processor_microseconds"
"""Names the processor time of both sides per message, where the database is a file."""


class Senders(Enum):
    """Says where each sender process submits to; what is due, any of them delivers."""

    ONE = (RECEIVER,)
    TWO = (RECEIVER, OTHER_RECEIVER)
    TWO_TO_ONE_PEER = (RECEIVER, RECEIVER)

    @property
    def words(self) -> str:
        """The same in words."""
        if self is Senders.ONE:
            return "one process"
        return f"two processes, {'two peers' if self is Senders.TWO else 'one peer'}"


def trip_on(database: Database, channel: Channel, senders: Senders) -> str:
    """Return the name of the measure of whole round trips."""
    return f"{CHANNEL_NAMES[channel]}, {database}, {senders.words}"


def ping_over(channel: Channel) -> str:
    """Return the name of the measure of an empty call."""
    return f"ping over {CHANNEL_NAMES[channel]}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Is a sending gateway with its sender processes, and receivers that listen."""

    sides: Mapping[str, Side]
    senders: Sequence[subprocess.Popen[str]]
    listeners: Sequence[int]

    def send(self, channel: Channel, senders: Senders, count: int = BATCH) -> Batch:
        """Return the times of a batch of ``count`` messages for each sender."""
        chosen = self.senders[: len(senders.value)]
        before = self._used()
        for sender, destination in zip(chosen, senders.value, strict=True):
            order = Order(count=count, channel=channel, destination=destination)
            print(json.dumps(asdict(order)), file=_pipe(sender.stdin), flush=True)
        batch = batch_of([self._account(sender) for sender in chosen])
        used = (self._used() - before) / len(batch.singles)
        return replace(batch, facts={CPU: used * 1e6})

    def _used(self) -> float:
        """Return the seconds of a processor that senders and listeners have used."""
        own = [*self.listeners, *(sender.pid for sender in self.senders)]
        return sum(processor_seconds(pid) for pid in own)

    def _account(self, sender: subprocess.Popen[str]) -> Account:
        line = _pipe(sender.stdout).readline()
        if not line:
            log = self.sides[SENDER].home / "senders.log"
            raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-4000:])
        return Account(**json.loads(line))


def batch_of(accounts: Sequence[Account]) -> Batch:
    """Return the times of messages, whichever sender submitted and whichever delivered them.

    Raises:
        RuntimeError: a message was begun and never ended.
    """
    begun = {key: at for account in accounts for key, at in account.begun.items()}
    ended = {key: at for account in accounts for key, at in account.ended.items()}
    if begun.keys() != ended.keys():
        raise RuntimeError(f"{len(begun.keys() - ended.keys())} messages were not delivered")
    elapsed = max(ended.values()) - min(begun.values())
    return Batch(elapsed / len(begun) / 1e3, [(ended[key] - begun[key]) / 1e3 for key in begun])


@contextmanager
def _stage(database: Database) -> Iterator[Stage]:
    with ExitStack() as stack:
        sides = stack.enter_context(gateways(database, COUNTRIES))
        receivers = [side for side in sides.values() if side.country != SENDER]
        listeners = stack.enter_context(listening(receivers, caller=sides[SENDER]))
        senders = [stack.enter_context(_sender(sides[SENDER], n)) for n in range(2)]
        yield Stage(sides=sides, senders=senders, listeners=listeners)


STAGES = {
    Database.SQLITE: Shared(lambda: _stage(Database.SQLITE)),
    Database.POSTGRESQL: Shared(lambda: _stage(Database.POSTGRESQL)),
}


@contextmanager
def _sender(side: Side, number: int) -> Iterator[subprocess.Popen[str]]:
    first = 1 + number * 400_000
    with (side.home / "senders.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.sender", "--home", side.home, "--first", str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        _pipe(process.stdin).close()
        process.wait()
        _pipe(process.stdout).close()


def _pipe(found: IO[str] | None) -> IO[str]:
    assert found is not None
    return found


def _trip(database: Database, channel: Channel, senders: Senders) -> Iterator[Work]:
    with STAGES[database]() as stage:
        stage.send(channel, senders, 2)
        yield lambda: stage.send(channel, senders)


def _ping(channel: Channel) -> Iterator[Work]:
    with STAGES[Database.SQLITE]() as stage:
        transport = PeerTransport()
        endpoint = stage.sides[SENDER].endpoint(RECEIVER, channel)
        yield lambda: transport.ping(endpoint)
        transport.close()


def _limits(database: Database) -> tuple[str, ...]:
    """Return what one exchange cannot do without: both sides, three commits, one TLS answer."""
    commits = (COMMIT[database],) * 3
    return (*PREPARE_LIMITS, *ACCEPT_LIMITS, *RECEIPT_LIMITS, *commits, TLS_LIMIT)


def _register(database: Database, channel: Channel, senders: Senders) -> None:
    register = measure(
        trip_on(database, channel, senders),
        group=TRIPS,
        limits=_limits(database) if senders is Senders.ONE else (),
        weight=3.0,
        least=2,
        is_warm=True,
    )
    register(lambda: _trip(database, channel, senders))


measure(ping_over(Channel.SOAP), group=WIRE, limits=(TLS_LIMIT,))(lambda: _ping(Channel.SOAP))
measure(ping_over(Channel.REST), group=WIRE, limits=(TLS_LIMIT,))(lambda: _ping(Channel.REST))
for _database in Database:
    for _channel in Channel:
        _register(_database, _channel, Senders.ONE)
        _register(_database, _channel, Senders.TWO)
    _register(_database, Channel.REST, Senders.TWO_TO_ONE_PEER)
