"""Soak: two gateways as real processes, certificates one way and responses the other, for long.

    python -m bench soak --messages 20000                 # memory over a long stream
    python -m bench soak --messages 2000 --kills 50       # processes killed with SIGKILL meanwhile

At the end both books are compared, row by row and byte by byte.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from bench.books import faults
from bench.crew import COMMANDS, QUICK_DELIVERY, Chaos, Crew, Role, crew_of
from bench.gateways import RECEIVER, SENDER, Database, Side, gateways
from bench.kept import keep
from bench.material import Documents
from gateway.documents import CertificateOfOrigin, UtilisationStatus
from gateway.documents.base import Quantity
from gateway.documents.customs_response import Declaration
from gateway.errors import BusyError
from gateway.exchange.context import Desk
from gateway.exchange.outbound import Submission, submit_document
from gateway.exchange.receipts import to_minute
from gateway.exchange.responding import CustomsAction, WriteOff, respond
from gateway.store import Side as RegisterSide
from gateway.store import certificates, outbox
from tests.factories import customs_response

ENGINES = {"sqlite": Database.SQLITE, "postgresql": Database.POSTGRESQL}
SETTLED_AFTER = 2_000
"""Messages after which memory is expected to stay as it is."""
ANSWER_EVERY = 10
UNDER_WAY = 60
SAMPLE_SECONDS = 1.0
PATIENCE_SECONDS = 300.0
SHOWN = 20


@dataclass
class Soak:
    """Is a stream of messages between two gateways, and what was seen of it.

    Attributes:
        told: ids of the messages that national systems were told are accepted.
        samples: messages accepted until then, and memory by process.
    """

    sides: Mapping[str, Side]
    crew: Crew
    chaos: Chaos | None
    told: list[str] = field(default_factory=list)
    waiting: list[CertificateOfOrigin] = field(default_factory=list)
    samples: list[tuple[int, dict[Role, int]]] = field(default_factory=list)
    _sampled: float = 0.0

    def stream(self, messages: int, kills: int) -> None:
        """Submit until so many messages are accepted and so many processes killed."""
        documents = Documents()
        while len(self.told) < messages or len(self.crew.killed) < kills:
            self._watch()
            if self._open() >= UNDER_WAY:
                time.sleep(0.02)
                continue
            document = documents.next()
            self._tell(partial(submit_document, self._desk(SENDER), document))
            if len(self.told) % ANSWER_EVERY == 0:
                self.waiting.append(document)
            self._answer()

    def settle(self) -> None:
        """Wait until nothing is under way any more.

        Raises:
            RuntimeError: it takes too long.
        """
        over = time.monotonic() + PATIENCE_SECONDS
        while self._open() or self.waiting:
            self._watch(striking=False)
            self._answer()
            if time.monotonic() > over:
                raise RuntimeError(f"{self._open()} messages did not come through")
            time.sleep(0.05)
        self._sample()

    def growth(self) -> dict[Role, int]:
        """Return how much memory each process gained since the stream had settled."""
        settled = [memory for count, memory in self.samples if count >= SETTLED_AFTER]
        if not settled:
            return {}
        first, last = settled[0], settled[-1]
        return {role: last[role] - first[role] for role in last if role in first}

    def _desk(self, country: str) -> Desk:
        return self.sides[country].gateway.desk

    def _open(self) -> int:
        total = 0
        for side in self.sides.values():
            with side.gateway.store.read() as conn:
                total += sum(outbox.backlog(conn).values())
        return total

    def _tell(self, submit: Callable[[], Submission]) -> None:
        """Submit as a national system does: again where the books were busy."""
        while True:
            try:
                self.told.append(submit().message_id or "")
            except BusyError:
                time.sleep(0.05)
            else:
                return

    def _answer(self) -> None:
        """Let customs write something off of the oldest chosen certificate, once it is there."""
        if not self.waiting:
            return
        serial = self.waiting[0].serial_number
        with self.sides[RECEIVER].gateway.store.read() as conn:
            there = certificates.find(conn, RegisterSide.RECEIVED, SENDER, serial)
        if there is not None:
            document = self.waiting.pop(0)
            self._tell(lambda: respond(self._desk(RECEIVER), _action(document)))

    def _watch(self, *, striking: bool = True) -> None:
        if self.chaos is not None and striking:
            self.chaos.strike()
        elif self.chaos is None:
            self.crew.require_alive()
        if time.monotonic() - self._sampled > SAMPLE_SECONDS:
            self._sample()

    def _sample(self) -> None:
        self._sampled = time.monotonic()
        self.samples.append((len(self.told), self.crew.resident()))


def _action(document: CertificateOfOrigin) -> CustomsAction:
    now, template = to_minute(datetime.now(UTC)), customs_response()
    some = Quantity(value=100, unit="KGM")
    return CustomsAction(
        issuing_country=SENDER,
        serial_number=document.serial_number,
        status=UtilisationStatus.PARTIAL,
        reference=f"{document.serial_number}/1",
        decided_at=now,
        customs_authority=template.customs_authority,
        officer=template.officer,
        items=(WriteOff(number=1, quantity=some),),
        declaration=Declaration(
            number=f"KE2026{document.serial_number[-6:]}",
            declared_on=now.date(),
            office_code="KE-KRA-NMG",
        ),
    )


def main(words: Sequence[str]) -> int:
    """Run a soak and say what was found; the status is 1 when the books differ."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument(
        "--kills", type=int, nargs="?", const=50, default=0, help="processes to kill (50)"
    )
    parser.add_argument("--engine", choices=sorted(ENGINES), default="sqlite")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--keep", action="store_true", help="keep what was found for the page")
    asked = parser.parse_args(words)
    begun = time.monotonic()
    with gateways(ENGINES[asked.engine], (SENDER, RECEIVER), delivery=QUICK_DELIVERY) as sides:
        roles = [(country, command) for country in sides for command in COMMANDS]
        with crew_of(sides, roles) as crew:
            chaos = Chaos(crew, asked.seed) if asked.kills else None
            soak = Soak(sides, crew, chaos)
            soak.stream(asked.messages, asked.kills)
            soak.settle()
        urls = {country: side.gateway.settings.store_url for country, side in sides.items()}
        found = faults(urls, soak.told)
    for line in _lines(soak, asked, found, time.monotonic() - begun):
        print(line)
    if asked.keep:
        keep("soak --kills" if asked.kills else "soak", _values(soak, asked, found))
    return int(bool(found))


