"""The index by which certificates are found: one row per certificate, field and spelling.

Written in the transaction that registers what it finds.  Terms are ``canonical_key`` of what
was written, cut to the length of the column; who searches cuts likewise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from gateway.store.keys import canonical_key
from gateway.store.rows import SearchKey
from gateway.store.statements import inserting
from gateway.store.states import PERSONAL_FIELDS, SearchField
from gateway.store.tables import search_keys as table
from gateway.store.tables.clients import TERM_LENGTH

_SHORTEST_HS = 2
_ADD = inserting(table, ("certificate_id", "field", "term"), if_absent=True)


def key(field: SearchField, written: str) -> SearchKey:
    """Return the key under which ``written`` is found."""
    return SearchKey(field, canonical_key(written)[:TERM_LENGTH])


def hs_keys(hs_code: str) -> Iterator[SearchKey]:
    """Yield a key for each prefix of a tariff code, from the chapter to the whole code."""
    digits = canonical_key(hs_code)
    for length in range(min(_SHORTEST_HS, len(digits)), len(digits) + 1):
        yield SearchKey(SearchField.HS, digits[:length])


def route_key(issuing_country: str, destination_country: str) -> SearchKey:
    """Return the key of every certificate that goes from one state to another."""
    return SearchKey(SearchField.ROUTE, f"{issuing_country}>{destination_country}")


def add(conn: Connection, certificate_id: int, keys: Collection[SearchKey]) -> None:
    """Let a certificate be found by these keys too."""
    ordered = sorted(keys, key=lambda each: (each.field, each.term))
    rows = [{"certificate_id": certificate_id, **vars(each)} for each in ordered]
    _ADD.run_each(conn, rows)


def forget_personal(conn: Connection, certificate_ids: Collection[int]) -> None:
    """Take names of persons and firms, and numbers of their papers, out of the index."""
    conn.execute(
        table.delete().where(
            table.c.certificate_id.in_(certificate_ids), table.c.field.in_(PERSONAL_FIELDS)
        )
    )
