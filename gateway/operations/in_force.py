"""What this gateway works by, part by part, and noting since when."""

from __future__ import annotations

from datetime import datetime

from gateway import __version__
from gateway.exchange.versions import own_parts
from gateway.operations.premises import Premises
from gateway.store import parts


def parts_of(premises: Premises) -> tuple[tuple[str, str, str], ...]:
    """Return name, version and SHA-256 of each mapping, profile, rule book and own format."""
    formats = (
        (f"format:{name}"[:100], version[:60], sha256)
        for name, version, sha256 in premises.own_formats()
    )
    return (("software:eco-gateway", __version__, ""), *own_parts(premises.desk), *formats)


def note_parts(premises: Premises, now: datetime) -> None:
    """Keep what is in force now where it differs from what was."""
    present = parts_of(premises)
    with premises.desk.store.read() as conn:
        known = {(each.name, each.version, each.checksum) for each in parts.newest(conn)}
    if known.issuperset(present):
        return
    with premises.desk.store.begin() as conn:
        parts.note(conn, present, at=now)
