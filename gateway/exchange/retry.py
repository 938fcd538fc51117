"""When to try again: the pause after a failed attempt, and when a person must look.

Only the peer's signed verdict ends a delivery for good; every failure here is one of the way,
so the stored bytes are sent again until the time limit, then the dispatch waits for a person.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import GatewayError, PeerFaultError, TransportError

FIRST_PARKING = timedelta(seconds=2)
LONGEST_PARKING = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Says how long to wait between attempts.

    Attributes:
        first: pause after the first failure; each further failure doubles it.
        longest: no pause is longer.
        give_up_after: age of the dispatch after which the attempts stop.
    """

    first: timedelta
    longest: timedelta
    give_up_after: timedelta

    def pause(self, attempt: int, error: GatewayError) -> timedelta:
        """Return the pause after the ``attempt``-th failure, with up to a fifth of jitter.

        A peer's own Retry-After is honoured; a fault that the same bytes cannot cure waits
        as long as the policy allows.
        """
        asked = error.retry_after if isinstance(error, TransportError) else None
        if asked is not None:
            return min(timedelta(seconds=asked), self.longest)
        if isinstance(error, PeerFaultError) and not error.peer_retryable:
            return self.longest
        doubled = self.first * (1 << min(attempt - 1, 20))
        jitter = 1 + random.random() / 5  # noqa: S311 - no secret
        return min(doubled, self.longest) * jitter

    def parking(self, failures: int) -> timedelta:
        """Return how long nothing at all is sent to a peer that could not be reached.

        Doubles with each failure in a row, so that a dead peer with a long queue costs the
        others little; a peer that is back is noticed within a minute.

        Args:
            failures: attempts at this peer that failed before, since the last success.
        """
        doubled = FIRST_PARKING * (1 << min(failures, 10))
        return min(doubled, LONGEST_PARKING, self.longest)

    def next_attempt(
        self, *, created_at: datetime, now: datetime, attempt: int, error: GatewayError
    ) -> datetime | None:
        """Return when to try again, or None when a person must look."""
        if now - created_at >= self.give_up_after:
            return None
        return now + self.pause(attempt, error)
