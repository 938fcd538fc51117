"""Page weight and server time of the console: `python -m bench.console [EXPONENT …] [--keep]`.

Every GET page of the console's table is asked over WSGI, one request at a time, by a person who has
signed in with a second factor and holds the least role that may see it; a page that several roles
see is asked as each.  TLS and sockets are not in it.  The first page of a visit brings the style
sheet, the scripts and the seal with it: they are weighed once.  ``--keep`` writes
``docs/benchmarks/console.md``.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from bench.api import SEEN, Client, corridor
from bench.archive_rows import fill, fill_search_keys, fill_what_customs_did
from bench.material import disk_folder, postgres_database
from bench.report import ROOT, machine
from gateway.documents import UtilisationStatus
from gateway.operations.report_counts import count_reports, recount
from gateway.services.people.roles import RIGHTS_OF, Right
from gateway.store import PersonRole, Store, tallies
from gateway.web.console import PAGES
from gateway.web.console.pages import Method, Open, Page
from tests.api.counter import make_front
from tests.console.house import Browser, House, make_house
from tests.exchange.corridor import Corridor, decide
from tests.factories import NOW, certificate

KEPT: Final = ROOT / "docs" / "benchmarks" / "console.md"
REQUESTS: Final = 40
WARM: Final = 3
FLAT: Final = 2.0
"""So many times the time at the smallest archive a page may take and still be called flat."""

LEAST: Final = 15.0
"""Milliseconds below which no page is called steep: what differs there is not the archive."""

_ASSET: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_SERIAL: Final = "ZM-20260309-000123"
_ARCHIVED: Final = 1_001
_QUERIES: Final = {
    "find": (
        f"?q={_SERIAL}",
        "?q=COM-ZM17",
        "?q=Exporter+17",
        "?q=ZM-ARCHIVE-1",
        "?q=no+such+thing",
        "?q=4901",
    ),
    "reports": ("", "?first=2024-04&last=2026-03", "?first=2026-03&last=2026-03", "?country=KE"),
    "report_list": (
        "?of=ISSUED",
        "?of=USED&first=2024-04&last=2026-03",
        "?of=REASON&name=STAMP_SPECIMEN&first=2024-04&last=2026-03",
        "?of=CHAPTER&name=10&side=RECEIVED",
    ),
    "journal": (
        "",
        "?subject=KE-SW",
        "?actor=nobody",
        "?action=peer:added",
        "?since=2024-01-01&until=2024-02-01",
        "?actor=nobody&since=2024-01-01&until=2024-02-01",
    ),
    "messages": ("", "?state=FAILED", "?peer=KE-SW"),
    "attempts": ("", "?failed=yes"),
    "arrivals": ("", "?refused=yes"),
    "public_check": ("", f"?country=ZM&serial={_SERIAL}&issued_on=2026-03-09"),
}
"""Beside the page itself, what people ask it for."""


_TEXT: Final = """\
Milliseconds of the server for each page, {day}, {database}, over WSGI, one request at a time:
median, p95, and median of the processor's time; {cores} cores of {processor}, load {load} at the
end. A page is steep (bold) if the processor is busy for more than {times} times what it was beside
10^{first} certificates, and for more than {least} ms. Half of the certificates are issued, half
received; one of three was answered.

The first page with all that it loads has {whole} bytes, of which the page itself {alone}.
Counting all certificates for the reports from nothing: {counted}. To repeat:
`python -m bench.console --keep`, with `--postgresql` for the other database."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Is one page as one person asks for it."""

    name: str
    role: PersonRole | None
    address: str

    @property
    def title(self) -> str:
        """How the line begins."""
        who = "anybody" if self.role is None else self.role.value.lower().replace("_", " ")
        return f"{self.name} · {who} · {self.address}"


@dataclass(frozen=True, kw_only=True)
class Took:
    """Is what a page took: milliseconds, bytes, status of the answer.

    Attributes:
        busy: median of the processor's time, which others on the machine lengthen least.
    """

    median: float
    p95: float
    busy: float
    size: int
    status: int


