"""The least that the work can take on this machine: bare libraries, no gateway."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from lxml import etree

from bench.harness import Work, measure
from bench.material import disk_folder, document_xml, ec_key, postgres, rsa_key
from gateway.xml.parsing import parse
from gateway.xml.schema import SchemaSet

SIGNATURES = "signatures, bare"
XML = "XML, bare"
COMMITS = "durable commits, bare"

ROW_BYTES = 13_000
MESSAGE = os.urandom(64)


@measure("RSA-2048 sign", group=SIGNATURES)
def _rsa_sign() -> Iterator[Work]:
    key = rsa_key()
    yield lambda: key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@measure("RSA-2048 verify", group=SIGNATURES)
def _rsa_verify() -> Iterator[Work]:
    public = rsa_key().public_key()
    signature = rsa_key().sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    yield lambda: public.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@measure("RSA-3072 sign", group=SIGNATURES)
def _rsa_3072_sign() -> Iterator[Work]:
    key = rsa_key(3072)
    yield lambda: key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@measure("RSA-3072 verify", group=SIGNATURES)
def _rsa_3072_verify() -> Iterator[Work]:
    public = rsa_key(3072).public_key()
    signature = rsa_key(3072).sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    yield lambda: public.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@measure("P-256 sign", group=SIGNATURES)
def _p256_sign() -> Iterator[Work]:
    key = ec_key()
    yield lambda: key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))


@measure("P-256 verify", group=SIGNATURES)
def _p256_verify() -> Iterator[Work]:
    public = ec_key().public_key()
    signature = ec_key().sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    yield lambda: public.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


@measure("lxml parse", group=XML)
def _lxml_parse() -> Iterator[Work]:
    raw = document_xml()
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    yield lambda: etree.fromstring(raw, parser)


@measure("exclusive C14N", group=XML)
def _c14n() -> Iterator[Work]:
    root = etree.fromstring(document_xml())
    yield lambda: etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


@measure("XSD validate, schema loaded", group=XML)
def _xsd() -> Iterator[Work]:
    schemas, root = SchemaSet.load(), parse(document_xml())
    yield lambda: schemas.findings(root)


@measure("SQLite, WAL, synchronous=FULL", group=COMMITS)
def _sqlite_commit() -> Iterator[Work]:
    body = os.urandom(ROW_BYTES)
    with disk_folder() as folder:
        books = sqlite3.connect(folder / "books.db", isolation_level=None)
        books.execute("PRAGMA journal_mode=WAL")
        books.execute("PRAGMA synchronous=FULL")
        books.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def commit() -> None:
            books.execute("BEGIN IMMEDIATE")
            books.execute("INSERT INTO rows (body) VALUES (?)", (body,))
            books.execute("COMMIT")

        yield commit
        books.close()


@measure("PostgreSQL, synchronous_commit=on", group=COMMITS)
def _postgres_commit() -> Iterator[Work]:
    import psycopg

    body = os.urandom(ROW_BYTES)
    with postgres() as uri, psycopg.connect(uri) as books:
        books.execute("CREATE TABLE rows (id bigserial PRIMARY KEY, body bytea NOT NULL)")
        books.commit()

        def commit() -> None:
            books.execute("INSERT INTO rows (body) VALUES (%s)", (body,))
            books.commit()

        yield commit
