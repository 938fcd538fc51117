"""Reading a request's body within its limit, after its media type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Request

from gateway.errors import InputError, TooLargeError, UnsupportedMediaError
from gateway.transport.deadline import at_least

_PIECE: Final = 65_536
_DISCARDED: Final = 4
"""How many times the limit is read and thrown away before a refusal is written."""
_DISCARDED_OF_MANY: Final = 16_000_000
_MEGABYTE: Final = 1_048_576
_SECONDS_PER_MEGABYTE: Final = 60.0


def require_media_type(request: Request, *accepted: str) -> None:
    """Check the content type.

    Raises:
        UnsupportedMediaError: it is none of ``accepted``, the body is encoded, or its charset
            is none that XML may have here.
    """
    if request.mimetype not in accepted:
        raise UnsupportedMediaError(f"the content type must be {' or '.join(accepted)}")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaError("the body must not be compressed")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "utf-16"):
        raise UnsupportedMediaError(f"the charset {charset[:40]!r} is not read here")


def read_body(request: Request, most: int) -> bytes:
    """Return the body, reading no more than ``most`` bytes.

    Raises:
        TooLargeError: the body is larger, by its stated length or while it arrives.
        InputError: it is empty or shorter than its stated length.
    """
    stated = request.content_length
    if stated is not None and stated > most:
        _discard(request, stated if stated <= _DISCARDED * most else 0)
        raise TooLargeError(f"{stated} bytes where {most} are allowed")
    body = bytearray()
    while piece := _piece(request, min(_PIECE, most + 1 - len(body))):
        body += piece
        if len(body) > most:
            _discard(request, _DISCARDED * most)
            raise TooLargeError(f"more than {most} bytes")
    if not body:
        raise InputError("the request has no body")
    if stated is not None and len(body) != stated:
        raise InputError("the body is shorter than its stated length")
    return bytes(body)


def pieces_of(request: Request, most: int) -> Iterator[bytes]:
    """Yield the body as it arrives, no more than ``most`` bytes of it.

    A caller that gets on has time: each megabyte may take as long as a whole request else.

    Raises:
        TooLargeError, InputError: as ``read_body``.
    """
    stated = request.content_length
    if stated is not None and stated > most:
        _discard(request, min(stated, _DISCARDED_OF_MANY))
        raise TooLargeError(f"{stated} bytes where {most} are allowed")
    taken, marked = 0, 0
    while piece := _piece(request, _PIECE):
        taken += len(piece)
        if taken > most:
            _discard(request, _DISCARDED_OF_MANY)
            raise TooLargeError(f"more than {most} bytes")
        if taken - marked >= _MEGABYTE:
            marked = taken
            at_least(_SECONDS_PER_MEGABYTE)
        yield piece
    if stated is not None and taken != stated:
        raise InputError("the body is shorter than its stated length")


def _discard(request: Request, most: int) -> None:
    """Read on without keeping anything: who still sends does not hear why it was refused."""
    while most > 0 and (piece := _piece(request, min(_PIECE, most))):
        most -= len(piece)


def _piece(request: Request, size: int) -> bytes:
    try:
        return bytes(request.stream.read(size))
    except Exception as exc:  # each server has errors of its own for a bad body
        raise InputError("the body broke off, came too slowly or is badly framed") from exc
