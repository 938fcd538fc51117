"""Finding a certificate by what a scanner read from its printed form.

The text may be the number itself, an address that names it, or the signed summary of the form
(``ECO1.`` and base32).  It only says where to look: what counts is the certificate in our books,
so nothing in the text is believed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote_plus

from gateway.agreements import Agreement

LONGEST: Final = 4_000
_SUMMARY: Final = re.compile(r"ECO1\.([A-Z2-7]{40,3000})", re.ASCII)


def serial_numbers_in(text: str, agreements: Mapping[str, Agreement]) -> tuple[str, ...]:
    """Return the serial numbers that a scanned text names, each once, in their order."""
    read = unquote_plus(text[:LONGEST])
    places = (read, *_summaries(read))
    patterns = [each.serial_number.compiled for each in agreements.values()]
    found = (
        match[0] for place in places for pattern in patterns for match in pattern.finditer(place)
    )
    return tuple(dict.fromkeys(found))


def _summaries(text: str) -> Iterator[str]:
    """Yield the bytes of a summary as letters: a number stands in them as plain text."""
    for match in _SUMMARY.finditer(text):
        written = match[1]
        padded = written + "=" * (-len(written) % 8)
        try:
            yield base64.b32decode(padded).decode("latin-1")
        except binascii.Error:
            continue
