"""Growth with the archive: the product's own queries on 10^3 to 10^6 rows (10^7 if asked)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Connection

from bench.archive_rows import fill, now
from bench.gateways import Database
from bench.harness import Work, measure, named
from bench.material import Shared, disk_folder, postgres_database
from gateway.documents import DocumentType
from gateway.store import (
    DeliveryState,
    NewDispatch,
    PeerChannel,
    PeerProfile,
    Side,
    Store,
    certificates,
    events,
    inbox,
    journal,
    measures,
    outbox,
    peers,
    tallies,
    watch_marks,
)

ARCHIVE = "growth with the archive"
PEERS = 40
EXPONENTS = (3, 4, 5, 6)
_NUMBERS = itertools.count(1)


class Query(StrEnum):
    """Names what is asked of the archive."""

    INSERT = "insert 13 kB and commit"
    DEDUPE = "dedupe probe"
    SERIAL = "by serial number"
    NEWEST = "newest 50 of a peer"
    DEEP = "50 of a peer, deep"
    ARRIVALS = "newest 50 arrivals of a peer"
    REGISTER = "newest 50 certificates"
    RARE = "50 failed messages of a peer"
    EXPORTER = "50 of an exporter"
    DUE = "claim what is due"
    BACKLOG = "count what is open"
    OVERDUE = "longest waiting"
    DEAD = "count dead letters"
    ATTEMPTS = "newest attempts"
    EXPIRING = "certificates to expire"
    TALLIES = "counters of the dashboard"
    JOURNAL = "journal of a message"
    FEED = "next 100 events"


def archive_query(database: Database, exponent: int, query: Query) -> str:
    """Return the name of the measure of one query on 10^``exponent`` rows."""
    return f"{query}, 10^{exponent} rows, {database}"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Is a filled database.

    Attributes:
        url: of its store.
    """

    url: str
    store: Store
    rows: int

    def reading(self, query: Callable[[Connection], object]) -> Work:
        """Return the work of a query in a transaction of its own."""

        def read() -> None:
            with self.store.read() as conn:
                query(conn)

        return read

    def insert(self) -> None:
        """Queue one message of 13 kB and commit."""
        number = next(_NUMBERS)
        new = NewDispatch(
            message_id=f"urn:uuid:new-{number}",
            peer_id=1,
            document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
            document_number=f"ZM-NEW-{number}",
            conversation_id=f"urn:uuid:new-{number}",
            envelope=os.urandom(13_000),
            payload=b"<document/>",
            created_at=now(),
            due_at=now() + timedelta(days=1),
        )
        with self.store.begin() as conn:
            outbox.enqueue(conn, new)

    def claim(self) -> None:
        """Claim one message that is due, then take everything back."""
        with suppress(_TakenBackError), self.store.begin() as conn:
            found = outbox.claim_due(
                conn, "bench", now() + timedelta(minutes=1), lease_seconds=60, limit=1
            )
            if not found:
                raise RuntimeError("nothing is due in the archive")
            raise _TakenBackError


class _TakenBackError(Exception):
    """Rolls a transaction back."""


@contextmanager
def _filled(database: Database, exponent: int) -> Iterator[Archive]:
    with ExitStack() as stack:
        url = f"sqlite:///{stack.enter_context(disk_folder())}/archive.db"
        if database is Database.POSTGRESQL:
            url = stack.enter_context(postgres_database(f"eco_bench_archive_{exponent}"))
        store = Store.open(url)
        stack.callback(store.close)
        store.migrate()
        register_peers(store, PEERS)
        fill(url, 10**exponent, PEERS, now=now())
        with store.begin() as conn:
            tallies.fold(conn, at=now())
            watch_marks.move(conn, tallies.MARK, journal.head(conn)[0], at=now())
        yield Archive(url=url, store=store, rows=10**exponent)


def register_peers(store: Store, count: int) -> None:
    """Register so many peers; their keys are 1 to ``count``."""
    with store.begin() as conn:
        for number in range(1, count + 1):
            profile = PeerProfile(
                identifier=f"KE-{number:04}",
                country="KE",
                name=f"Gateway {number}",
                channel=PeerChannel.REST,
                url="https://localhost:1/rest/v1",
            )
            peers.add(conn, profile, at=now(), actor="user:bench")


def _works(archive: Archive) -> dict[Query, Work]:
    middle, numbers = archive.rows // 2, itertools.count(1)
    today = now().date()

    def anywhere() -> int:
        return 1 + next(numbers) * 7919 % archive.rows

    reading = archive.reading
    return {
        Query.INSERT: archive.insert,
        Query.DEDUPE: reading(lambda conn: inbox.find(conn, 1, f"urn:uuid:no-{anywhere()}")),
        Query.SERIAL: reading(
            lambda conn: certificates.by_serial(conn, f"ZM-ARCHIVE-{anywhere()}")
        ),
        Query.NEWEST: reading(lambda conn: outbox.page(conn, peer_id=1 + anywhere() % PEERS)),
        Query.DEEP: reading(
            lambda conn: outbox.page(conn, peer_id=1 + anywhere() % PEERS, before=middle)
        ),
        Query.ARRIVALS: reading(lambda conn: inbox.page(conn, peer_id=1 + anywhere() % PEERS)),
        Query.REGISTER: reading(lambda conn: certificates.page(conn, Side.ISSUED)),
        Query.RARE: reading(lambda conn: outbox.page(conn, peer_id=9, state=DeliveryState.FAILED)),
        Query.EXPORTER: reading(lambda conn: certificates.of_exporter(conn, "COM-ZM7")),
        Query.DUE: archive.claim,
        Query.BACKLOG: reading(outbox.backlog),
        Query.OVERDUE: reading(lambda conn: measures.overdue_since(conn, now())),
        Query.DEAD: reading(measures.dead_letters),
        Query.ATTEMPTS: reading(
            lambda conn: measures.newest_attempts(conn, since=now() - timedelta(minutes=5))
        ),
        Query.EXPIRING: reading(lambda conn: certificates.overdue(conn, today)),
        Query.TALLIES: reading(lambda conn: list(tallies.every(conn))),
        Query.JOURNAL: reading(
            lambda conn: journal.page(conn, subject=f"urn:uuid:out-{anywhere()}")
        ),
        Query.FEED: reading(lambda conn: events.after(conn, middle)),
    }


def register(exponent: int) -> None:
    """Register the measures of an archive of 10^``exponent`` rows, unless they are."""
    for database in Database:
        if not named(archive_query(database, exponent, Query.DUE)):
            _register(database, exponent)


def _register(database: Database, exponent: int) -> None:
    opened = Shared(lambda: _filled(database, exponent))

    def one(query: Query) -> None:
        def work() -> Iterator[Work]:
            with opened() as archive:
                yield _works(archive)[query]

        name = archive_query(database, exponent, query)
        measure(name, group=ARCHIVE, weight=0.25)(work)

    for query in Query:
        one(query)


for _exponent in EXPONENTS:
    register(_exponent)
