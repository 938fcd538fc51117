"""One worker process against two, on each engine, with messages to many peers.

    python -m bench workers --messages 20 --rounds 3

The workers are started before the messages are queued, so that only their work is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench.crew import QUICK_DELIVERY, crew_of
from bench.gateways import RECEIVER, SENDER, Database, Side, gateways
from bench.kept import keep
from bench.peers import crowd, queue_messages, register_crowd
from gateway.store import outbox

PEERS = 40
READY_SECONDS = 3.0
PATIENCE_SECONDS = 300.0


@dataclass
class Crowded:
    """Is a gateway with many healthy peers.

    Attributes:
        sent: messages queued until now.
    """

    side: Side
    peer_ids: Sequence[int]
    sent: int = 0

    def seconds(self, workers: int, each: int) -> float:
        """Return how long so many workers take for ``each`` messages to every peer."""
        with ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(crew_of({SENDER: self.side}, [(SENDER, "work")]))
            time.sleep(READY_SECONDS)
            queue_messages(self.side.gateway.store, self.peer_ids, each, first=self.sent)
            self.sent += each * len(self.peer_ids)
            begun = time.monotonic()
            while self._open():
                if time.monotonic() - begun > PATIENCE_SECONDS:
                    raise RuntimeError(f"{self._open()} messages were not delivered")
                time.sleep(0.01)
            return time.monotonic() - begun

    def _open(self) -> int:
        with self.side.gateway.store.read() as conn:
            return sum(outbox.backlog(conn).values())


@contextmanager
def crowded(database: Database) -> Iterator[Crowded]:
    """Yield a gateway with many healthy peers on this kind of database."""
    with ExitStack() as stack:
        countries = (SENDER, RECEIVER)
        sides = stack.enter_context(gateways(database, countries, delivery=QUICK_DELIVERY))
        port = stack.enter_context(crowd(sides[RECEIVER]))
        keys = register_crowd(sides[SENDER], sides[RECEIVER], [port] * PEERS)
        yield Crowded(sides[SENDER], keys)


def main(words: Sequence[str]) -> int:
    """Measure in turn, one worker and two, and say what each engine gains."""
    parser = argparse.ArgumentParser(prog="python -m bench workers", description=__doc__)
    parser.add_argument("--messages", type=int, default=20, help="to each peer and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep what was found")
    asked = parser.parse_args(words)
    values: dict[str, float] = {}
    for database in Database:
        with crowded(database) as scene:
            pairs = [
                (scene.seconds(1, asked.messages), scene.seconds(2, asked.messages))
                for _ in range(asked.rounds)
            ]
        count = asked.messages * PEERS
        gain = median(one / two for one, two in pairs)
        rates = [median(count / pair[index] for pair in pairs) for index in (0, 1)]
        print(
            f"{database}: {rates[0]:.0f}/s with one worker, {rates[1]:.0f}/s with two: {gain:.2f}×"
            f" ({PEERS} peers, {count} messages, {asked.rounds} rounds)"
        )
        values[database] = gain
    if asked.keep:
        keep("workers", values)
    return 0
