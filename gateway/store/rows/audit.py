"""Rows of the journal and of the feed of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.states import EventCircle, EventKind


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """Is one line of the journal; ``entry_hash`` covers all of it and the line before."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous_hash: str
    entry_hash: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Is one thing the national system is told; ``cursor`` only rises.

    Attributes:
        circle: who is told: with ISSUED and RECEIVED those whom a certificate of ``country``,
            issued by ``authority`` (canonical code), concerns.
    """

    cursor: int
    at: datetime
    kind: EventKind
    subject: str
    data: Mapping[str, Any]
    circle: EventCircle = EventCircle.OPERATORS
    country: str | None = None
    authority: str | None = None
    certificate_id: int | None = None

    @property
    def lane(self) -> str:
        """What the event is about; events of one lane are told in their order."""
        known = self.certificate_id
        return f"subject {self.subject}" if known is None else f"certificate {known}"
