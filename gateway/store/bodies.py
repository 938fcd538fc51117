"""Signed bytes under their SHA-256: stored once, given back unchanged or not at all."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from gateway.errors import GatewayError, NotFoundError
from gateway.store.dialects import insert_if_absent
from gateway.store.keys import digest
from gateway.store.tables import bodies


def put(conn: Connection, content: bytes) -> str:
    """Store ``content`` unless it is there and return its SHA-256."""
    sha256 = digest(content)
    statement = insert_if_absent(conn, bodies, bodies.c.sha256)
    if conn.execute(statement, {"sha256": sha256, "content": content}).first() is None:
        _bring_back(conn, sha256, content)
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
        NotFoundError: it was erased when its years of retention were over.
        GatewayError: it has another one.
    """
    if not content and sha256 != digest(b""):
        raise NotFoundError(f"the document {sha256} was erased; only its digest is kept")
    if digest(content) != sha256:
        raise GatewayError(f"the bytes stored under {sha256} were changed in the database")
    return content


def _bring_back(conn: Connection, sha256: str, content: bytes) -> None:
    """Store bytes again that retention erased and somebody handed in anew."""
    own = bodies.c
    empty = select(own.sha256).where(own.sha256 == sha256, func.length(own.content) == 0)
    if content and conn.execute(empty).first() is not None:
        conn.execute(update(bodies).where(own.sha256 == sha256).values(content=content))
