"""When to try again: the pause after a failed attempt, and when a person must look.

Only the peer's signed verdict ends a delivery for good; every failure here is one of the way,
so the stored bytes are sent again until the time limit, then the dispatch waits for a person.
Which failure is treated how stands in the table (``gateway.exchange.retry_table``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.errors import GatewayError, TransportError
from gateway.exchange.retry_table import RetryClass, RetryTable, Treatment

_MOST_STEPS = 64
"""Growth is not computed further; every pause has reached its bound long before."""

_PROBE_AFTER = 1.1
"""Of the longest time for which a lane is parked: what was queued meanwhile goes first."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Says how long to wait between attempts.

    Attributes:
        first: pause after the first failure, where the class of the failure names none.
        longest: longest pause, likewise.
        give_up_after: time since the first attempt after which the attempts stop, likewise.
    """

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=15)
    give_up_after: timedelta = timedelta(hours=72)
    table: RetryTable = field(default_factory=RetryTable.load)

    def pause(self, attempt: int, error: GatewayError) -> timedelta:
        """Return the pause after the ``attempt``-th failure, with up to a fifth of jitter.

        A peer's own Retry-After is honoured up to the longest pause; a fault that the same
        bytes cannot cure waits as long as the class allows.
        """
        kind = self.table.class_of(error)
        longest = self._longest(kind)
        asked = _asked(error)
        if asked is not None:
            return min(asked, longest)
        if kind.treatment is not Treatment.BACKOFF:
            return longest
        first = self.first if kind.first is None else timedelta(seconds=kind.first)
        jitter = 1 + random.random() / 5  # noqa: S311 - no secret
        return _grown(first, kind.factor, attempt - 1, longest) * jitter

    def parking(self, failures: int, error: GatewayError | None = None) -> timedelta:
        """Return how long nothing at all is sent to a peer after one more failure of the way.

        Grows with each failure in a row, so that a dead peer with a long queue costs the
        others little; a peer that is back is noticed within the longest pause.

        Args:
            failures: attempts at this peer that failed before, since the last success.
            error: the failure; the peer's own Retry-After counts if it is longer.
        """
        breaker = self.table.lane
        asked = None if error is None else _asked(error)
        pause = timedelta()
        if failures + 1 >= breaker.after:
            first, longest = timedelta(seconds=breaker.first), timedelta(seconds=breaker.longest)
            steps = failures + 1 - breaker.after
            pause = min(_grown(first, breaker.factor, steps, longest), self.longest)
        return pause if asked is None else max(pause, min(asked, self.longest))

    def parked_until(self, now: datetime, failures: int, error: GatewayError) -> datetime | None:
        """Return until when the lane is parked after ``error``, None where it is not."""
        if not self.table.class_of(error).blocks_lane:
            return None
        pause = self.parking(failures, error)
        return now + pause if pause else None

    def probe_at(self, now: datetime, error: GatewayError) -> datetime | None:
        """Return until when some message of the lane is tried again after ``error``.

        None where that must wait: the peer asked for a pause, or the table names a longest one.
        """
        kind = self.table.class_of(error)
        own_pause = kind.treatment is not Treatment.BACKOFF or kind.longest is not None
        if own_pause or _asked(error) is not None:
            return None
        return now + timedelta(seconds=self.table.lane.longest * _PROBE_AFTER)

    def next_attempt(
        self, *, since: datetime, now: datetime, attempt: int, error: GatewayError
    ) -> datetime | None:
        """Return when to try again, or None when a person must look.

        Args:
            since: when the first attempt began since the message was queued (again).
        """
        kind = self.table.class_of(error)
        hours = kind.give_up_hours
        limit = self.give_up_after if hours is None else timedelta(hours=hours)
        if kind.treatment is Treatment.HOLD or now - since >= limit:
            return None
        return now + self.pause(attempt, error)

    def _longest(self, kind: RetryClass) -> timedelta:
        return self.longest if kind.longest is None else timedelta(seconds=kind.longest)


def _asked(error: GatewayError) -> timedelta | None:
    asked = error.retry_after if isinstance(error, TransportError) else None
    return None if asked is None else timedelta(seconds=asked)


def _grown(first: timedelta, factor: float, steps: int, longest: timedelta) -> timedelta:
    grown = first.total_seconds() * factor ** min(max(steps, 0), _MOST_STEPS)
    return longest if grown >= longest.total_seconds() else timedelta(seconds=grown)
