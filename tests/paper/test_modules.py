"""QR symbols of our own: module by module what segno makes, and what zxing reads."""

from __future__ import annotations

import random
from bisect import bisect_right

import pytest
import segno
import zxingcpp
from PIL import Image

from gateway.errors import InputError
from gateway.paper.fonts import shown_characters
from gateway.paper.modules import VERSIONS, modules_of

PLAIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CAPACITY = {1: 20, 9: 262, 10: 311, 26: 1542, 27: 1637, 40: 3391}
"""Letters of the alphanumeric mode that a version holds at level M: ISO/IEC 18004, table 7."""


def chance(letters: str, count: int) -> str:
    source = random.Random(count)
    return "".join(source.choice(letters) for _ in range(count))


def of_segno(text: str) -> list[str]:
    code = segno.make(text, error="m", boost_error=False, micro=False, mask=1)
    return ["".join(map(str, row)) for row in code.matrix]


def read(rows: list[str]) -> str:
    """Return what a reader sees."""
    side = len(rows) + 8
    picture = Image.new("L", (side, side), 255)
    for y, row in enumerate(rows):
        for x, module in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if module == "1" else 255)
    found = zxingcpp.read_barcodes(picture.resize((side * 4, side * 4), Image.Resampling.NEAREST))
    assert len(found) == 1
    return str(found[0].text)


def size_of(text: str) -> int:
    return (len(modules_of(text)) - 17) // 4


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_module_by_module_what_segno_makes(version: int) -> None:
    """Full symbols are compared: after data that end with a byte segno puts one byte too many."""
    counts = range(1, 3_392)
    most = bisect_right(counts, version, key=lambda count: size_of("A" * count))
    text = chance(PLAIN, most)
    assert size_of(text) == version
    assert modules_of(text) == of_segno(text)


@pytest.mark.parametrize(("version", "most"), CAPACITY.items())
def test_a_version_holds_as_much_as_the_standard_says(version: int, most: int) -> None:
    full = chance(PLAIN, most)
    assert size_of(full) == version
    assert modules_of(full) == of_segno(full)
    if version < VERSIONS[-1]:
        assert size_of(full + "A") == version + 1
    else:
        with pytest.raises(InputError):
            modules_of(full + "A")


@pytest.mark.parametrize("count", [1, 2, 13, 14, 100, 230, 1_000])
@pytest.mark.parametrize("letters", ["A1:/", "a~?_=&"])
def test_a_reader_reads_what_was_written(count: int, letters: str) -> None:
    text = chance(letters, count)
    assert read(modules_of(text)) == text


def test_texts_of_other_scripts_are_bytes() -> None:
    assert read(modules_of("شهادة été")) == "شهادة été"


def test_every_plain_letter_has_a_picture_in_the_fonts() -> None:
    assert set(range(0x20, 0x7F)) <= shown_characters()
