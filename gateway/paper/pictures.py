"""Scanned signatures and stamps: which pictures of a document are printed, and how they go in.

A picture comes from outside and is at most a megabyte (``documents.base.Content``), but what it
unpacks to is only limited here.  It goes into the form inside a drawing (SVG), as the form's
program takes text only.

Source: PNG 1.2, 11.2.2 (IHDR); JPEG, ITU-T T.81, B.2.2 (frame header).
"""

from __future__ import annotations

import base64
import struct
from typing import Any, Final

from gateway.documents.parties import Image

MOST_PIXELS: Final = 4_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})


def picture(image: Image | None) -> dict[str, Any] | None:
    """Return a picture as the form's program takes it; None for one that is not printed."""
    if image is None:
        return None
    size = _size(image.content)
    if size is None or not 0 < size[0] * size[1] <= MOST_PIXELS:
        return None
    width, height = size
    kind = "png" if image.content.startswith(_PNG) else "jpeg"
    data = base64.b64encode(image.content).decode("ascii")
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/{kind};base64,{data}"/></svg>'
    )
    return {"svg": drawing, "width": width, "height": height}


def _size(content: bytes) -> tuple[int, int] | None:
    """Return width and height that the head of a picture states; None if it is none of ours."""
    if content.startswith(_PNG) and len(content) >= 45 and content[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    if content.startswith(_JPEG):
        return _jpeg_size(content)
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    return None
