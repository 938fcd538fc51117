"""Signed bytes under their SHA-256: stored once, given back unchanged or not at all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.errors import GatewayError, NotFoundError
from gateway.store import chain
from gateway.store.keys import digest
from gateway.store.statements import Statement
from gateway.store.tables import bodies


def _put(dialect: str) -> Any:
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(bodies).inline()
    return statement.on_conflict_do_update(
        index_elements=[bodies.c.sha256],
        set_={"content": statement.excluded.content},
        where=func.length(bodies.c.content) < func.length(statement.excluded.content),
    )


_PUT = Statement(_put, ("sha256", "content"))
_GET = Statement(select(bodies.c.content).where(bodies.c.sha256 == bindparam("sha256")))


def put(conn: Connection, content: bytes) -> str:
    """Store ``content`` unless it is there and return its SHA-256."""
    return put_all(conn, content)[0]


def put_all(conn: Connection, *contents: bytes) -> tuple[str, ...]:
    """Store each of ``contents`` that is not there yet and return their SHA-256, in order.

    Bytes that retention erased and somebody hands in anew are brought back.
    """
    stored = chain.pending(conn).bodies
    digests = tuple(digest(content) for content in contents)
    new = [
        {"sha256": sha256, "content": content}
        for sha256, content in zip(digests, contents, strict=True)
        if sha256 not in stored
    ]
    _PUT.run_each(conn, new)
    stored.update(digests)
    return digests


def get(conn: Connection, sha256: str) -> bytes:
    """Return the bytes stored under ``sha256``.

    Raises:
        NotFoundError: nothing is stored under it.
        GatewayError: the stored bytes were changed and prove nothing.
    """
    content = _GET.scalar(conn, sha256=sha256)
    if content is None:
        raise NotFoundError(f"no document is stored under the digest {sha256}")
    return checked(content, sha256)


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
