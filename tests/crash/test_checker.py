"""The checker itself: each kind of broken promise is seen, so its silence means something."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from hashlib import sha256

import pytest

from tests.crash.checker import Books, broken_promises, read_books
from tests.crash.scene import COUNTRIES, SERIAL, USED, play
from tests.crash.theatre import Theatre

Spoil = Callable[[Books, Books], object]


def _set(table: str, column: str, value: object) -> Callable[[Books], object]:
    return lambda books: books[table][0].update({column: value})


SPOILED: dict[str, tuple[Spoil, str]] = {
    "a lost arrival": (lambda _zm, ke: ke["arrivals"].clear(), "has it not"),
    "a doubled arrival": (lambda _zm, ke: ke["arrivals"].extend(ke["arrivals"]), "twice"),
    "a lost dispatch": (lambda zm, _ke: zm["dispatches"].clear(), "never sent it"),
    "a dispatch left behind": (lambda zm, _: _set("dispatches", "state", "SENDING")(zm), "is left"),
    "other bytes": (
        lambda _zm, ke: _set("arrivals", "envelope_sha256", "0" * 64)(ke),
        "envelope_sha256 is not the same",
    ),
    "another receipt": (
        lambda zm, _: _set("dispatches", "receipt_sha256", "0" * 64)(zm),
        "receipt_sha256 is not the same",
    ),
    "changed bytes": (lambda zm, _: _set("bodies", "content", b"x")(zm), "are others"),
    "missing bytes": (lambda _zm, ke: ke["bodies"].pop(), "named but not stored"),
    "bytes for nobody": (
        lambda zm, _: zm["bodies"].append({"sha256": sha256(b"").hexdigest(), "content": b""}),
        "stored for nobody",
    ),
    "an open attempt": (lambda zm, _: _set("attempts", "ended_at", None)(zm), "never ended"),
    "a missing attempt": (lambda zm, _: zm["attempts"].clear(), "attempts have gaps"),
    "a second delivery": (
        lambda zm, _: (
            zm["dispatches"][0].update(fence=2),
            zm["attempts"].append(zm["attempts"][0] | {"number": 2}),
        ),
        "delivered 2 times",
    ),
    "a changed entry": (lambda zm, _: _set("journal", "actor", "nobody")(zm), "journal breaks"),
    "a missing entry": (lambda zm, _: zm["journal"].pop(0), "journal breaks"),
    "a cut journal": (lambda _zm, ke: ke["journal"].pop(), "head does not belong"),
    "a lost event": (lambda zm, _: zm["events"].pop(0), "has a gap"),
    "a lost certificate": (lambda _zm, ke: ke["certificates"].clear(), "registered [1, 0]"),
    "a wrong total": (
        lambda zm, _: _set("certificate_items", "used", Decimal(8000))(zm),
        "8000 used",
    ),
    "a doubled line": (
        lambda _zm, ke: ke["utilisation_entries"].extend(ke["utilisation_entries"]),
        "counted twice",
    ),
    "over-use": (
        lambda zm, _: _set("certificate_items", "certified", Decimal(1))(zm),
        "more used than certified",
    ),
    "a lost response": (lambda zm, _: zm["responses"].clear(), "responses differ"),
}


def test_each_kind_of_broken_promise_is_seen(theatre: Theatre):
    play(theatre.scene, theatre.told)
    told = theatre.told.read()
    sound = [read_books(country, theatre.urls[country]) for country in COUNTRIES]
    assert broken_promises(sound[0], sound[1], told, USED) == []
    for name, (spoil, expected) in SPOILED.items():
        issuer, importer = deepcopy(sound)
        spoil(issuer, importer)
        found = broken_promises(issuer, importer, told, USED)
        assert any(expected in each for each in found), (name, found)


def test_a_promise_that_was_told_and_not_kept_is_seen(theatre: Theatre):
    play(theatre.scene, theatre.told)
    books = [read_books(country, theatre.urls[country]) for country in COUNTRIES]
    lie = {"ZM-20260309-000999": "urn:uuid:of-nothing"}
    assert broken_promises(books[0], books[1], lie, USED)
    with pytest.raises(AssertionError):
        assert broken_promises(books[0], books[1], {}, {SERIAL: Decimal(4000)}) == []
