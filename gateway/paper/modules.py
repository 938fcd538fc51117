"""The modules of a QR symbol: model 2, error correction M, mask 1, which is all that paper needs.

Written here because libraries weigh eight masks and walk every module in Python, which takes longer
than half of the form.  Where each bit goes is worked out once for each version; what remains for a
text is arithmetic on long numbers and one pick of letters.

Source: ISO/IEC 18004:2015, 7.4 (encoding), 7.5 (error correction), 7.7 (placement), 7.8 (mask),
7.9 and 7.10 (format and version information), tables 9 and E.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, zip_longest
from operator import itemgetter
from typing import Final

from gateway.errors import InputError

VERSIONS: Final = range(1, 41)
_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE_OF: Final = {letter: value for value, letter in enumerate(_ALPHANUMERIC)}
_CHECKS: Final = (
    *(10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26),
    *(26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28),
)
"""Codewords of error correction in each block, by version (level M)."""

_BLOCKS: Final = (
    *(1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16),
    *(17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49),
)
"""Blocks, by version (level M)."""

_FIELD: Final = 0x11D
_FORMAT_WORD: Final = 0b00_001
"""Level M, mask 1."""

_NOT: Final = str.maketrans("01", "10")
_PADDING: Final = ("11101100", "00010001")


def modules_of(text: str) -> list[str]:
    """Return the rows of the symbol that carries ``text``: ``1`` for each dark module.

    Raises:
        InputError: no symbol holds so much.
    """
    version, bits = _data_bits(text)
    size = 17 + 4 * version
    placed = "".join(_picks(version)(_pool(_with_checks(version, bits))))
    return [placed[at : at + size] for at in range(0, size * size, size)]


def _data_bits(text: str) -> tuple[int, str]:
    """Return the smallest version that holds the text, and its data as bits."""
    is_plain = all(letter in _VALUE_OF for letter in text)
    said = _plain_bits(text) if is_plain else "".join(f"{each:08b}" for each in text.encode())
    count = len(text) if is_plain else len(text.encode())
    for version in VERSIONS:
        band = (version > 9) + (version > 26)
        width = ((9, 11, 13) if is_plain else (8, 16, 16))[band]
        room = 8 * sum(_block_sizes(version))
        bits = f"{0b0010 if is_plain else 0b0100:04b}{count:0{width}b}{said}"
        if count < 1 << width and len(bits) <= room:
            return version, _filled(bits, room)
    raise InputError("the text is too long for any QR code")


def _plain_bits(text: str) -> str:
    values = [_VALUE_OF[letter] for letter in text]
    pairs = zip(values[::2], values[1::2], strict=False)
    last = f"{values[-1]:06b}" if len(values) % 2 else ""
    return "".join([f"{45 * first + second:011b}" for first, second in pairs]) + last


def _filled(bits: str, room: int) -> str:
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    missing = (room - len(bits)) // 8
    return bits + "".join(_PADDING[n % 2] for n in range(missing))


def _with_checks(version: int, bits: str) -> str:
    """Return data and error correction, block by block in turns, as the symbol takes them."""
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    degree = _CHECKS[version - 1]
    blocks, at = [], 0
    for size in _block_sizes(version):
        blocks.append(data[at : at + size])
        at += size
    checks = [_checks_of(block, degree) for block in blocks]
    in_turns = [each for each in chain(*zip_longest(*blocks)) if each is not None]
    whole = bytes(in_turns) + bytes(chain(*zip(*checks, strict=True)))
    return f"{int.from_bytes(whole, 'big'):0{8 * len(whole)}b}"


@cache
def _block_sizes(version: int) -> tuple[int, ...]:
    """Return the codewords of data in each block; the shorter blocks come first."""
    blocks = _BLOCKS[version - 1]
    data = _data_modules(version) // 8 - blocks * _CHECKS[version - 1]
    short, long = divmod(data, blocks)
    return (short,) * (blocks - long) + (short + 1,) * long


def _checks_of(block: bytes, degree: int) -> bytes:
    """Return the remainder of a block by the generator polynomial, one step for each byte."""
    rows, top, room = _multiples(degree), 8 * (degree - 1), (1 << 8 * degree) - 1
    rest = 0
    for byte in block:
        rest = (rest << 8 & room) ^ rows[(rest >> top) ^ byte]
    return rest.to_bytes(degree, "big")


@cache
def _multiples(degree: int) -> tuple[int, ...]:
    """Return the generator polynomial of a degree times each byte, as numbers."""
    generator, root = [1], 1
    for _ in range(degree):
        shifted = [_product(each, root) for each in generator]
        pairs = zip([*generator, 0], [0, *shifted], strict=True)
        generator = [first ^ second for first, second in pairs]
        root = _product(root, 2)
    return tuple(
        int.from_bytes(bytes(_product(each, factor) for each in generator[1:]), "big")
        for factor in range(256)
    )


def _product(first: int, second: int) -> int:
    found = 0
    while second:
        found ^= first if second & 1 else 0
        first = first << 1 ^ (_FIELD if first & 0x80 else 0)
        second >>= 1
    return found


def _pool(bits: str) -> str:
    """Return what modules are picked from: light, dark, the bits, and the bits turned over."""
    return f"01{bits}{bits.translate(_NOT)}"


@cache
def _picks(version: int) -> Callable[[str], tuple[str, ...]]:
    """Return what picks each module, row by row, from a pool of bits."""
    size, fixed = 17 + 4 * version, _fixed(version)
    usable = _data_modules(version) // 8 * 8
    where = {}
    for number, (row, column) in enumerate(_way(size, fixed)):
        turned = row % 2 == 0
        if number < usable:
            where[row, column] = 2 + number + (usable if turned else 0)
        else:  # bits that are left over are light before the mask
            where[row, column] = int(turned)
    where |= {place: int(is_dark) for place, is_dark in fixed.items()}
    return itemgetter(*(where[row, column] for row in range(size) for column in range(size)))


def _way(size: int, fixed: dict[tuple[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Yield the places of data, two columns at a time, upwards and downwards in turns."""
    rights = [right if right > 6 else right - 1 for right in range(size - 1, 0, -2)]
    for turn, right in enumerate(rights):
        rows: Sequence[int] = range(size) if turn % 2 else range(size - 1, -1, -1)
        for row in rows:
            for column in (right, right - 1):
                if (row, column) not in fixed:
                    yield row, column


