"""Both books compared with SQL of its own: what was told accepted is there, once, byte for byte.

It shares no query with the product.  ``tests/crash/checker.py`` knows more promises, but holds
whole books in memory; this one reads them row by row.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import make_url

Row = tuple[Any, ...]
_SENT = "SELECT message_id, state, envelope_sha256, receipt_sha256, verdict FROM dispatches"
_CAME = "SELECT message_id, envelope_sha256, receipt_sha256, verdict FROM arrivals"
_GENESIS = "0" * 64


def faults(urls: dict[str, str], told: Collection[str]) -> list[str]:
    """Return everything that the books of two gateways do not agree upon, as sentences.

    Args:
        urls: of their databases, by country.
        told: ids of the messages that national systems were told are accepted.
    """
    found: list[str] = []
    sent = {country: list(_rows(url, _SENT)) for country, url in urls.items()}
    queued = {row[0] for rows in sent.values() for row in rows}
    found += [f"{one} was accepted and is in no outbox" for one in told if one not in queued]
    one, other = urls
    for country, peer in ((one, other), (other, one)):
        found += _delivered(country, sent[country], list(_rows(urls[peer], _CAME)))
    for country, url in urls.items():
        found += _bodies(country, url)
        found += _journal(country, url)
    return found


def _delivered(country: str, sent: list[Row], came: list[Row]) -> Iterator[str]:
    arrived = {row[0]: row[1:] for row in came}
    if len(arrived) != len(came):
        yield f"a message of {country} was stored twice"
    for message_id, state, *same in sent:
        stored = arrived.pop(message_id, None)
        if state != "DELIVERED":
            yield f"{message_id} of {country} is left {state}"
        elif stored is None:
            yield f"{message_id} of {country} was delivered and is not there"
        elif tuple(same) != stored:
            yield f"{message_id}: envelope, receipt or verdict differ between both books"
    for message_id in arrived:
        yield f"{message_id} arrived, but {country} never sent it"


def _bodies(country: str, url: str) -> Iterator[str]:
    for sha256, content in _rows(url, "SELECT sha256, content FROM bodies"):
        if hashlib.sha256(bytes(content)).hexdigest() != sha256:
            yield f"{country}: other bytes than {sha256} are stored under it"


def _journal(country: str, url: str) -> Iterator[str]:
    query = "SELECT sequence, previous_hash, entry_hash FROM journal ORDER BY sequence"
    last, number = _GENESIS, 0
    for sequence, previous, own in _rows(url, query):
        number += 1
        if (sequence, previous) != (number, last):
            yield f"{country}: the journal breaks at {number}"
            return
        last = own
    heads = list(_rows(url, "SELECT journal_sequence, journal_hash FROM chain_heads"))
    if heads != [(number, last)]:
        yield f"{country}: the head does not belong to the journal"


def _rows(url: str, query: str) -> Iterator[Row]:
    with _cursor(url) as cursor:
        cursor.execute(query)
        while batch := cursor.fetchmany(500):
            yield from (tuple(row) for row in batch)


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database))) as plain:
            yield plain.cursor()
        return
    import psycopg

    own = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(own) as server, server.cursor("books") as cursor:
        yield cursor
