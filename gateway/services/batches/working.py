"""Working through batches: claimed under a lease, a group of documents to a commit, in turns.

A turn ends after some seconds, so that a small batch does not wait for a large one.  A process
may be killed at any line: what a commit holds is done and recorded, the rest is not, and who takes
the batch over goes on behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Final

import structlog

from gateway.errors import ConflictError, GatewayError, InternalError
from gateway.services.access import Caller, Scope
from gateway.services.batches.line_work import LineWork
from gateway.services.batches.portions import Portion, portions_of
from gateway.services.batches.sweeping import drop_bytes
from gateway.services.counter import Counter
from gateway.store import Batch, BatchState, BatchStep, batches, clients

log = structlog.get_logger(__name__)

GROUP: Final = 16
"""Documents to a commit."""
MOST_TRIES: Final = 5
"""After so many failures of one group its documents are committed one by one."""
_PAUSE: Final = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class BatchWorker:
    """Works on batches, one at a time; several may run at once, in any process.

    Attributes:
        lease_seconds: after this a claim by a silent worker may be taken over.
        turn_seconds: longest time with one batch while others wait.
        must_stop: asked between two commits.
    """

    name: str
    counter: Counter
    lease_seconds: int = 120
    turn_seconds: float = 5.0
    must_stop: Callable[[], bool] = field(default=lambda: False)

    def run(self) -> int:
        """Take turns until nothing is due, or it is time to stop; return how many they were."""
        turns = 0
        while not self.must_stop() and self.turn():
            turns += 1
        return turns

    def turn(self) -> bool:
        """Work on the batch that has waited longest; return whether there was one."""
        store, now = self.counter.desk.store, self.counter.desk.clock()
        with store.read() as conn:
            if not batches.is_any_due(conn, now):
                return False
        with store.begin() as conn:
            batch = batches.claim(conn, self.name, now, until=now + self._lease)
        if batch is None:
            return False
        try:
            self._work(batch)
        except ConflictError:  # cancelled, or taken over by somebody else
            log.info("batch left", batch=batch.batch_id)
        except GatewayError as exc:
            self._pause(batch, exc.code)
        except Exception as exc:  # noqa: BLE001 - a batch that breaks everything must end, too
            log.error("batch broke", batch=batch.batch_id, error=type(exc).__name__)  # noqa: TRY400
            self._give_up(batch)
        self._tidy(batch)
        return True

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    def _work(self, batch: Batch) -> None:
        """Commit groups until the turn or the batch is over.

        Raises:
            ConflictError: the claim was lost.
            GatewayError: nothing more can be done now.
        """
        patient = batch.tries < MOST_TRIES
        work = LineWork(
            counter=self.counter, caller=self._caller(batch), dry_run=batch.dry_run, patient=patient
        )
        begun = time.monotonic()
        try:
            portions = portions_of(self.counter, batch)
            while group := list(islice(portions, GROUP if patient else 1)):
                self._commit(batch, work, group)
                if self.must_stop() or time.monotonic() - begun > self.turn_seconds:
                    self._release(batch)
                    return
        except GatewayError as exc:
            if exc.retryable or isinstance(exc, ConflictError):
                raise
            self._end(batch, BatchState.FAILED, exc)
            return
        self._end(batch, BatchState.DONE)

    def _commit(self, batch: Batch, work: LineWork, group: list[Portion]) -> None:
        readied = [work.ready(portion) for portion in group]
        desk = self.counter.desk
        with desk.store.begin() as conn:
            now = desk.clock()
            batches.hold(conn, batch, until=now + self._lease)
            step = BatchStep(
                lines=tuple(work.book(conn, each) for each in readied),
                position=group[-1].position,
                units_done=group[-1].units_done,
            )
            batches.advance(conn, batch, step, at=desk.clock())

    def _caller(self, batch: Batch) -> Caller:
        """Return who handed the batch in, as of now but with the scopes of then."""
        with self.counter.desk.store.read() as conn:
            owner = clients.by_id(conn, batch.organisation_id)
        return Caller(
            organisation=owner,
            scopes=frozenset(Scope(each) for each in batch.scopes),
            credential=batch.credential,
            expires_at=batch.due_at,
        )

    def _release(self, batch: Batch) -> None:
        with self.counter.desk.store.begin() as conn:
            batches.release(conn, batch, due_at=self.counter.desk.clock())

    def _pause(self, batch: Batch, code: str) -> None:
        log.warning("batch put off", batch=batch.batch_id, code=code)
        with self.counter.desk.store.begin() as conn:
            later = self.counter.desk.clock() + _PAUSE
            batches.release(conn, batch, due_at=later, failed=True)

    def _give_up(self, batch: Batch) -> None:
        own = InternalError("the gateway failed on its own account")
        if batch.tries < MOST_TRIES:
            self._pause(batch, own.code)
        else:
            self._end(batch, BatchState.FAILED, own)

    def _end(self, batch: Batch, state: BatchState, exc: GatewayError | None = None) -> None:
        code, detail = (None, None) if exc is None else (exc.code, exc.detail)
        with self.counter.desk.store.begin() as conn:
            at = self.counter.desk.clock()
            ended = batches.end(conn, batch, state, at=at, code=code, detail=detail)
        log.info("batch ended", batch=batch.batch_id, state=ended.state, lines=ended.lines)

    def _tidy(self, batch: Batch) -> None:
        """Drop the bytes of a batch that has ended; the sweep does it where this process dies."""
        with self.counter.desk.store.read() as conn:
            found = batches.by_key(conn, batch.id)
        if found is not None and found.state.is_final:
            drop_bytes(self.counter, batch.id)