def _fixed(version: int) -> dict[tuple[int, int], bool]:
    """Return the modules that hold no data: patterns, format and version information."""
    size = 17 + 4 * version
    found = {(6, n): n % 2 == 0 for n in range(size)}
    found |= {(n, 6): n % 2 == 0 for n in range(size)}
    centres = _centres(version)
    for row in centres:
        for column in centres:
            if (row, column) not in {(6, 6), (6, size - 7), (size - 7, 6)}:
                found |= _square(row, column, 2, {2, 0})
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        found |= _square(row, column, 4, {3, 1, 0})
    found = {place: dark for place, dark in found.items() if 0 <= min(place) <= max(place) < size}
    return found | _format(size) | (_version(version, size) if version > 6 else {})


def _square(row: int, column: int, reach: int, dark: set[int]) -> dict[tuple[int, int], bool]:
    """Return nested squares, dark where the distance from the centre is listed."""
    span = range(-reach, reach + 1)
    return {(row + y, column + x): max(abs(x), abs(y)) in dark for y in span for x in span}


def _centres(version: int) -> list[int]:
    """Return the rows, and columns, of the centres of alignment patterns."""
    if version == 1:
        return []
    count = version // 7 + 2
    step = 26 if version == 32 else (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    last = 4 * version + 10
    return [6, *sorted(last - n * step for n in range(count - 1))]


def _format(size: int) -> dict[tuple[int, int], bool]:
    """Return level and mask, twice, and the module that is always dark."""
    bits = (_FORMAT_WORD << 10 | _remainder(_FORMAT_WORD << 10, 0x537)) ^ 0x5412
    beside = [*((n, 8) for n in (0, 1, 2, 3, 4, 5, 7, 8)), *((8, n) for n in (7, 5, 4, 3, 2, 1, 0))]
    apart = [*((8, size - 1 - n) for n in range(8)), *((size - 7 + n, 8) for n in range(7))]
    found = {place: bool(bits >> n & 1) for n, place in enumerate(beside)}
    found |= {place: bool(bits >> n & 1) for n, place in enumerate(apart)}
    return found | {(size - 8, 8): True}


def _version(version: int, size: int) -> dict[tuple[int, int], bool]:
    """Return the version, twice."""
    bits = version << 12 | _remainder(version << 12, 0x1F25)
    found = {}
    for n in range(18):
        is_dark = bool(bits >> n & 1)
        found[n // 3, size - 11 + n % 3] = found[size - 11 + n % 3, n // 3] = is_dark
    return found


def _remainder(value: int, divisor: int) -> int:
    while value.bit_length() >= divisor.bit_length():
        value ^= divisor << value.bit_length() - divisor.bit_length()
    return value


def _data_modules(version: int) -> int:
    """Return how many modules hold data or error correction."""
    room = (16 * version + 128) * version + 64
    if version > 1:
        count = version // 7 + 2
        room -= (25 * count - 10) * count - 55
    return room - 36 if version > 6 else room
