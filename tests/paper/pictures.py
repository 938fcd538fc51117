"""Pictures for tests, made byte by byte."""

from __future__ import annotations

import struct
import zlib

from gateway.documents.parties import Image


def png(width: int = 40, height: int = 20, *, rows: bytes | None = None) -> bytes:
    """A picture of one colour; ``rows`` replaces its content."""
    content = rows if rows is not None else (b"\0" + b"\x20\x40\x90" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(content)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def image(content: bytes) -> Image:
    """The picture as documents carry it."""
    return Image(media_type="image/png", content=content)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
