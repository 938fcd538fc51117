"""Rows of announced maintenance, and of what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class NewMaintenance:
    """Is a span in which a gateway may not answer, as it is announced.

    Attributes:
        peer_id: whose gateway; None for our own.
        note: why, by language (``en``, ``fr``, ``ar``); not every one need be there.
    """

    peer_id: int | None
    begins_at: datetime
    ends_at: datetime
    note: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Maintenance(NewMaintenance):
    """Is an announced span as stored.

    Attributes:
        announced_by: who announced it; the peer itself for a peer's.
        closed_at: when it was ended or taken back; None while the announcement stands.
    """

    id: int
    announced_at: datetime
    announced_by: str
    closed_at: datetime | None

    def lasts(self, now: datetime) -> bool:
        """Return whether it is under way."""
        return self.closed_at is None and self.begins_at <= now < self.ends_at

    def is_to_come(self, now: datetime) -> bool:
        """Return whether it stands and has not begun."""
        return self.closed_at is None and now < self.begins_at


@dataclass(frozen=True, kw_only=True)
class PartInForce:
    """Is a mapping, profile, rule book or format with its version and since when it is in force.

    Attributes:
        name: as ``agreement:COMESA``.
        checksum: SHA-256 of what was read, in hex; the whole or its beginning.
    """

    name: str
    version: str
    checksum: str
    since: datetime
