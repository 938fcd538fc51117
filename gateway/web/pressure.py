"""Back-pressure: how many requests of peers are in work at a time, of one peer and in total.

Counted where requests come in, before a body is read.  One peer, however eager or slow, leaves
room for the others; all together leave room for pings and for the health of the process.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.errors import BusyError, SlowDownError

_PEERS_REMEMBERED: Final = 1_024
UNKNOWN: Final = "unknown"
"""Callers without a client certificate share one bucket."""


@dataclass(frozen=True, kw_only=True)
class Pressure:
    """Bounds what is taken at a time.

    Attributes:
        at_once: requests with a body in work, of all peers; fewer than the listener has threads.
        at_once_per_peer: of one peer.
        per_minute: messages that one peer may send in the long run.
        burst: messages that a peer may send at once after a pause.
    """

    at_once: int = 6
    at_once_per_peer: int = 4
    per_minute: int = 6000
    burst: int = 1000

    @classmethod
    def for_threads(cls, threads: int, *, per_minute: int, burst: int) -> Pressure:
        """Return the bounds for a listener with so many threads: some stay free for pings."""
        at_once = max(1, threads - 2)
        return cls(
            at_once=at_once,
            at_once_per_peer=max(1, at_once * 2 // 3),
            per_minute=per_minute,
            burst=burst,
        )


@dataclass
class _Bucket:
    tokens: float
    filled_at: float
    in_work: int = 0


class Gate:
    """Lets requests in or turns them away; safe between threads, one per listener process."""

    def __init__(self, pressure: Pressure, clock: Callable[[], float] = time.monotonic) -> None:
        self._pressure = pressure
        self._clock = clock
        self._lock = threading.Lock()
        self._in_work = 0
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    @contextmanager
    def passage(self, caller: str | None) -> Iterator[None]:
        """Hold a place for one request of ``caller`` while the block runs.

        Raises:
            SlowDownError: this caller has as many in work as it may, or sends too fast.
            BusyError: all callers together have.
        """
        self.enter(caller)
        try:
            yield
        finally:
            self.leave(caller)

    def enter(self, caller: str | None) -> None:
        """Take a place for one request; whoever may enter must ``leave``.

        Raises:
            SlowDownError, BusyError: see ``passage``; no place was taken.
        """
        with self._lock:
            bucket = self._bucket(caller or UNKNOWN)
            if bucket.in_work >= self._pressure.at_once_per_peer:
                raise SlowDownError(
                    f"{bucket.in_work} of your requests are in work", retry_after=1.0
                )
            if bucket.tokens < 1:
                wait = (1 - bucket.tokens) * 60 / self._pressure.per_minute
                raise SlowDownError("you send faster than agreed", retry_after=math.ceil(wait))
            if self._in_work >= self._pressure.at_once:
                raise BusyError(f"{self._in_work} requests are in work")
            bucket.tokens -= 1
            bucket.in_work += 1
            self._in_work += 1

    def leave(self, caller: str | None) -> None:
        """Give the place of a request back."""
        with self._lock:
            self._in_work -= 1
            self._buckets[caller or UNKNOWN].in_work -= 1

    def _bucket(self, caller: str) -> _Bucket:
        now, burst = self._clock(), float(self._pressure.burst)
        bucket = self._buckets.setdefault(caller, _Bucket(burst, now))
        grown = (now - bucket.filled_at) * self._pressure.per_minute / 60
        bucket.tokens, bucket.filled_at = min(burst, bucket.tokens + grown), now
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _PEERS_REMEMBERED:
            self._forget_one()
        return bucket

    def _forget_one(self) -> None:
        """Forget whoever was silent for longest and has nothing in work."""
        idle = next((name for name, one in self._buckets.items() if not one.in_work), None)
        if idle is not None:
            del self._buckets[idle]