def measure(house: House, *, requests: int) -> Iterator[tuple[Asked, Took]]:
    """Yield how each page fares."""
    for asked in _every(house):
        browser = house.browser() if asked.role is None else house.as_role(asked.role)
        for _ in range(WARM):
            browser.get(asked.address)
        taken = [_seconds(browser, asked.address) for _ in range(requests)]
        ordered = sorted(1_000 * wall for wall, _ in taken)
        answer = browser.get(asked.address)
        yield (
            asked,
            Took(
                median=statistics.median(ordered),
                p95=ordered[int(len(ordered) * 0.95)],
                busy=statistics.median(1_000 * busy for _, busy in taken),
                size=len(answer.get_data()),
                status=answer.status_code,
            ),
        )


def weigh(house: House) -> tuple[int, int]:
    """Return the bytes of the first page with all that it loads, and of the page alone."""
    browser = house.as_role(PersonRole.AUDITOR)
    page = browser.get("/").get_data(as_text=True)
    assets = {path: len(browser.get(path).get_data()) for path in set(_ASSET.findall(page))}
    return len(page.encode()) + sum(assets.values()), len(page.encode())


counted: Final[dict[int, float]] = {}
"""Seconds that counting for the reports took, by the number of certificates."""


def open_house(url: str, folder: Path, rows: int) -> House:
    """Return the console of a gateway with an archive, counted, and some traffic of its own."""
    joined = corridor(url, folder)
    front = make_front(joined.zm.desk)
    front.submit(certificate(serial_number=_SERIAL))
    _cross(joined)
    begun = time.monotonic()
    fill(url, rows, 1, now=NOW - timedelta(days=1))
    fill_what_customs_did(url)
    fill_search_keys(url)
    _say(f"{rows} certificates written", begun)
    client = Client(front)
    for _ in range(SEEN):
        client.submit()
    begun = time.monotonic()
    for _ in recount(front.desk, at=NOW):
        pass
    counted[rows] = time.monotonic() - begun
    _say(f"{rows} certificates counted for reports", begun)
    _fold(front.desk.store)
    count_reports(front.desk, at=NOW)
    house = make_house(front)
    house.enter("somebody", PersonRole.ISSUING_OFFICER)
    return house


def _cross(joined: Corridor) -> None:
    """Let one certificate cross and be half used, before the archive is there."""
    joined.zm.work()
    decide(joined.ke, UtilisationStatus.PARTIAL, "6000")
    joined.ke.work()


def _fold(store: Store) -> None:
    """Let the watch's counters by hour take in what came."""
    while True:
        with store.begin() as conn:
            if tallies.fold(conn, at=NOW) < tallies.BATCH:
                return


def _every(house: House) -> Iterator[Asked]:
    with house.front.desk.store.read() as conn:
        message = conn.exec_driver_sql(
            "SELECT message_id FROM dispatches WHERE document_number = "
            f"'{_SERIAL}' ORDER BY id LIMIT 1"
        ).scalar_one()
    places = {
        "country": "ZM",
        "serial": _SERIAL,
        "number": "1",
        "login": "somebody",
        "message": message,
        "message_id": message,
        "table": "pairs",
        "identifier": "KE-SW",
        "text": "ECO1.UNKNOWN",
    }
    for page in PAGES:
        if page.method is Method.GET:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: places[match[1]], page.path)
            for role in _roles(page):
                for query in _QUERIES.get(page.name, ("",)):
                    yield Asked(name=page.name, role=role, address=path + query)


def _roles(page: Page) -> tuple[PersonRole | None, ...]:
    """Return who asks: each of the roles that see different things, where they may."""
    if page.right is Open.PUBLIC:
        return (None,)
    if not isinstance(page.right, Right):
        return (PersonRole.ISSUING_OFFICER, PersonRole.AUDITOR)
    wanted = (
        PersonRole.ISSUING_OFFICER,
        PersonRole.CUSTOMS_OFFICER,
        PersonRole.OPERATOR,
        PersonRole.AUDITOR,
    )
    return tuple(role for role in wanted if page.right in RIGHTS_OF[role])


