"""The counter of the national side: what its services work with, built once at start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from gateway.errors import RequestInWorkError
from gateway.exchange.context import Desk
from gateway.services.batch_limits import BatchLimits
from gateway.services.webhook_desk import HookDesk
from gateway.store import idempotency
from gateway.xml.national import FormatCatalogue

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class RequestKey:
    """Is an idempotency key with the request it stands for.

    Attributes:
        scope: whose it is and what for, so that two clients' keys never meet.
        sha256: digest of all that makes the request what it is.
    """

    scope: str
    key: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """Is an answer as it goes out; ``replayed`` says that an earlier request got it first."""

    status: int
    body: bytes
    replayed: bool = False


@dataclass
class InWork:
    """Knows which keyed requests this process has in work; safe between threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _keys: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def hold(self, request: RequestKey) -> Iterator[None]:
        """Hold the key while the block runs.

        Raises:
            RequestInWorkError: another request holds it.
        """
        own = (request.scope, request.key)
        with self._lock:
            if own in self._keys:
                raise RequestInWorkError("the request with this idempotency key is in work")
            self._keys.add(own)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(own)


def long_polls_of(threads: int) -> threading.BoundedSemaphore:
    """Return the places for requests that wait, so that they never use up the threads."""
    return threading.BoundedSemaphore(max(1, threads // 4))


@dataclass(frozen=True, kw_only=True)
class Counter:
    """Holds the desk of the gateway and the national formats it reads.

    Attributes:
        hooks: what webhooks are made with; None where none can be registered.
        long_polls: places for requests that wait for events.
        batches: how much a batch may hold.
        check_address: public page where printed certificates are checked, if there is one.
    """

    desk: Desk
    national: FormatCatalogue
    in_work: InWork = field(default_factory=InWork)
    hooks: HookDesk | None = None
    check_address: str | None = None
    long_polls: threading.BoundedSemaphore = field(default_factory=lambda: long_polls_of(8))
    batches: BatchLimits = field(default_factory=BatchLimits)

    def once(
        self, request: RequestKey | None, work: Callable[[Connection], GivenAnswer]
    ) -> GivenAnswer:
        """Return the answer of ``work``, or the one that the same request got before.

        The answer is stored in the transaction of the work itself; a request that fails leaves
        nothing behind, so that it may be corrected under the same key.

        Raises:
            KeyReusedError: the key was used for another request.
            RequestInWorkError: the same request is in work at this moment.
        """
        if request is None:
            with self.desk.store.begin() as conn:
                return work(conn)
        with self.in_work.hold(request), self.desk.store.begin() as conn:
            earlier = idempotency.reserve(conn, request.scope, request.key, request.sha256)
            if earlier is not None:
                return GivenAnswer(status=earlier.status, body=earlier.answer, replayed=True)
            given = work(conn)
            idempotency.remember(
                conn,
                request.scope,
                request.key,
                request.sha256,
                status=given.status,
                answer=given.body,
                at=self.desk.clock(),
            )
            return given

    def trial(self) -> AbstractContextManager[Connection]:
        """Give a transaction in which everything may be done and nothing remains."""
        return self.desk.store.trial()
