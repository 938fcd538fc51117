"""How fast the national side is answered beside an archive: `python -m bench.api [EXPONENT …]`.

One client asks one gateway over WSGI, one request at a time, as a thread of the listener would be
asked: RSA keys, full commits, every rule and the search index.  TLS and sockets are not in it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from bench.archive_rows import fill, fill_search_keys
from bench.material import disk_folder, postgres_database
from gateway.store import Store
from gateway.trust.demo_pki import make_demo_pki
from tests.api.counter import Front, make_front
from tests.exchange.corridor import Corridor, make_corridor
from tests.factories import NOW, certificate

REQUESTS = 300
WARM = 20
SEEN = 50


class Question(StrEnum):
    """Names what is asked."""

    SUBMIT = "submit"
    DRY_RUN = "dry run"
    BY_SERIAL = "search by serial number"
    BY_EXPORTER = "search by exporter, 50 of many"
    NEWEST = "newest 50"
    ONE = "one certificate"
    TIMELINE = "timeline"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Is what a question took, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: list[float]) -> Timing:
        """Return the timing of so many answers."""
        ordered = sorted(1_000 * each for each in seconds)
        return cls(median=statistics.median(ordered), p95=ordered[int(len(ordered) * 0.95)])

    @property
    def per_second(self) -> float:
        """Requests a second of one client."""
        return 1_000 / self.median


class Client:
    """Asks one gateway, each time about another certificate."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._numbers = iter(range(1, 10**6))
        self._submitted: list[str] = []

    def submit(self) -> None:
        """Submit a new certificate."""
        serial = self._serial()
        document = certificate(serial_number=serial)
        self._require(202, self._front.submit(document))
        self._submitted.append(serial)

    def try_submission(self) -> None:
        """Ask what submitting a new certificate would give."""
        raw = certificate(serial_number=self._serial()).model_dump_json().encode()
        self._require(200, self._front.post("/certificates?dry_run=true", raw))

    def ask(self, path: str) -> None:
        """Look something up."""
        self._require(200, self._front.get(path))

    def one(self) -> str:
        """Return the address of a certificate that was submitted."""
        return f"/certificates/ZM/{self._submitted[next(self._numbers) % SEEN]}"

    def _serial(self) -> str:
        return f"ZM-20260309-{next(self._numbers):06d}"

    def _require(self, status: int, answer: object) -> None:
        if getattr(answer, "status_code", None) != status:
            raise SystemExit(getattr(answer, "text", "no answer"))


def questions(client: Client) -> dict[Question, Callable[[], None]]:
    """Return how each question is asked."""
    return {
        Question.SUBMIT: client.submit,
        Question.DRY_RUN: client.try_submission,
        Question.BY_SERIAL: lambda: client.ask("/certificates?serial=ZM-20260309-00001"),
        Question.BY_EXPORTER: lambda: client.ask("/certificates?exporter=COM-ZM17&limit=50"),
        Question.NEWEST: lambda: client.ask("/certificates?limit=50"),
        Question.ONE: lambda: client.ask(client.one()),
        Question.TIMELINE: lambda: client.ask(f"{client.one()}/timeline"),
    }


def measure(
    url: str, folder: Path, rows: int, *, requests: int
) -> Iterator[tuple[Question, Timing]]:
    """Yield how long each question takes beside ``rows`` certificates."""
    joined = corridor(url, folder)
    begun = time.monotonic()
    fill(url, rows, 1, now=NOW - timedelta(days=1))
    fill_search_keys(url)
    print(f"{rows} certificates written in {time.monotonic() - begun:.0f} s", flush=True)
    client = Client(make_front(joined.zm.desk))
    for _ in range(SEEN):
        client.submit()
    for question, asked in questions(client).items():
        for _ in range(WARM):
            asked()
        yield question, Timing.of([_seconds(asked) for _ in range(requests)])


def _seconds(asked: Callable[[], None]) -> float:
    begun = time.perf_counter()
    asked()
    return time.perf_counter() - begun


def corridor(url: str, folder: Path) -> Corridor:
    """Return two gateways joined in memory, the one that is measured on the database at ``url``."""
    pki = make_demo_pki(folder, ("ZM", "KE"), now=NOW)
    stores = iter((Store.open(url), Store.open(f"sqlite:///{folder / 'ke.db'}")))

    def migrated() -> Store:
        store = next(stores)
        store.migrate()
        return store

    return make_corridor(pki, migrated)


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("exponents", type=int, nargs="*", default=[3, 6])
    given.add_argument("--postgresql", action="store_true", help="SQLite unless given")
    given.add_argument("--requests", type=int, default=REQUESTS)
    asked = given.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    for exponent in asked.exponents:
        with ExitStack() as open_things:
            folder = open_things.enter_context(disk_folder())
            url = f"sqlite:///{folder / 'zm.db'}"
            if asked.postgresql:
                url = open_things.enter_context(postgres_database(f"eco_bench_api_{exponent}"))
            for question, took in measure(url, folder, 10**exponent, requests=asked.requests):
                print(
                    f"10^{exponent} {question:32} {took.median:8.2f} ms  p95 {took.p95:8.2f} ms"
                    f"  {took.per_second:7.0f}/s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
