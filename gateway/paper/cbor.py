"""The part of CBOR that a summary is made of: written in one way only, read no further than that.

Numbers without sign, negative numbers, bytes, text, lists and maps with small depth; every length
stated, every number in its shortest form.  What deviates is no summary of ours, so two spellings
of the same statement cannot exist.

Source: RFC 8949, 3 and 4.2.1 (core deterministic encoding).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

Value = int | bytes | str | Sequence["Value"] | Mapping[int, "Value"]

MOST_DEPTH: Final = 6
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP = range(6)
_WIDTHS: Final = ((24, 1), (25, 2), (26, 4), (27, 8))


def written(value: Value) -> bytes:
    """Return a value in its one spelling."""
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode("utf-8")
        return _head(_TEXT, len(encoded)) + encoded
    if isinstance(value, Mapping):
        members = b"".join(written(key) + written(value[key]) for key in sorted(value))
        return _head(_MAP, len(value)) + members
    return _head(_LIST, len(value)) + b"".join(written(each) for each in value)


def read(raw: bytes) -> Value:
    """Return the value that the bytes spell, all of them.

    Raises:
        ValueError: they spell none, more than one, or one in another spelling.
    """
    value, at = _value(raw, 0, MOST_DEPTH)
    if at != len(raw):
        raise ValueError("bytes follow the value")
    return value


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for mark, width in _WIDTHS:
        if number < 1 << (8 * width):
            return bytes([kind << 5 | mark]) + number.to_bytes(width, "big")
    raise ValueError("a number of more than 64 bits")


def _value(raw: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth == 0:
        raise ValueError("lists within lists, too deep")
    kind, number, at = _read_head(raw, at)
    if kind == _UNSIGNED:
        return number, at
    if kind == _NEGATIVE:
        return -1 - number, at
    if kind in (_BYTES, _TEXT):
        if number > len(raw) - at:
            raise ValueError("ends too early")
        content = raw[at : at + number]
        return (content if kind == _BYTES else content.decode("utf-8")), at + number
    if kind == _LIST:
        return _list(raw, at, number, depth)
    if kind == _MAP:
        return _map(raw, at, number, depth)
    raise ValueError("holds what no summary holds")


def _read_head(raw: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(raw):
        raise ValueError("ends too early")
    kind, number = raw[at] >> 5, raw[at] & 31
    if number < 24:
        return kind, number, at + 1
    width = dict(_WIDTHS).get(number)
    if width is None or at + 1 + width > len(raw):
        raise ValueError("ends too early, or states no length")
    stated = int.from_bytes(raw[at + 1 : at + 1 + width], "big")
    if stated < (24 if width == 1 else 1 << (4 * width)):
        raise ValueError("a number that is not in its shortest form")
    return kind, stated, at + 1 + width


def _list(raw: bytes, at: int, number: int, depth: int) -> tuple[Value, int]:
    if number > len(raw) - at:
        raise ValueError("ends too early")
    found: list[Value] = []
    for _ in range(number):
        value, at = _value(raw, at, depth - 1)
        found.append(value)
    return found, at


def _map(raw: bytes, at: int, number: int, depth: int) -> tuple[Value, int]:
    if number > len(raw) - at:
        raise ValueError("ends too early")
    found: dict[int, Value] = {}
    last: int | None = None
    for _ in range(number):
        key, at = _value(raw, at, 1)
        if not isinstance(key, int) or (last is not None and key <= last):
            raise ValueError("the members of a map are not in order")
        last = key
        found[key], at = _value(raw, at, depth - 1)
    return found, at
