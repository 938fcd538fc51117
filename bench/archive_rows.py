"""Years of rows, written by the database itself straight into the product's tables.

The rows look as the product writes them as far as its queries go: keys, states, moments, order,
references.  Envelopes and documents are a few bytes under digests that are as random as real
ones; every arrival shares one real receipt.  Indexes are taken down for the writing and put
back.  PostgreSQL gathers statistics, which autovacuum does by itself; SQLite has none, because
the product never asks for them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import make_url

from gateway.store.states import DeliveryRole

_PARTNERS = "KEEGMWZWRWUGETMUTNKMSZ"
RECEIPT = b"<receipt/>"
YEARS = timedelta(days=3 * 365)
EXPORTERS = 500


class Books(Protocol):
    """Runs statements on one kind of database and knows how it spells what differs."""

    def run(self, statement: str) -> None:
        """Run one statement."""

    def rows(self, query: str) -> list[tuple[str, str]]:
        """Return the rows of a query."""

    def series(self, last: int) -> str:
        """Return the clause that gives ``s.i`` from 1 to ``last``."""

    def moment(self, seconds: str) -> str:
        """Return seconds of the epoch as the product's column of a moment holds them."""

    def later(self, moment: str, minutes: str) -> str:
        """Return a moment so many minutes after that of a column."""

    def day(self, seconds: str) -> str:
        """Return seconds of the epoch as a date."""

    def digest(self, value: str) -> str:
        """Return the SHA-256 of a number."""

    def content(self, value: str) -> str:
        """Return a value's text as bytes."""


