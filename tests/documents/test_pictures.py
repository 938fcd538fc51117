"""Pictures from outside: what is taken, what is left out of it, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from gateway.documents.pictures import (
    MOST_BYTES,
    MediaKind,
    Picture,
    PictureFault,
    picture_digest,
    picture_in,
)
from tests.paper.pictures import png


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(mode: str = "RGB", **how: object) -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert(mode).save(made, "JPEG", **how)
    return made.getvalue()


def labelled_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera Works"
    return jpeg(exif=exif, comment=b"taken at the border post")


def labelled_png() -> bytes:
    whole = png()
    return whole[:33] + chunk(b"tEXt", b"Comment\0<script>alert(1)</script>") + whole[33:]


def head(width: int, height: int, *, depth: int = 8, colour: int = 2, lacing: int = 0) -> bytes:
    stated = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lacing)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", stated)


def taken(content: bytes) -> Picture:
    found = picture_in(content)
    assert isinstance(found, Picture), found
    return found


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("lacing", [0, 1])
def test_every_form_of_png_is_taken_and_shows_the_same_pixels(mode: str, lacing: int) -> None:
    made = io.BytesIO()
    source = Image.linear_gradient("L").resize((21, 13))
    source = source.convert("I").convert(mode) if mode == "I;16" else source.convert(mode)
    source.save(made, "PNG", interlace=lacing)
    found = taken(made.getvalue())
    assert (found.kind, found.width, found.height) == (MediaKind.PNG, 21, 13)
    with Image.open(io.BytesIO(found.content)) as bare, Image.open(made) as whole:
        assert bare.tobytes() == whole.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_form_of_jpeg_is_taken_and_shows_the_same_pixels(
    mode: str, progressive: bool
) -> None:
    whole = jpeg(mode, progressive=progressive)
    found = taken(whole)
    assert (found.kind, found.width, found.height) == (MediaKind.JPEG, 40, 30)
    with Image.open(io.BytesIO(found.content)) as bare, Image.open(io.BytesIO(whole)) as before:
        assert bare.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (labelled_jpeg(), b"Secret Camera"),
        (labelled_jpeg(), b"border post"),
        (labelled_png(), b"<"),
    ],
)
def test_what_names_camera_place_or_script_is_left_out(content: bytes, secret: bytes) -> None:
    assert secret in content
    found = taken(content)
    assert found.has_labels
    assert secret not in found.content
    assert taken(found.content).content == found.content


def test_the_same_picture_has_one_digest_whatever_labels_it_carries() -> None:
    assert picture_digest(labelled_png()) == picture_digest(png()) == taken(png()).sha256
    assert picture_digest(labelled_jpeg()) == picture_digest(jpeg())
    assert picture_digest(png(40, 20)) != picture_digest(png(20, 40))


def test_what_is_no_picture_has_the_digest_of_its_bytes() -> None:
    assert picture_digest(b"nothing") != picture_digest(b"something")
    assert len(picture_digest(b"\xff\xd8\xff")) == len(picture_digest(b"\x89PNG\r\n\x1a\n")) == 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"%PDF-1.7",
        b"<html>",
        b"PK\x03\x04",
        b" " + png(),
    ],
)
def test_files_of_another_kind_are_refused_by_what_they_are(content: bytes) -> None:
    assert picture_in(content) is PictureFault.NOT_A_PICTURE


@pytest.mark.parametrize("behind", [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(40), b"\0"])
@pytest.mark.parametrize("whole", [png(), jpeg()])
def test_a_picture_with_something_behind_its_end_is_refused(whole: bytes, behind: bytes) -> None:
    assert picture_in(whole + behind) is PictureFault.MORE_THAN_A_PICTURE
    assert picture_digest(whole + behind) == picture_digest(whole)


@pytest.mark.parametrize(
    ("width", "height"), [(100_000, 100_000), (2001, 2000), (10_001, 1), (0, 5)]
)
def test_a_picture_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    width: int, height: int
) -> None:
    small = chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    assert picture_in(head(width, height) + small) is PictureFault.TOO_MANY_PIXELS


def test_a_jpeg_that_states_too_many_pixels_is_refused() -> None:
    at = jpeg().index(b"\xff\xc0") + 5
    bent = jpeg()[:at] + struct.pack(">HH", 60_000, 60_000) + jpeg()[at + 4 :]
    assert picture_in(bent) is PictureFault.TOO_MANY_PIXELS


def test_more_bytes_than_a_certificate_carries_are_refused() -> None:
    assert picture_in(png() + bytes(MOST_BYTES)) is PictureFault.TOO_LARGE


BOMB = zlib.compress(bytes(30_000_000))


@pytest.mark.parametrize(
    "content",
    [
        head(10, 10) + chunk(b"IDAT", BOMB) + chunk(b"IEND", b""),
        head(10, 10) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b""),
        head(1, 1) + chunk(b"IDAT", zlib.compress(b"\x07abc")) + chunk(b"IEND", b""),
        head(1, 1) + chunk(b"IDAT", zlib.compress(b"\0abc") + b"x") + chunk(b"IEND", b""),
        head(1, 1, depth=3) + chunk(b"IEND", b""),
        head(1, 1, colour=3) + chunk(b"IDAT", zlib.compress(b"\0a")) + chunk(b"IEND", b""),
        head(1, 1) + chunk(b"EVIL", b"") + chunk(b"IEND", b""),
        head(1, 1) + head(1, 1)[8:] + chunk(b"IEND", b""),
        head(1, 1),
        png()[:-4] + b"\0\0\0\0",
        png()[:60],
        jpeg()[:-2],
        jpeg()[:300],
        jpeg()[:2] + b"\xff\xd9",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc9\x00\x04\x00\x00\xff\xd9",
    ],
    ids=[
        *("bomb", "short", "filter", "behind the pixels", "depth", "palette", "critical", "heads"),
        *("no end", "checksum", "cut", "jpeg cut", "jpeg cut early", "jpeg empty", "jpeg start"),
        "arithmetic",
    ],
)
def test_a_damaged_or_lying_picture_is_refused(content: bytes) -> None:
    assert picture_in(content) is PictureFault.DAMAGED


def test_a_jpeg_of_endless_passes_is_refused() -> None:
    whole = jpeg(progressive=True)
    at = whole.rindex(b"\xff\xda")
    last = whole[at:-2]
    assert picture_in(whole[:-2] + last * 200 + b"\xff\xd9") is PictureFault.DAMAGED
