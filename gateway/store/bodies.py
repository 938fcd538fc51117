"""Signed bytes under their SHA-256: stored once, given back unchanged or not at all."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gateway.errors import GatewayError, NotFoundError
from gateway.store.dialects import insert_if_absent
from gateway.store.keys import digest
from gateway.store.tables import bodies


def put(conn: Connection, content: bytes) -> str:
    """Store ``content`` unless it is there and return its SHA-256."""
    sha256 = digest(content)
    conn.execute(insert_if_absent(conn, bodies), {"sha256": sha256, "content": content})
    return sha256


def get(conn: Connection, sha256: str) -> bytes:
    """Return the bytes stored under ``sha256``.

    Raises:
        NotFoundError: nothing is stored under it.
        GatewayError: the stored bytes were changed and prove nothing.
    """
    content = conn.execute(
        select(bodies.c.content).where(bodies.c.sha256 == sha256)
    ).scalar_one_or_none()
    if content is None:
        raise NotFoundError(f"no document is stored under the digest {sha256}")
    return checked(bytes(content), sha256)


def checked(content: bytes, sha256: str) -> bytes:
    """Return ``content`` if it still has its digest.

    Raises:
        GatewayError: it has another one.
    """
    if digest(content) != sha256:
        raise GatewayError(f"the bytes stored under {sha256} were changed in the database")
    return content