class _Sqlite:
    INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"

    def __init__(self, plain: sqlite3.Connection) -> None:
        self._plain = plain
        plain.create_function("sha", 1, _sha, deterministic=True)
        for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
            plain.execute(f"PRAGMA {pragma}")
        plain.execute("BEGIN IMMEDIATE")

    def run(self, statement: str) -> None:
        self._plain.execute(statement)

    def rows(self, query: str) -> list[tuple[str, str]]:
        return self._plain.execute(query).fetchall()

    def series(self, last: int) -> str:
        return f"WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {last})"

    def moment(self, seconds: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%f000Z', {seconds}, 'unixepoch')"

    def later(self, moment: str, minutes: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%f000Z', {moment}, '+' || ({minutes}) || ' minutes')"

    def day(self, seconds: str) -> str:
        return f"date({seconds}, 'unixepoch')"

    def digest(self, value: str) -> str:
        return f"sha({value})"

    def content(self, value: str) -> str:
        return f"CAST({value} AS BLOB)"


class _Postgresql:
    INDEXES = """SELECT indexname, indexdef FROM pg_indexes
                 WHERE schemaname = current_schema() AND indexname LIKE 'ix%'"""

    def __init__(self, plain: Any) -> None:
        self._plain = plain
        for setting in ("session_replication_role = replica", "synchronous_commit = off"):
            plain.execute(f"SET LOCAL {setting}".encode())  # references are right by construction

    def run(self, statement: str) -> None:
        self._plain.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = self._plain.execute(query.encode()).fetchall()
        return found

    def series(self, last: int) -> str:
        return f"WITH s AS (SELECT generate_series(1, {last}) AS i)"

    def moment(self, seconds: str) -> str:
        return f"to_timestamp({seconds})"

    def later(self, moment: str, minutes: str) -> str:
        return f"{moment} + ({minutes}) * interval '1 minute'"

    def day(self, seconds: str) -> str:
        return f"(to_timestamp({seconds}) AT TIME ZONE 'UTC')::date"

    def digest(self, value: str) -> str:
        return f"encode(sha256(convert_to(({value})::text, 'UTF8')), 'hex')"

    def content(self, value: str) -> str:
        return f"convert_to(({value})::text, 'UTF8')"


def _sha(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


def fill(url: str, rows: int, peers: int, *, now: datetime) -> None:
    """Write ``rows`` messages each way and as many certificates, the newest at ``now``.

    Args:
        peers: registered before, under the keys 1 to ``peers``.
    """
    begun, step = (now - YEARS).timestamp(), YEARS.total_seconds() / rows
    at = f"({begun:.0f} + i * {step:.9f})"
    with _books(url) as books, _without_indexes(books):
        for statement in (
            *_bodies(books, rows),
            *_sent(books, rows, peers, at),
            *_came(books, rows, peers, at),
            *_register(books, rows, peers, at, now),
            *_told(books, rows, at),
        ):
            books.run(statement)
    _settle(url)


def fill_backlog(url: str, rows: int, *, first_peer: int, peers: int, now: datetime) -> None:
    """Write ``rows`` messages that are due and wait for ``peers`` peers from one key on."""
    at = f"({(now - timedelta(hours=2)).timestamp():.0f} + i * {3600 / rows:.9f})"
    with _books(url) as books, _without_indexes(books):
        due = books.moment(at)
        books.run(f"INSERT INTO bodies (sha256, content) SELECT 'waits', {books.content('1')}")
        books.run(f"""
            INSERT INTO dispatches ({_DISPATCH}) {books.series(rows)}
            SELECT 'urn:uuid:waiting-' || i, {first_peer} + i % {peers}, 'CertificateOfOrigin',
                'ZM-WAITING-' || i, 'ZM-WAITING-' || i, 'urn:uuid:waiting-' || i, FALSE,
                'QUEUED', {due}, {due}, 0, 0, NULL, {due}, {due}, 'waits', 'waits', NULL
            FROM s""")
    _settle(url)


def fill_search_keys(url: str) -> None:
    """Let every certificate be found by serial number, authority, exporter and route."""
    with _books(url) as books, _without_indexes(books):
        for field, term in (
            ("SERIAL", "serial_key"),
            ("AUTHORITY", "authority_code"),
            ("EXPORTER", "exporter_key"),
            ("ROUTE", "issuing_country || '>' || destination_country"),
        ):
            books.run(f"""
                INSERT INTO search_keys (certificate_id, field, term)
                SELECT id, '{field}', {term} FROM certificates WHERE serial_key LIKE 'ZM-ARCHIVE%'
                """)
    _settle(url)


def fill_what_customs_did(url: str) -> None:
    """Turn every second certificate of the archive into one received, with goods and responses.

    Half go to or come from eleven states, a fifth are of other kinds than the usual one. Every
    certificate covers one item of one of ninety chapters; of three one was answered, within days;
    of thirty one was refused.
    """
    half = len(_PARTNERS) // 2
    partner = f"substr('{_PARTNERS}', CAST(1 + 2 * (id % {half}) AS INTEGER), 2)"
    with _books(url) as books, _without_indexes(books):
        books.run(f"""
            UPDATE certificates SET destination_country = {partner},
                kind = CASE id % 10 WHEN 3 THEN 'SIMPLIFIED' WHEN 8 THEN 'RETROSPECTIVE'
                    ELSE 'STANDARD' END
            WHERE serial_key LIKE 'ZM-ARCHIVE%'""")
        books.run("""
            UPDATE certificates SET side = 'RECEIVED', issuing_country = destination_country,
                destination_country = 'ZM', authority_code = 'KE-KRA',
                state = CASE WHEN state = 'EXPIRED' THEN 'EXPIRED' WHEN id % 3 = 0
                    THEN 'PARTIALLY_UTILISED' ELSE 'AVAILABLE' END
            WHERE serial_key LIKE 'ZM-ARCHIVE%' AND id % 2 = 0""")
        books.run("""
            INSERT INTO certificate_items (certificate_id, number, hs_code, country_of_origin,
                description, unit, certified, used, reexported)
            SELECT id, 1, CAST(100000 + (id % 90) * 10000 AS VARCHAR(16)), issuing_country,
                'Goods', 'KGM', '100', '0', '0'
            FROM certificates WHERE serial_key LIKE 'ZM-ARCHIVE%'""")
        later = books.later("updated_at", "1 + (id * 7919) % 20000")
        books.run(f"""
            INSERT INTO responses (certificate_id, sequence_number, status, standing,
                content_sha256, items, findings, reasons, decided_at, stored_at)
            SELECT id, 1, CASE WHEN id % 30 = 0 THEN 'REJECTED' ELSE 'PARTIAL' END,
                CASE WHEN side = 'ISSUED' THEN 'APPLIED' ELSE 'SENT' END, content_sha256, '[]',
                '[]', CASE WHEN id % 30 = 0 THEN '["STAMP_SPECIMEN"]' ELSE '[]' END,
                {later}, {later}
            FROM certificates WHERE serial_key LIKE 'ZM-ARCHIVE%' AND id % 3 = 0""")
        books.run("""
            UPDATE certificates SET reported_status = 'PARTIAL', last_sequence = 1
            WHERE serial_key LIKE 'ZM-ARCHIVE%' AND side = 'ISSUED' AND id % 3 = 0""")
    _settle(url)


_DISPATCH = """message_id, peer_id, document_type, document_number, document_key,
    conversation_id, test, state, due_at, rank_at, fence, attempts, verdict, created_at,
    updated_at, envelope_sha256, payload_sha256, receipt_sha256"""


def _bodies(books: Books, rows: int) -> Iterator[str]:
    receipt = RECEIPT.decode()
    yield f"""
        INSERT INTO bodies (sha256, content)
        SELECT '{_sha(receipt)}', {books.content(f"'{receipt}'")}"""
    yield f"""
        INSERT INTO bodies (sha256, content) {books.series(rows)}
        SELECT {books.digest("i")}, {books.content("i")} FROM s"""


def _sent(books: Books, rows: int, peers: int, at: str) -> Iterator[str]:
    """The newest 100 are due; of the others one in a thousand failed."""
    moment, digest, newest = books.moment(at), books.digest("i"), max(1, rows - 100)
    is_open, failed = f"i > {newest}", "i % 1000 = 7"
    done = f"CASE WHEN {is_open} OR {failed} THEN NULL ELSE"
    yield f"""
        INSERT INTO dispatches ({_DISPATCH}) {books.series(rows)}
        SELECT 'urn:uuid:out-' || i, 1 + i % {peers}, 'CertificateOfOrigin',
            'ZM-ARCHIVE-' || i, 'ZM-ARCHIVE-' || i, 'urn:uuid:conversation-' || i, FALSE,
            CASE WHEN {is_open} THEN 'QUEUED' WHEN {failed} THEN 'FAILED' ELSE 'DELIVERED' END,
            CASE WHEN {is_open} THEN {moment} END, {moment}, 1, 1, {done} 'ACCEPTED' END,
            {moment}, {moment}, {digest}, {digest}, {done} '{_sha(RECEIPT.decode())}' END
        FROM s"""
    yield """
        INSERT INTO attempts (dispatch_id, number, worker, started_at, ended_at, code)
        SELECT id, 1, 'worker', created_at, updated_at, 'DELIVERED' FROM dispatches
        WHERE message_id LIKE 'urn:uuid:out-%'"""


def _came(books: Books, rows: int, peers: int, at: str) -> Iterator[str]:
    moment, digest = books.moment(at), books.digest("i")
    yield f"""
        INSERT INTO arrivals (peer_id, message_id, document_type, document_number, document_key,
            conversation_id, test, verdict, received_at, repeats, created_at, envelope_sha256,
            payload_sha256, receipt_sha256) {books.series(rows)}
        SELECT 1 + i % {peers}, 'urn:uuid:in-' || i, 'CertificateOfOrigin', 'KE-ARCHIVE-' || i,
            'KE-ARCHIVE-' || i, 'urn:uuid:conversation-in-' || i, FALSE, 'ACCEPTED', {moment},
            0, {moment}, {digest}, {digest}, '{_sha(RECEIPT.decode())}'
        FROM s"""


def _register(books: Books, rows: int, peers: int, at: str, now: datetime) -> Iterator[str]:
    moment, digest, until = books.moment(at), books.digest("i"), f"({at} + 31536000)"
    yield f"""
        INSERT INTO certificates (side, agreement, kind, serial_number, serial_key,
            issuing_country, destination_country, issued_on, valid_until, authority_code,
            exporter_name, exporter_number, exporter_key, consignee_name, test, state,
            state_since, last_sequence, missing_responses, contradicted, over_used, peer_id,
            conversation_id, message_id, created_at, updated_at, content_sha256, payload_sha256)
        {books.series(rows)}
        SELECT 'ISSUED', 'COMESA', 'STANDARD', 'ZM-ARCHIVE-' || i, 'ZM-ARCHIVE-' || i, 'ZM',
            'KE', {books.day(at)}, {books.day(until)}, 'ZM-ZRA', 'Exporter ' || (i % {EXPORTERS}),
            'COM-ZM' || (i % {EXPORTERS}), 'COM-ZM' || (i % {EXPORTERS}), 'Consignee', FALSE,
            CASE WHEN {until} > {now.timestamp():.0f} THEN 'ISSUED' ELSE 'EXPIRED' END, {moment},
            0, 0, FALSE, FALSE, 1 + i % {peers}, 'urn:uuid:conversation-' || i,
            'urn:uuid:out-' || i, {moment}, {moment}, {digest}, {digest}
        FROM s"""
    yield f"""
        INSERT INTO certificate_deliveries (certificate_id, peer_id, message_id, role, state,
            updated_at)
        SELECT id, peer_id, message_id, '{DeliveryRole.DOCUMENT}', 'RECEIVED', updated_at
        FROM certificates WHERE serial_key LIKE 'ZM-ARCHIVE%'"""


def _told(books: Books, rows: int, at: str) -> Iterator[str]:
    """Journal and feed; the hashes chain nothing, which no measured query looks at."""
    moment = books.moment(at)
    yield f"""
        INSERT INTO journal (sequence, at, actor, action, subject, details, previous_hash,
            entry_hash) {books.series(rows)}
        SELECT journal_sequence + i, {moment}, 'gateway', 'dispatch:queued',
            'urn:uuid:out-' || i, '{{}}', {books.digest("-i")}, {books.digest("-i - 1")}
        FROM s, chain_heads"""
    yield f"""
        INSERT INTO events (cursor, at, kind, subject, data) {books.series(rows)}
        SELECT event_cursor + i, {moment}, 'MESSAGE_DELIVERED', 'urn:uuid:out-' || i, '{{}}'
        FROM s, chain_heads"""
    yield f"""
        UPDATE chain_heads
        SET journal_sequence = journal_sequence + {rows}, event_cursor = event_cursor + {rows}"""


@contextmanager
def _books(url: str) -> Iterator[_Sqlite | _Postgresql]:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database), isolation_level=None)) as plain:
            yield _Sqlite(plain)
            plain.execute("COMMIT")
        return
    import psycopg

    with psycopg.connect(_plain(url)) as server:
        yield _Postgresql(server)


@contextmanager
def _without_indexes(books: _Sqlite | _Postgresql) -> Iterator[None]:
    """Take down what only speeds queries up, and put it back; constraints stay."""
    found = books.rows(books.INDEXES)
    for name, _ in found:
        books.run(f'DROP INDEX "{name}"')
    yield
    for _, definition in found:
        books.run(definition)


def _settle(url: str) -> None:
    """Leave nothing that the database would do by itself during the measures."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database), isolation_level=None)) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    import psycopg

    with psycopg.connect(_plain(url), autocommit=True) as server:
        server.execute(b"VACUUM ANALYZE")
        server.execute(b"CHECKPOINT")


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def now() -> datetime:
    """Return the present second in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
