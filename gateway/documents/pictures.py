"""Pictures of stamps and handwritten signatures: what is a picture and no more, and its digest.

A picture comes from outside, and whoever shows it trusts it to be one.  So it is taken apart by its
own format and put together again from the parts that make the picture: names of cameras, places,
comments, colour profiles, and whatever hides behind the end stay out.  What remains is its *bare*
form.  Two files hold the same picture if their bare forms have the same digest, however their
writers labelled them.

Source: PNG (ISO/IEC 15948:2004), 5, 10 and 11; JPEG, ITU-T T.81, annex B.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_BYTES: Final = 1_000_000
"""As much as a certificate may carry as one picture."""

MOST_PIXELS: Final = 4_000_000
_MOST_SIDE: Final = 10_000
_MOST_SCANS: Final = 64

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE: Final = 3
_PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4))
_LAST_PASSES: Final = ((1, 0, 2, 2), (0, 1, 1, 2))

_FRAMES: Final = (0xC0, 0xC1, 0xC2)
_TABLES: Final = (0xC4, 0xDB, 0xDD)
_SCAN, _END, _ADOBE, _COMMENT = 0xDA, 0xD9, 0xEE, 0xFE
_LABELS: Final = (*range(0xE0, 0xF0), _COMMENT)


class MediaKind(StrEnum):
    """Names the formats of pictures that are taken."""

    PNG = "image/png"
    JPEG = "image/jpeg"


class PictureFault(StrEnum):
    """Says why a file is not taken as a picture."""

    TOO_LARGE = "TOO_LARGE"
    NOT_A_PICTURE = "NOT_A_PICTURE"
    DAMAGED = "DAMAGED"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    MORE_THAN_A_PICTURE = "MORE_THAN_A_PICTURE"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Is a picture in its bare form.

    Attributes:
        content: the bare form, safe to be shown under its media type.
        sha256: digest of the bare form, lower-case hex.
        has_labels: the file held more than the picture, as camera and place; that is left out.
    """

    kind: MediaKind
    content: bytes
    width: int
    height: int
    sha256: str
    has_labels: bool


def picture_in(content: bytes) -> Picture | PictureFault:
    """Return the picture in a file, or why there is none that is taken.

    Of a PNG every pixel is unpacked to see that they are all there and no more; a JPEG is bounded
    by its dimensions and number of scans.
    """
    if len(content) > MOST_BYTES:
        return PictureFault.TOO_LARGE
    try:
        parts = _taken_apart(content)
        if parts is None:
            return PictureFault.NOT_A_PICTURE
        if not _is_bearable(parts):
            return PictureFault.TOO_MANY_PIXELS
        if parts.behind:
            return PictureFault.MORE_THAN_A_PICTURE
        if parts.kind is MediaKind.PNG:
            _require_pixels(parts)
    except (ValueError, struct.error, zlib.error):
        return PictureFault.DAMAGED
    return Picture(
        kind=parts.kind,
        content=parts.bare,
        width=parts.width,
        height=parts.height,
        sha256=hashlib.sha256(parts.bare).hexdigest(),
        has_labels=len(parts.bare) < len(content),
    )


def picture_digest(content: bytes) -> str:
    """Return the digest by which pictures are compared: of the bare form, or of what came.

    What cannot be taken apart equals no specimen, as none is stored that way.
    """
    try:
        parts = _taken_apart(content)
    except (ValueError, struct.error):
        parts = None
    return hashlib.sha256(content if parts is None else parts.bare).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Is a picture taken apart.

    Attributes:
        behind: number of bytes behind the end of the picture.
        pixels: the packed pixels of a PNG.
    """

    kind: MediaKind
    bare: bytes
    width: int
    height: int
    behind: int
    head: bytes = b""
    pixels: bytes = b""


def _taken_apart(content: bytes) -> _Parts | None:
    """Return the parts; None if the file begins like no picture that is taken.

    Raises:
        ValueError, struct.error: it begins like one and breaks its format.
    """
    if content.startswith(_PNG):
        return _png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    return None


def _is_bearable(parts: _Parts) -> bool:
    sides = (parts.width, parts.height)
    return all(0 < each <= _MOST_SIDE for each in sides) and sides[0] * sides[1] <= MOST_PIXELS


def _png(content: bytes) -> _Parts:
    kept: dict[bytes, list[bytes]] = {b"IHDR": [], b"PLTE": [], b"tRNS": [], b"IDAT": []}
    end = 0
    for name, data, behind in _chunks(content):
        if not end and not kept[b"IHDR"] and name != b"IHDR":
            raise ValueError("the head does not come first")
        if name in kept:
            kept[name].append(data)
        elif name == b"IEND":
            end = behind
        elif not name[0] & 0x20:
            raise ValueError("a critical chunk of another kind")
    if not end or len(kept[b"IHDR"]) != 1 or max(len(kept[b"PLTE"]), len(kept[b"tRNS"])) > 1:
        raise ValueError("a part is missing, or there twice")
    head, pixels = kept[b"IHDR"][0], b"".join(kept[b"IDAT"])
    width, height = _sized(head, kept[b"PLTE"])
    parts = [_PNG, _chunk(b"IHDR", head)]
    parts += [_chunk(name, data) for name in (b"PLTE", b"tRNS") for data in kept[name]]
    parts += [_chunk(b"IDAT", pixels), _chunk(b"IEND", b"")]
    return _Parts(
        kind=MediaKind.PNG,
        bare=b"".join(parts),
        width=width,
        height=height,
        behind=len(content) - end,
        head=head,
        pixels=pixels,
    )


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield name, data and end of each chunk, up to the last."""
    at, name = len(_PNG), b""
    while name != b"IEND":
        (length,) = struct.unpack_from(">I", content, at)
        name, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        (stated,) = struct.unpack_from(">I", content, at + 8 + length)
        if not name.isalpha() or zlib.crc32(name + data) != stated:
            raise ValueError("a chunk is damaged")
        at += 12 + length
        yield name, data, at


