"""Rows of counters, marks, outages, alerts and notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store.states import AlertLevel, AlertState, DeliveryState, NoticeKind, NoticeState


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Is how far a watcher has come.

    Attributes:
        anchor: hash at that position, where the watched rows are chained.
        fault: what was found wrong beyond it, None while nothing was.
    """

    name: str
    position: int
    anchor: str | None
    fault: str | None
    noted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Outage:
    """Is one span in which a peer could not be reached.

    Attributes:
        opened_at: when the first of the attempts that failed began.
        noticed_at: when enough had failed to call it an outage.
        failures: attempts that had failed in a row when last looked at.
        code: wire code of the newest failure.
    """

    id: int
    peer_id: int
    opened_at: datetime
    noticed_at: datetime
    closed_at: datetime | None
    failures: int
    code: str

    def lasted(self, now: datetime) -> timedelta:
        """Return how long it lasted, until ``now`` while it is open."""
        return (self.closed_at or now) - self.opened_at


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Is one thing that needs a person, from its first sight until it clears.

    Attributes:
        subject: what it is about; with the rule the key of a live alert.
        step: the threshold that is passed, in the rule's own unit.
        facts: values for the sentences; no payload and no personal data.
        count: how many times it was seen.
        told_at: when recipients were last told.
    """

    id: int
    rule: str
    subject: str
    level: AlertLevel
    state: AlertState
    step: str
    facts: Mapping[str, str]
    first_at: datetime
    last_at: datetime
    count: int
    told_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_why: str | None
    cleared_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Is one alert on its way to one recipient.

    Attributes:
        attempts: proof of a claim; an outcome under an older number is refused.
    """

    id: int
    alert_id: int
    kind: NoticeKind
    level: AlertLevel
    recipient: str
    state: NoticeState
    due_at: datetime | None
    attempts: int
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class QueueCount:
    """Is how many messages to one peer stand in one state that is not final."""

    peer_id: int
    state: DeliveryState
    count: int
    oldest_at: datetime


@dataclass(frozen=True, kw_only=True)
class OutcomeCount:
    """Is how many attempts at one peer ended alike.

    Attributes:
        answered: whether they ended with a receipt, accepting or refusing.
    """

    peer_id: int
    code: str | None
    answered: bool
    count: int


@dataclass(frozen=True, kw_only=True)
class EndedAttempt:
    """Is one ended attempt with the peer it was made at.

    Attributes:
        created_at: when its message was queued first.
        answered: whether it ended with a receipt, accepting or refusing.
    """

    peer_id: int
    worker: str
    started_at: datetime
    ended_at: datetime
    code: str | None
    http_status: int | None
    created_at: datetime
    answered: bool

    @property
    def seconds(self) -> float:
        """How long the attempt took."""
        return (self.ended_at - self.started_at).total_seconds()
