"""The checker: reads both books with plain SQL and says which promise is broken.

It shares no query with the product, so that one mistake cannot hide another.  The numbers are
those of the invariants in docs/reliability.md.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import make_url

Row = dict[str, Any]
_ALL_TABLES = (
    "bodies",
    "dispatches",
    "attempts",
    "arrivals",
    "certificates",
    "certificate_items",
    "certificate_deliveries",
    "responses",
    "utilisation_entries",
    "journal",
    "events",
    "chain_heads",
    "lanes",
)
_BODY_USERS = {
    "dispatches": ("envelope_sha256", "payload_sha256", "receipt_sha256"),
    "arrivals": ("envelope_sha256", "payload_sha256", "receipt_sha256"),
    "certificates": ("payload_sha256",),
    "responses": ("payload_sha256",),
}
_FINAL = {"DELIVERED", "REFUSED", "FAILED"}


@dataclass(frozen=True)
class Books:
    """Is everything that one gateway has written, by table."""

    country: str
    tables: dict[str, list[Row]]

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def body(self, sha256: str) -> bytes | None:
        found = [bytes(row["content"]) for row in self["bodies"] if row["sha256"] == sha256]
        return found[0] if found else None


def read_books(country: str, url: str) -> Books:
    """Return the books at ``url`` as they are now."""
    return Books(country, dict(_tables(url)))


def digest_of(url: str, *tables: str) -> str:
    """Return one digest over all that stands in ``tables`` (all, if none is named)."""
    found = dict(_tables(url))
    chosen = {name: sorted(map(repr, found[name])) for name in tables or _ALL_TABLES}
    return hashlib.sha256(repr(chosen).encode()).hexdigest()


def damage(url: str, sha256: str) -> None:
    """Change the bytes stored under a digest, past the guards of the database."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database))) as plain:
            guards = plain.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in guards.fetchall():
                plain.execute(f"DROP TRIGGER {name}")
            plain.execute("UPDATE bodies SET content = X'00' WHERE sha256 = ?", (sha256,))
            plain.commit()
        return
    with psycopg.connect(_plain(url)) as server:
        server.execute("SET session_replication_role = replica")
        server.execute("UPDATE bodies SET content = '\\x00' WHERE sha256 = %s", (sha256,))


def broken_promises(
    issuer: Books, importer: Books, told: dict[str, str], used: dict[str, Decimal]
) -> list[str]:
    """Return every promise that both books together do not keep, as sentences.

    Args:
        told: message ids that national systems were given, by serial number or reference.
        used: kilograms that the importing customs wrote off, by serial number.
    """
    found = [f"{name} was never accepted" for name in used if name not in told]
    for books, other in ((issuer, importer), (importer, issuer)):
        found += _told(books, other, told)  # I1
        found += _delivered(books, other)  # I1, I2, I3
        found += _bodies(books)
        found += _attempts(books)
        found += _chain(books)  # I6
        found += _journal(books)
        found += _feed(books)
    found += _registers(issuer, importer, used)  # I1
    found += _ledgers(issuer, importer, used)  # I4
    return found


def _told(books: Books, other: Books, told: dict[str, str]) -> Iterator[str]:
    """I1: what a national system was told is on its way exists, once, and arrived."""
    ours = Counter(row["message_id"] for row in books["dispatches"])
    theirs = Counter(row["message_id"] for row in other["dispatches"])
    for name, message_id in told.items():
        if ours[message_id] + theirs[message_id] != 1:
            yield f"{name}: told {message_id}, which is in {ours[message_id]} rows"


