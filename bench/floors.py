"""Floors: the bare library calls that a piece of work cannot do without, in one go.

A *strict* floor is what no implementation may leave out: canonical forms, keys, the durable
commit; inbound also reads and verifies.  A *full* floor adds what this product promises beyond
it: JSON, schema.  No gateway stands in it, no object, no check of our own.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from lxml import etree

from bench.gateways import Database
from bench.harness import Work, measure
from bench.material import disk_folder, document, document_xml, ec_key, postgres_database, rsa_key
from bench.rooms import header, zambia
from gateway.envelope import wrap
from gateway.resources import data_path
from gateway.trust import sign

FLOORS = "floors: bare library calls in one go"

BATCH = 16
EVENT = b"x" * 200
_NUMBERS = itertools.count(1)


def sign_floor(bits: int) -> str:
    """Return the name of the floor of signing: parse, canonical form, key."""
    return f"floor: parse, C14N, RSA-{bits} sign"


def floor(way: str, database: Database, *, full: bool, bits: int = 2048, batch: int = 1) -> str:
    """Return the name of the floor of one pipeline; ``way`` is ``outbound`` or ``inbound``."""
    together = "" if batch == 1 else f", {batch} to a commit"
    return f"{'full' if full else 'strict'} floor, {way}, {database}, RSA-{bits}{together}"


def _c14n(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


def _rsa_sign(raw: bytes, bits: int) -> bytes:
    return rsa_key(bits).sign(raw, padding.PKCS1v15(), hashes.SHA256())


@contextmanager
def committing(database: Database) -> Iterator[Callable[[Sequence[bytes]], None]]:
    """Yield a function that commits a row of these bytes and an event row for each, at once."""
    opened = _sqlite if database is Database.SQLITE else _postgresql
    with opened() as commit:
        yield commit


@contextmanager
def _sqlite() -> Iterator[Callable[[Sequence[bytes]], None]]:
    with disk_folder() as folder:
        books = sqlite3.connect(folder / "floor.db", isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *_TABLES):
            books.execute(statement.format(key="INTEGER PRIMARY KEY", bytes="BLOB"))

        def commit(bodies: Sequence[bytes]) -> None:
            books.execute("BEGIN IMMEDIATE")
            for body in bodies:
                books.execute("INSERT INTO messages (body) VALUES (?)", (body,))
                books.execute("INSERT INTO told (body) VALUES (?)", (EVENT,))
            books.execute("COMMIT")

        yield commit
        books.close()


_TABLES = (
    "CREATE TABLE messages (id {key}, body {bytes} NOT NULL)",
    "CREATE TABLE told (id {key}, body {bytes} NOT NULL)",
)


@contextmanager
def _postgresql() -> Iterator[Callable[[Sequence[bytes]], None]]:
    import psycopg

    with (
        postgres_database(f"eco_bench_floor_{next(_NUMBERS)}") as uri,
        psycopg.connect(uri) as books,
    ):
        for statement in _TABLES:
            books.execute(statement.format(key="bigserial PRIMARY KEY", bytes="bytea").encode())
        books.commit()

        def commit(bodies: Sequence[bytes]) -> None:
            for body in bodies:
                books.execute("INSERT INTO messages (body) VALUES (%s)", (body,))
                books.execute("INSERT INTO told (body) VALUES (%s)", (EVENT,))
            books.commit()

        yield commit


def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(data_path("schemas") / "uncefact" / name)))


def _validated(schema: etree.XMLSchema, root: etree._Element) -> None:
    if not schema.validate(root):
        raise RuntimeError("the standard document does not follow its schema")


def _outbound(bits: int, *, full: bool) -> Callable[[], bytes]:
    raw, text = document_xml(), document().model_dump_json()
    inner, schema = etree.fromstring(raw), _schema("CertificateOfOrigin_1p0.xsd")
    with zambia() as pki:
        envelope = sign(wrap(header(), sign(raw, pki.authority.credential)), pki.gateway.credential)
    outer, key = etree.fromstring(envelope), ec_key()

    def steps() -> bytes:
        if full:
            json.loads(text)
            _validated(schema, etree.fromstring(raw))
        key.sign(_c14n(inner), ec.ECDSA(hashes.SHA256()))
        _rsa_sign(_c14n(outer), bits)
        return envelope

    return steps


def _inbound(bits: int, *, full: bool) -> Callable[[], bytes]:
    raw, schema = document_xml(), _schema("CertificateOfOrigin_1p0.xsd")
    with zambia() as pki:
        envelope = sign(wrap(header(), sign(raw, pki.authority.credential)), pki.gateway.credential)
    inner, public, other = etree.fromstring(raw), rsa_key(bits).public_key(), ec_key()
    canonical, inner_canonical = _c14n(etree.fromstring(envelope)), _c14n(inner)
    signature = _rsa_sign(canonical, bits)
    inner_signature = other.sign(inner_canonical, ec.ECDSA(hashes.SHA256()))

    def steps() -> bytes:
        public.verify(
            signature, _c14n(etree.fromstring(envelope)), padding.PKCS1v15(), hashes.SHA256()
        )
        other.public_key().verify(inner_signature, _c14n(inner), ec.ECDSA(hashes.SHA256()))
        if full:
            _validated(schema, inner)
        _rsa_sign(canonical[:4_000], bits)  # the receipt
        return envelope

    return steps


STEPS = {"outbound": _outbound, "inbound": _inbound}


def _register(way: str, database: Database, *, full: bool, bits: int, batch: int) -> None:
    def work() -> Iterator[Work]:
        steps = STEPS[way](bits, full=full)
        with committing(database) as commit:
            yield lambda: commit([steps() for _ in range(batch)])

    measure(floor(way, database, full=full, bits=bits, batch=batch), group=FLOORS, calls=batch)(
        work
    )


def _signing(bits: int) -> None:
    def work() -> Iterator[Work]:
        raw = document_xml()
        yield lambda: _rsa_sign(_c14n(etree.fromstring(raw)), bits)

    measure(sign_floor(bits), group=FLOORS)(work)


@measure("JSON loads, bare", group=FLOORS)
def _json() -> Iterator[Work]:
    text = document().model_dump_json()
    yield lambda: json.loads(text)


for _bits in (2048, 3072):
    _signing(_bits)
for _full in (False, True):
    for _database in Database:
        for _way in STEPS:
            _register(_way, _database, full=_full, bits=2048, batch=1)
    for _way in STEPS:
        _register(_way, Database.SQLITE, full=_full, bits=2048, batch=BATCH)
    _register("outbound", Database.SQLITE, full=_full, bits=3072, batch=1)