def _sized(head: bytes, palettes: list[bytes]) -> tuple[int, int]:
    width, height, depth, colour, packing, filtering, lacing = struct.unpack(">IIBBBBB", head)
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or lacing > 1:
        raise ValueError("the head states what PNG does not know")
    if colour == _PALETTE and not palettes:
        raise ValueError("the palette is missing")
    if any(len(each) % 3 or not 3 <= len(each) <= 768 for each in palettes):
        raise ValueError("the palette is damaged")
    return width, height


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _require_pixels(parts: _Parts) -> None:
    """Return if the pixels unpack to as many lines as the head states, and nothing besides."""
    lines = tuple(_lines(parts.head))
    wanted = sum(count * length for count, length in lines)
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(parts.pixels, wanted + 1)
    if len(found) != wanted or not unpacking.eof or unpacking.unused_data:
        raise ValueError("there are more pixels than stated, or fewer")
    at = 0
    for count, length in lines:
        if any(mark > 4 for mark in found[at : at + count * length : length]):
            raise ValueError("a line is filtered in a way that PNG does not know")
        at += count * length


def _lines(head: bytes) -> Iterator[tuple[int, int]]:
    """Yield number and length of the lines of each pass, the filter's byte included."""
    width, height, depth, colour, _, _, lacing = struct.unpack(">IIBBBBB", head)
    bits = depth * _CHANNELS[colour]
    for left, top, across, down in (*_PASSES, *_LAST_PASSES) if lacing else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            yield rows, 1 + (columns * bits + 7) // 8


def _jpeg(content: bytes) -> _Parts:
    at, scans, size = 2, 0, (0, 0)
    kept = [b"\xff\xd8"]
    while True:
        marker, at = _marker(content, at)
        if marker == _END:
            break
        (length,) = struct.unpack_from(">H", content, at)
        data = content[at : at + length]
        if length < 2 or len(data) != length:
            raise ValueError("a segment is cut off")
        at += length
        if marker in _FRAMES:
            size = _framed(data, size)
        elif marker in _LABELS and not _is_colour_mark(marker, data):
            continue
        elif marker not in (*_TABLES, _SCAN, _ADOBE):
            raise ValueError("a segment of a kind that is not taken")
        kept.append(bytes((0xFF, marker)) + data)
        if marker == _SCAN:
            scans += 1
            behind = _scan_end(content, at)
            kept.append(content[at:behind])
            at = behind
    if not scans or scans > _MOST_SCANS or not all(size):
        raise ValueError("there is no picture in it, or too many passes over it")
    bare = b"".join((*kept, b"\xff\xd9"))
    return _Parts(
        kind=MediaKind.JPEG, bare=bare, width=size[0], height=size[1], behind=len(content) - at
    )


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """Return the marker that stands at a place, and where it ends."""
    if content[at : at + 1] != b"\xff":
        raise ValueError("no segment where one has to begin")
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content):
        raise ValueError("the end is missing")
    return content[at], at + 1


def _framed(data: bytes, before: tuple[int, int]) -> tuple[int, int]:
    depth, height, width, components = struct.unpack_from(">BHHB", data, 2)
    if any(before) or depth != 8 or components not in (1, 3, 4) or len(data) != 8 + 3 * components:
        raise ValueError("a frame of a kind that is not taken")
    return width, height


def _is_colour_mark(marker: int, data: bytes) -> bool:
    """Return whether a segment says how colours were coded: the pixels need it to be read."""
    return marker == _ADOBE and len(data) == 14 and data[2:7] == b"Adobe"


def _scan_end(content: bytes, at: int) -> int:
    """Return where the coded pixels end: before a marker that is neither a zero nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise ValueError("the end is missing")
        follows = content[at + 1]
        if follows == 0 or 0xD0 <= follows <= 0xD7:
            at += 2
        elif follows == 0xFF:
            at += 1
        else:
            return at