def _values(soak: Soak, asked: argparse.Namespace, found: list[str]) -> dict[str, object]:
    last = soak.samples[-1][1]
    return {
        "engine": asked.engine,
        "messages": len(soak.told),
        "kills": len(soak.crew.killed),
        "faults": len(found),
        "largest_worker_bytes": max(last[role] for role in last if role[1] == "work"),
        "largest_growth_bytes": max(soak.growth().values(), default=0),
    }


def _lines(soak: Soak, asked: argparse.Namespace, found: list[str], took: float) -> list[str]:
    last, growth = soak.samples[-1][1], {} if asked.kills else soak.growth()
    kills = f"{len(soak.crew.killed)} processes killed (seed {asked.seed})"
    lines = [f"{len(soak.told):,} messages in {took:,.0f} s on {asked.engine}, {kills}"]
    for role, memory in sorted(last.items()):
        grown = f", {growth[role] / 1e6:+.2f} MB since" if role in growth else ""
        after = f" message {SETTLED_AFTER:,}" if grown else ""
        lines.append(f"  {' '.join(role):10} {memory / 1e6:7.1f} MB{grown}{after}")
    lines.append(f"{len(found)} faults in the books" + (":" if found else ""))
    return [*lines, *(f"  {one}" for one in found[:SHOWN])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
