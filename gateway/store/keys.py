"""The one spelling of business keys under which the store looks things up.

What was written is kept beside the key and shown to people; the key only decides whether
two spellings mean the same serial, declaration, exporter or invoice number.
"""

from __future__ import annotations

import hashlib
import unicodedata

_DASHES = frozenset("‐‑‒–—―−﹘﹣-⁃˗ーｰ־᠆")


def canonical_key(written: str) -> str:
    """Return the spelling under which ``written`` is looked up.

    NFKC, invisible characters dropped, every dash a hyphen, every decimal digit an ASCII
    one, upper case, white space trimmed and runs of it made one space.
    """
    if written.isascii():  # nearly every key; what follows would change nothing else in it
        return " ".join(written.upper().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written).upper())
    return " ".join("".join(_fold(char) for char in folded).split())


def digest(content: bytes) -> str:
    """Return the SHA-256 of ``content`` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _fold(char: str) -> str:
    if char in _DASHES:
        return "-"
    if unicodedata.category(char) == "Cf":
        return ""
    number = unicodedata.decimal(char, None)
    return char if number is None else str(number)
