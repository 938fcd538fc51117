"""Lanes: one worker process sends to many peers at a time, and none of them waits for another.

The dispatcher claims, each attempt runs in a thread of its own.  To a peer whose last attempt
succeeded several go at a time, to any other one (the store sees to both over all processes), and
such probes never take more than a quarter of the lanes: not even peers that have died while no
worker ran keep the others waiting.  An attempt that takes long stops counting against the lanes
in work, so that black holes and slow peers take no lane from the others.

Nothing is lost when the process ends: what was claimed and not recorded is claimed again when
its lease runs out.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from gateway.errors import ConflictError, GatewayError
from gateway.exchange.delivery import Worker, deliver
from gateway.exchange.hands import Hands
from gateway.store import Claim, outbox

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 1.0
"""An attempt that runs for longer is slow: it takes no lane from the others any more."""
PROBES_SHARE = 4
"""One lane of so many may be taken by probes of peers that failed last time."""
MOST_THREADS = 256
"""Slow attempts and lanes together; there are fewer states in the world."""
MOST_RENEWALS = 4
"""An attempt that outlives so many renewals of its lease is not trusted to end any more."""


@dataclass
class _Attempt:
    """Is one attempt under way.

    Attributes:
        begun: when, on the monotonic clock, which no correction of the time changes.
        lease_until: end of the lease as it was renewed last; None once it is lost or left.
    """

    claim: Claim
    begun: float
    lease_until: datetime | None
    renewals: int = 0


@dataclass
class Lanes:
    """Sends what is due for one worker, to many peers at a time; one dispatcher runs it.

    Attributes:
        width: attempts in work at a time, slow ones not counted.
        window: of them to one peer that answers.
        poll_seconds: longest time between two looks into the queue.
        patience_seconds: after this an attempt is slow.
    """

    worker: Worker
    width: int = 8
    poll_seconds: float = 1.0
    window: int = 8
    patience_seconds: float = PATIENCE_SECONDS
    _running: dict[tuple[int, int], _Attempt] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False)
    _stopped: bool = field(default=False, init=False)
    _hands: Hands = field(default_factory=lambda: Hands("lane"), init=False)

    def run(self, grace_seconds: float) -> int:
        """Send what becomes due until ``stop``, then wait for what is under way.

        Returns how many attempts were left to their leases because the grace was over.
        """
        while not self._stopped:
            self._step()
            self._wait()
        return self._finish(grace_seconds)

    def drain(self) -> int:
        """Send what is due now; return how many attempts were made.

        It ends when everything that is due at its start was tried, or cannot be tried because
        its peer's lane is parked.  What becomes due meanwhile, as a message that failed does,
        is left to the next run: a peer that fails at once keeps nobody busy for ever.
        """
        tried, started = 0, self.worker.desk.clock()
        while not self._stopped:
            busy = self.under_way  # read first: what ends meanwhile may have made room
            tried += (found := self._step(due_by=started))
            if not found and not busy:
                break
            self._wait()
        return tried

    def stop(self) -> None:
        """Claim nothing more; safe to call in a handler of signals and from any thread."""
        self._stopped = True

    @property
    def is_stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped

    @property
    def under_way(self) -> int:
        """How many attempts run at this moment."""
        return len(self._running)

    def _step(self, *, due_by: datetime | None = None) -> int:
        """Claim as much as there is room for and begin it; return how much that was."""
        try:
            self._renew()
            room = self._room()
            claims = self._claim(room, due_by) if room > 0 and self._is_roomy() else ()
        except Exception as exc:  # noqa: BLE001 - the dispatcher must go on: the books come back
            reason = exc.code if isinstance(exc, GatewayError) else type(exc).__name__
            log.error("claiming failed", worker=self.worker.name, error=reason)  # noqa: TRY400 - no payloads
            return 0
        for claim in claims:
            self._begin(claim)
        return len(claims)

    def _is_roomy(self) -> bool:
        """Return whether half the lanes are free: then one claim serves several messages."""
        return self.width - len(self._brisk()) >= self.width / 2

    def _room(self) -> int:
        return min(
            self.width - len(self._brisk()), MOST_THREADS - self.under_way, self.worker.batch
        )

    def _brisk(self, *, probes_only: bool = False) -> list[float]:
        """Return the seconds after which each attempt that is not slow yet will be."""
        now = time.monotonic()
        with self._lock:
            left = [
                one.begun + self.patience_seconds - now
                for one in self._running.values()
                if one.claim.is_probe or not probes_only
            ]
        return [seconds for seconds in left if seconds > 0]

    def _claim(self, room: int, due_by: datetime | None) -> tuple[Claim, ...]:
        worker = self.worker
        probes = max(1, self.width // PROBES_SHARE) - len(self._brisk(probes_only=True))

        def claim(conn: Connection) -> tuple[Claim, ...]:
            return outbox.claim_due(
                conn,
                worker=worker.name,
                now=worker.desk.clock(),
                lease_seconds=worker.lease_seconds,
                limit=room,
                due_by=due_by,
                per_peer=self.window,
                unproved=1,
                suspects=max(0, probes),
            )

        return worker.desk.store.together(claim)

    def _begin(self, claim: Claim) -> None:
        with self._lock:
            self._running[_key(claim)] = _Attempt(claim, time.monotonic(), claim.lease_until)
        self._hands.do(partial(self._attempt, claim))

    def _attempt(self, claim: Claim) -> None:
        try:
            deliver(self.worker, claim)
        except Exception as exc:  # noqa: BLE001 - its lease runs out, and the bytes are sent again
            log.error(  # noqa: TRY400 - no payloads
                "attempt not recorded", message_id=claim.message_id, error=type(exc).__name__
            )
        finally:
            with self._lock:
                del self._running[_key(claim)]
            self._ended.set()

    def _wait(self) -> None:
        """Wait until an attempt ends or turns slow, or until it is time to look again."""
        brisk = self._brisk()
        full = not self._is_roomy()
        self._ended.wait(min(self.poll_seconds, *brisk) if full else self.poll_seconds)
        self._ended.clear()

    def _renew(self) -> None:
        """Renew leases of which half is over, while their attempts are not out of all bounds."""
        now = self.worker.desk.clock()
        lease = timedelta(seconds=self.worker.lease_seconds)
        with self._lock:
            running = list(self._running.values())
        for one in running:
            if one.lease_until is None or one.lease_until - now >= lease / 2:
                continue
            if one.renewals < MOST_RENEWALS and self._renewed(one.claim, now + lease):
                one.lease_until, one.renewals = now + lease, one.renewals + 1
            else:
                one.lease_until = None

    def _renewed(self, claim: Claim, until: datetime) -> bool:
        try:
            with self.worker.desk.store.begin() as conn:
                outbox.renew(conn, claim, until)
        except ConflictError:  # it has just been recorded, or somebody else took it over
            return False
        return True

    def _finish(self, grace_seconds: float) -> int:
        over = time.monotonic() + grace_seconds
        while self.under_way and (left := over - time.monotonic()) > 0:
            self._ended.wait(left)
            self._ended.clear()
        with self._lock:
            remaining = [one.claim.message_id for one in self._running.values()]
        for message_id in remaining:
            log.warning("attempt left to its lease", message_id=message_id)
        return len(remaining)


def _key(claim: Claim) -> tuple[int, int]:
    return claim.dispatch_id, claim.fence
