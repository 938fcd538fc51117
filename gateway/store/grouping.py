"""Group commit: callers that come at once share one transaction and one wait for the disk.

A commit costs more than what most transactions write.  Whoever finds nobody at work leads: it
runs in one transaction what all that wait want done, commits once, and only then every caller
has its answer.  Whoever comes meanwhile waits, and one of them leads next.  Where one member of
a group fails, nothing of the group is kept and each is run again in a transaction of its own:
failures are rare, and a savepoint for each member would cost all others two round trips.  A
caller that finds itself alone is served by a transaction as ever.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway.errors import BusyError, GatewayError
from gateway.store.statements import send_kept

MOST_TOGETHER = 32
"""Members of one transaction: enough to make its commit cheap, few enough to answer soon."""

ResultT = TypeVar("ResultT")
Work = Callable[[Connection], Any]
Begin = Callable[[], AbstractContextManager[Connection]]


class _Member:
    """Is one caller: what it wants done, and what became of it: a failure until committed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._context = contextvars.copy_context()
        self._result: Any = None
        self.error: Exception | None = BusyError("the shared transaction was broken off")
        self.leads = False
        self.turn = threading.Event()

    def do(self, conn: Connection) -> None:
        """Do its work with the caller's context, whichever thread leads."""
        self._result = self._context.run(self._work, conn)

    def answer(self) -> Any:
        """Return what its work returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self._result


class Group:
    """Commits together what callers want done at the same time; thread-safe.

    Args:
        begin: opens a writing transaction, as ``Store.begin``.
        begin_shared: opens one for several members; where it is undone, each begins anew.
    """

    def __init__(self, begin: Begin, begin_shared: Begin | None = None) -> None:
        self._begin = begin
        self._begin_shared = begin_shared or begin
        self._lock = threading.Lock()
        self._waiting: deque[_Member] = deque()
        self._is_led = False

    def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Return what ``work`` returned, once it is committed.

        ``work`` may be run twice, the first time without effect.

        Raises:
            BusyError: the transaction failed: nothing of any member is stored.
            Exception: what ``work`` raised; nothing of it is stored.
        """
        member = _Member(work)
        with self._lock:
            self._waiting.append(member)
            member.leads, self._is_led = not self._is_led, True
        if not member.leads:
            member.turn.wait()
        if member.leads:
            self._lead()
        answer: ResultT = member.answer()
        return answer

    def _lead(self) -> None:
        """Serve those that wait, this caller first, then let the next one lead."""
        with self._lock:
            most = min(len(self._waiting), MOST_TOGETHER)
            members = [self._waiting.popleft() for _ in range(most)]
        try:
            self._commit(members)
        finally:
            self._hand_over()
            for member in members[1:]:
                member.turn.set()

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            following = self._waiting[0]
        following.leads = True
        following.turn.set()

    def _commit(self, members: Sequence[_Member]) -> None:
        if len(members) > 1 and self._is_committed(members):
            return
        for member in members:
            self._commit_alone(member)

    def _is_committed(self, members: Sequence[_Member]) -> bool:
        """Return whether the members are through together, by commit or by its failure."""
        failed = _Failed()
        try:
            with self._begin_shared() as conn, failed:
                for member in members:
                    member.do(conn)
                send_kept(conn)  # what fails in it is work of a member too
        except Exception as exc:  # noqa: BLE001 - every member hears of it
            if failed.in_work:
                return False
            _fail(members, exc)
        else:
            for member in members:
                member.error = None
        return True

    def _commit_alone(self, member: _Member) -> None:
        try:
            with self._begin() as conn:
                member.do(conn)
        except Exception as exc:  # noqa: BLE001 - the member's caller raises it again
            member.error = exc
        else:
            member.error = None


class _Failed:
    """Notes whether a group failed in the work of a member, before anything was committed."""

    in_work = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, *_: object) -> None:
        self.in_work = kind is not None


def _fail(members: Sequence[_Member], exc: Exception) -> None:
    """Give every member of a lost commit an error of its own; a shared one would mix traces."""
    detail = exc.detail if isinstance(exc, GatewayError) else type(exc).__name__
    for member in members:
        member.error = BusyError(f"the shared transaction failed: {detail}")
        member.error.__cause__ = exc
