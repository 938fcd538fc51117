"""Scaling with processes: whole exchanges without a wire, by one process and by two."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.contestants.process import Program, running
from bench.gateways import COUNTRIES, OTHER_RECEIVER, RECEIVER, SENDER, Database, Side, gateways
from bench.harness import Batch, Work, measure
from bench.material import Shared, disk_folder
from bench.scaling_program import WORK
from gateway.store import DeliveryState, outbox

SCALING = "whole exchanges without a wire, both sides"
SECONDS = 0.4


def exchanges_by(database: Database, processes: int) -> str:
    """Return the name of the measure of whole exchanges by so many processes."""
    return f"whole exchange, {database}, {'one process' if processes == 1 else 'two processes'}"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Is two processes on the same books, each with a peer of its own."""

    sides: Mapping[str, Side]
    programs: Sequence[Program]
    threads: ThreadPoolExecutor

    def exchange(self, processes: int) -> Batch:
        """Return the times of exchanges made by so many processes at once."""
        chosen = self.programs[:processes]
        found = list(self.threads.map(lambda one: one.repeat(WORK, SECONDS), chosen))
        rates = [len(batch.singles) / sum(batch.singles) for batch in found]
        return Batch(1 / sum(rates), [single for batch in found for single in batch.singles])

    def require_delivery(self) -> None:
        """Stop where a message was refused or failed: that costs less than what is measured."""
        with self.sides[SENDER].gateway.store.read() as conn:
            for state in (DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.RETRYING):
                if outbox.page(conn, state=state, limit=1):
                    raise RuntimeError(f"exchanges without a wire ended {state}")


@contextmanager
def _pair(database: Database) -> Iterator[Pair]:
    with ExitStack() as stack:
        sides = stack.enter_context(gateways(database, COUNTRIES))
        folder = stack.enter_context(disk_folder())
        threads = stack.enter_context(ThreadPoolExecutor(2))
        programs = []
        for number, destination in enumerate((RECEIVER, OTHER_RECEIVER)):
            command = _command(sides, destination, first=1 + 400_000 * number)
            programs.append(stack.enter_context(running(command, folder, f"scaling-{number}")))
        pair = Pair(sides=sides, programs=programs, threads=threads)
        yield pair
        pair.require_delivery()


def _command(sides: Mapping[str, Side], destination: str, *, first: int) -> list[str]:
    sender = sides[SENDER]
    receivers = [f"--receiver={sides[country].home}" for country in (RECEIVER, OTHER_RECEIVER)]
    return [
        sys.executable,
        "-m",
        "bench.scaling_program",
        f"--sender={sender.home}",
        *receivers,
        f"--destination={destination}",
        f"--fingerprint={sender.tls_fingerprint}",
        f"--first={first}",
    ]


PAIRS = {
    Database.SQLITE: Shared(lambda: _pair(Database.SQLITE)),
    Database.POSTGRESQL: Shared(lambda: _pair(Database.POSTGRESQL)),
}


def _register(database: Database, processes: int) -> None:
    def work() -> Iterator[Work]:
        with PAIRS[database]() as pair:
            yield lambda: pair.exchange(processes)

    measure(exchanges_by(database, processes), group=SCALING, least=1)(work)


for _database in Database:
    for _processes in (1, 2):
        _register(_database, _processes)