def _delivered(books: Books, other: Books) -> Iterator[str]:
    """I1, I2, I3: one arrival for each dispatch, with the same bytes and the same receipt."""
    arrivals = {row["message_id"]: row for row in other["arrivals"]}
    if len(arrivals) != len(other["arrivals"]):
        yield f"{other.country} stored a message twice"
    for dispatch in books["dispatches"]:
        message_id, state = dispatch["message_id"], dispatch["state"]
        arrival = arrivals.pop(message_id, None)
        if state not in _FINAL:
            yield f"{message_id} of {books.country} is left {state}"
        elif arrival is None:
            yield f"{message_id} of {books.country} is {state}, but {other.country} has it not"
        else:
            same = ("envelope_sha256", "payload_sha256", "receipt_sha256", "verdict")
            for name in same:
                if dispatch[name] != arrival[name]:
                    yield f"{message_id}: {name} is not the same at both sides"
            if books.body(dispatch["envelope_sha256"]) != other.body(arrival["envelope_sha256"]):
                yield f"{message_id}: other bytes arrived than were sent"
    for message_id in arrivals:
        yield f"{message_id} arrived at {other.country}, but {books.country} never sent it"


def _bodies(books: Books) -> Iterator[str]:
    """Stored bytes are whole, present where named, and named where present."""
    for row in books["bodies"]:
        if hashlib.sha256(bytes(row["content"])).hexdigest() != row["sha256"]:
            yield f"{books.country}: bytes stored under {row['sha256']} are others"
    named = {
        row[column]
        for table, columns in _BODY_USERS.items()
        for row in books[table]
        for column in columns
        if row[column] is not None
    }
    present = {row["sha256"] for row in books["bodies"]}
    yield from (f"{books.country}: {each} is named but not stored" for each in named - present)
    yield from (f"{books.country}: {each} is stored for nobody" for each in present - named)


def _attempts(books: Books) -> Iterator[str]:
    """Every attempt ended, and exactly one of them delivered."""
    for dispatch in books["dispatches"]:
        own = [row for row in books["attempts"] if row["dispatch_id"] == dispatch["id"]]
        if sorted(row["number"] for row in own) != list(range(1, dispatch["fence"] + 1)):
            yield f"{dispatch['message_id']}: attempts have gaps"
        if any(row["ended_at"] is None for row in own):
            yield f"{dispatch['message_id']}: an attempt never ended"
        final = [row for row in own if row["code"] in _FINAL]
        if dispatch["state"] == "DELIVERED" and len(final) != 1:
            yield f"{dispatch['message_id']}: delivered {len(final)} times"


def _chain(books: Books) -> Iterator[str]:
    """I6: the journal chains from the first entry to the head, without a gap."""
    last = "0" * 64
    entries = sorted(books["journal"], key=lambda row: row["sequence"])
    for number, row in enumerate(entries, start=1):
        said = [last, number, _iso(row["at"]), row["actor"], row["action"], row["subject"]]
        text = json.dumps([*said, row["details"]], ensure_ascii=False, separators=(",", ":"))
        own = hashlib.sha256(text.encode()).hexdigest()
        if (row["sequence"], row["previous_hash"], row["entry_hash"]) != (number, last, own):
            yield f"{books.country}: the journal breaks at {number}"
            return
        last = own
    head = books["chain_heads"][0]
    if (head["journal_sequence"], head["journal_hash"]) != (len(entries), last):
        yield f"{books.country}: the head does not belong to the journal"


def _journal(books: Books) -> Iterator[str]:
    """I6: every message that was queued, delivered or taken is journalled, once."""
    noted = Counter((row["action"], row["subject"]) for row in books["journal"])
    for dispatch in books["dispatches"]:
        if noted["dispatch:queued", dispatch["message_id"]] != 1:
            yield f"{dispatch['message_id']}: queued, but not journalled once"
    for arrival in books["arrivals"]:
        taken = ("arrival:accepted", "arrival:refused")
        if sum(noted[action, arrival["message_id"]] for action in taken) != 1:
            yield f"{arrival['message_id']}: taken, but not journalled once"
        if noted["arrival:repeated", arrival["message_id"]] != arrival["repeats"]:
            yield f"{arrival['message_id']}: repeats are not all journalled"


