"""How fast a batch goes, and how much memory that takes: `python -m bench.batches [LINES]`.

One process takes the upload in over WSGI, as the listener does, and works it off, as `eco work`
does: RSA keys, full commits, the rules of the agreement.  A thread reads the resident memory of
the process ten times a second; what is reported is its growth over an idle gateway.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import structlog

from bench.material import postgres_database
from gateway.services.batches import BatchWorker
from gateway.store import Store
from gateway.trust.demo_pki import make_demo_pki
from tests.api.counter import WINDOW, make_front
from tests.exchange.corridor import make_corridor
from tests.factories import NOW, certificate


class Body:
    """Is an upload of many lines, made while it is read."""

    def __init__(self, lines: Iterator[bytes], size: int) -> None:
        self._lines = lines
        self._size = size
        self._rest = b""
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (self._size if whence else 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (line := next(self._lines, b"")):
            self._rest += line
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


class Memory(threading.Thread):
    """Watches the resident memory of this process."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.begun = self.now()
        self.most = 0

    @staticmethod
    def now() -> int:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()

    def run(self) -> None:
        while True:
            self.most = max(self.most, self.now())
            time.sleep(0.1)


def template() -> tuple[bytes, bytes]:
    raw = certificate().model_dump_json().encode()
    head, tail = raw.split(b"ZM-20260309-000123")
    return head, tail


def lines(count: int) -> Iterator[bytes]:
    head, tail = template()
    for number in range(1, count + 1):
        yield head + b"ZM-20260309-%06d" % number + tail + b"\n"


def measure(url: str, folder: Path, count: int) -> None:
    pki = make_demo_pki(folder, ("ZM", "KE"), now=NOW)
    stores = iter((Store.open(url), Store.open(f"sqlite:///{folder / 'ke.db'}")))

    def migrated() -> Store:
        store = next(stores)
        store.migrate()
        return store

    front = make_front(make_corridor(pki, migrated).zm.desk)
    head, tail = template()
    size = count * (len(head) + len(tail) + len(b"ZM-20260309-000123\n"))
    memory = Memory()
    memory.start()
    begun = time.monotonic()
    answer = front.client.post(
        "/api/v1/batches",
        input_stream=Body(lines(count), size),
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {front.tokens[WINDOW]}"},
    )
    taken = time.monotonic() - begun
    if answer.status_code != 202:
        raise SystemExit(answer.text)
    print(
        f"{front.desk.store.dialect}: {size / 1e6:.0f} MB taken in {taken:.1f} s,"
        f" memory +{(memory.most - memory.begun) / 1e6:.0f} MB",
        flush=True,
    )
    begun = time.monotonic()
    BatchWorker(name="bench", counter=front.counter, turn_seconds=5.0).run()
    seconds = time.monotonic() - begun
    got = front.get(answer.json["links"]["batch"].removeprefix("/api/v1")).json
    print(
        f"{front.desk.store.dialect}: {got['lines']} lines, {got['accepted']} accepted,"
        f" in {seconds:.1f} s = {count / seconds:.0f}/s,"
        f" memory +{(memory.most - memory.begun) / 1e6:.0f} MB, peak {memory.most / 1e6:.0f} MB",
        flush=True,
    )


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("lines", type=int, nargs="?", default=20_000)
    given.add_argument("--postgresql", action="store_true", help="SQLite unless given")
    asked = given.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'zm.db'}"
        if asked.postgresql:
            url = open_things.enter_context(postgres_database("eco_bench_batches"))
        measure(url, folder, asked.lines)


if __name__ == "__main__":
    sys.exit(main())
