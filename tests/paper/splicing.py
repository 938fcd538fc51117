"""Taking summaries apart and putting the parts of two together, as a forger would."""

from __future__ import annotations

import base64

from gateway.paper import cbor
from gateway.paper.summary import MARK


def parts(text: str) -> list[cbor.Value]:
    """Head, open head, payload and signature of a summary."""
    letters = text.removeprefix(MARK)
    found = cbor.read(base64.b32decode(letters + "=" * (-len(letters) % 8)))
    assert isinstance(found, list)
    return found


def joined(message: list[cbor.Value]) -> str:
    """A summary of these parts, signed by nobody who knew all of them."""
    return MARK + base64.b32encode(cbor.written(message)).decode().rstrip("=")


def with_payload_of(text: str, other: str) -> str:
    """The first summary with the statement of the other one."""
    head, open_head, _, signature = parts(text)
    return joined([head, open_head, parts(other)[2], signature])
