"""Hands: daemon threads that do one piece of work after another, as many as are needed at once.

A thread of its own for each piece would cost more than some pieces take, and native libraries
keep a little memory for every thread that ever used them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

IDLE_SECONDS = 5.0
"""A hand with nothing to do for so long goes."""


class Hands:
    """Does what it is given at once; a hand that is free takes it, else there is one more.

    Daemons, because work that hangs must not keep the process from ending.
    """

    def __init__(self, name: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._name = name
        self._idle_seconds = idle_seconds
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        self._begun = 0

    def do(self, work: Callable[[], None]) -> None:
        """Let a hand do ``work``, which must handle its exceptions itself."""
        with self._lock:
            if self._free:
                self._free -= 1  # it is promised to this work
            else:
                self._add()
        self._work.put(work)

    def _add(self) -> None:
        self._begun += 1
        name = f"{self._name}-{self._begun}"
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=self._idle_seconds)
            except Empty:
                if self._leaves():
                    return
                continue
            work()
            with self._lock:
                self._free += 1

    def _leaves(self) -> bool:
        """Return whether this hand may go: it may not if it was promised in this moment."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True