def _seconds(browser: Browser, address: str) -> tuple[float, float]:
    """Return by how much the clock went on, and for how long the processor was ours."""
    begun, busy = time.perf_counter(), time.process_time()
    browser.get(address)
    return time.perf_counter() - begun, time.process_time() - busy


def _say(what: str, begun: float) -> None:
    print(f"{what} in {time.monotonic() - begun:.0f} s", flush=True)


def page_of(found: dict[int, dict[Asked, Took]], weights: tuple[int, int], database: str) -> str:
    """Return the page that is kept: a line for each page, a pair of columns for each archive."""
    exponents = sorted(found)
    first, last = exponents[0], exponents[-1]
    facts, heads = machine(), " | ".join(f"10^{each} median | p95 | busy" for each in exponents)
    lines = [
        "# Pages of the console",
        "<!-- Written by `python -m bench.console --keep`. Run it, do not edit this page. -->",
        _TEXT.format(
            day=f"{datetime.now(UTC):%Y-%m-%d}",
            database=database,
            cores=facts["cores"],
            processor=facts["processor"],
            load=f"{os.getloadavg()[0]:.1f}",
            times=f"{FLAT:g}",
            first=first,
            least=f"{LEAST:g}",
            whole=f"{weights[0]:,}",
            alone=f"{weights[1]:,}",
            counted=", ".join(f"{rows:,} in {took:.0f} s" for rows, took in counted.items()),
        ),
        f"| page | bytes | {heads} |\n|---|--:|" + "--:|" * (3 * len(exponents)),
    ]
    rows = []
    for asked, took in found[last].items():
        cells = [
            f"{each.median:.1f} | {each.p95:.1f} | {each.busy:.1f}"
            for each in _each(found, exponents, asked)
        ]
        title = f"**{asked.title}**" if steep(found, asked) else asked.title
        rows.append(f"| {title} | {took.size:,} | {' | '.join(cells)} |")
    return "\n\n".join(lines) + "\n" + "\n".join(rows) + "\n"


def steep(found: dict[int, dict[Asked, Took]], asked: Asked) -> bool:
    """Return whether a page grows with the archive."""
    least, most = (found[each].get(asked) for each in (min(found), max(found)))
    return least is not None and most is not None and most.busy > max(LEAST, FLAT * least.busy)


def _each(
    found: dict[int, dict[Asked, Took]], exponents: list[int], asked: Asked
) -> Iterator[Took]:
    for exponent in exponents:
        took = found[exponent].get(asked)
        if took is not None:
            yield took


def main() -> None:
    """Measure, print, and keep if asked."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("exponents", type=int, nargs="*", default=[3, 6])
    given.add_argument("--postgresql", action="store_true", help="SQLite unless given")
    given.add_argument("--requests", type=int, default=REQUESTS)
    given.add_argument("--keep", action="store_true", help="write the page of the docs")
    asked = given.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found: dict[int, dict[Asked, Took]] = {}
    weights = (0, 0)
    for exponent in asked.exponents:
        with ExitStack() as open_things:
            folder = open_things.enter_context(disk_folder())
            url = f"sqlite:///{folder / 'zm.db'}"
            if asked.postgresql:
                url = open_things.enter_context(postgres_database(f"eco_bench_console_{exponent}"))
            house = open_house(url, folder, 10**exponent)
            weights = weigh(house)
            found[exponent] = {}
            for page, took in measure(house, requests=asked.requests):
                found[exponent][page] = took
                print(
                    f"10^{exponent} {took.median:8.1f} ms  p95 {took.p95:8.1f} ms  "
                    f"busy {took.busy:8.1f} ms {took.size:8} bytes {took.status} {page.title}"
                    f"{'  STEEP' if steep(found, page) else ''}",
                    flush=True,
                )
    print(f"first page with assets: {weights[0]} bytes, the page itself {weights[1]}")
    if asked.keep:
        database = "PostgreSQL" if asked.postgresql else "SQLite"
        KEPT.write_text(page_of(found, weights, database), encoding="utf-8")


if __name__ == "__main__":
    main()
