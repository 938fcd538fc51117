"""The clerk of the watched folders: gives each its turn, and waits longer where one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from gateway.errors import GatewayError
from gateway.files.handing_out import Outbox
from gateway.files.leases import Lease, take_turn
from gateway.files.taking import Inbox
from gateway.services.access import Caller, by_folder
from gateway.services.counter import Counter
from gateway.store import clients

log = structlog.get_logger(__name__)

LONGEST_PAUSE: Final = timedelta(minutes=5)

Work = Callable[[Caller, Lease], int]


@dataclass
class FileClerk:
    """Looks after the watched folders of one gateway, in one process.

    Attributes:
        poll: pause between two turns of a folder.
        lease: after so long a silent worker's turn may be taken over.
        tick: seconds on a clock that only rises.
    """

    counter: Counter
    worker: str
    inboxes: Sequence[Inbox]
    outboxes: Sequence[Outbox]
    poll: timedelta
    lease: timedelta
    tick: Callable[[], float] = time.monotonic
    _pauses: dict[str, timedelta] = field(default_factory=dict)

    def ring(self) -> int:
        """Give every folder whose turn has come its turn; return how many things were done."""
        done = 0
        for inbox in self.inboxes:
            work: Work = partial(self._take, inbox)
            done += self._turn(f"files in {inbox.plan.name}", inbox.plan.organisation, work)
        for outbox in self.outboxes:
            done += self._turn(
                f"files out {outbox.plan.name}", outbox.plan.organisation, outbox.hand_out_all
            )
        return done

    def _take(self, inbox: Inbox, caller: Caller, lease: Lease) -> int:
        return inbox.take_all(caller, lease, self.tick())

    def _turn(self, name: str, owner: str, work: Work) -> int:
        desk = self.counter.desk
        lease = take_turn(desk.store, desk.clock, name, self.worker, self.lease)
        if lease is None:
            return 0
        try:
            done = work(self._caller(name, owner), lease)
        except Exception as exc:  # noqa: BLE001 - one folder's trouble is not the others'
            self._put_off(name, lease, exc)
            return 0
        self._pauses.pop(name, None)
        lease.give_back(again_in=self.poll)
        return done

    def _caller(self, name: str, code: str) -> Caller:
        desk = self.counter.desk
        with desk.store.read() as conn:
            owner = clients.by_code(conn, code)
        return by_folder(owner, name.removeprefix("files "))

    def _put_off(self, name: str, lease: Lease, exc: Exception) -> None:
        """Let the folder rest, each time twice as long."""
        pause = min(self._pauses.get(name, self.poll) * 2, LONGEST_PAUSE)
        self._pauses[name] = pause
        code = exc.code if isinstance(exc, GatewayError) else type(exc).__name__
        number = exc.errno if isinstance(exc, OSError) else None
        log.error("folder put off", task=name, code=code, errno=number, seconds=pause.seconds)
        lease.give_back(again_in=pause, error=code)