def _feed(books: Books) -> Iterator[str]:
    """The national system's feed has no gap and tells of each delivery once."""
    cursors = sorted(row["cursor"] for row in books["events"])
    head = books["chain_heads"][0]["event_cursor"]
    if cursors != list(range(1, head + 1)):
        yield f"{books.country}: the feed of events has a gap"
    heard = Counter((row["kind"], row["subject"]) for row in books["events"])
    for dispatch in books["dispatches"]:
        kind = f"MESSAGE_{dispatch['state']}"
        if dispatch["state"] in _FINAL and heard[kind, dispatch["message_id"]] != 1:
            yield f"{dispatch['message_id']}: {kind} was told {heard[kind, dispatch['message_id']]}×"


def _registers(issuer: Books, importer: Books, used: dict[str, Decimal]) -> Iterator[str]:
    """I1: each certificate is registered once at either side, with the same signed bytes."""
    for serial in used:
        rows = [_certificate(books, serial) for books in (issuer, importer)]
        if not all(len(found) == 1 for found in rows):
            yield f"{serial}: registered {[len(found) for found in rows]} times"
        elif rows[0][0]["payload_sha256"] != rows[1][0]["payload_sha256"]:
            yield f"{serial}: the two registers hold different bytes"


def _ledgers(issuer: Books, importer: Books, used: dict[str, Decimal]) -> Iterator[str]:
    """I4: both sides count the same, each decision once, and never more than certified."""
    for serial, expected in used.items():
        for books in (issuer, importer):
            for certificate in _certificate(books, serial):
                yield from _ledger(books, certificate, expected)
        stated = [_responses(books, serial) for books in (issuer, importer)]
        if stated[0] != stated[1]:
            yield f"{serial}: responses differ: {stated[0]} and {stated[1]}"


def _ledger(books: Books, certificate: Row, expected: Decimal) -> Iterator[str]:
    where = f"{certificate['serial_number']} at {books.country}"
    items = [r for r in books["certificate_items"] if r["certificate_id"] == certificate["id"]]
    total = sum((Decimal(row["used"]) for row in items), Decimal(0))
    if total != expected:
        yield f"{where}: {total} used, where customs wrote off {expected}"
    if any(Decimal(row["used"]) > Decimal(row["certified"]) for row in items):
        yield f"{where}: more used than certified"
    lines = [r for r in books["utilisation_entries"] if r["certificate_id"] == certificate["id"]]
    if sum((Decimal(row["quantity"]) for row in lines), Decimal(0)) != total:
        yield f"{where}: the ledger's lines do not amount to its total"
    doubled = [ref for ref, n in Counter(row["reference"] for row in lines).items() if n > 1]
    yield from (f"{where}: {reference} was counted twice" for reference in doubled)


def _certificate(books: Books, serial: str) -> list[Row]:
    return [row for row in books["certificates"] if row["serial_number"] == serial]


def _responses(books: Books, serial: str) -> list[tuple[Any, ...]]:
    ids = {row["id"] for row in _certificate(books, serial)}
    named = ("sequence_number", "status", "response_number", "payload_sha256")
    own = (row for row in books["responses"] if row["certificate_id"] in ids)
    return sorted(tuple(row[name] for name in named) for row in own)


def _iso(moment: str | datetime) -> str:
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found.astimezone(UTC).isoformat(timespec="microseconds")


def _tables(url: str) -> Iterable[tuple[str, list[Row]]]:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database))) as plain:
            plain.row_factory = sqlite3.Row
            for table in _ALL_TABLES:
                yield table, [dict(row) for row in plain.execute(f"SELECT * FROM {table}")]
        return
    with psycopg.connect(_plain(url), row_factory=dict_row) as server:
        for table in _ALL_TABLES:
            yield table, server.execute(f"SELECT * FROM {table}").fetchall()  # type: ignore[arg-type]


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
