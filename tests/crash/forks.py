"""Processes made by fork: everything is loaded, connections are opened by the child alone."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from gateway.store import Store


@dataclass
class Child:
    """Is a forked process that runs one function and ends."""

    pid: int
    complaint: int

    def wait(self) -> int:
        """Return how it ended: 0, a status above, or minus the signal that ended it.

        What it had to complain of is raised as an AssertionError.
        """
        with os.fdopen(self.complaint, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(self.pid, 0)
        if said:
            raise AssertionError(f"in the child process:\n{said}")
        return os.waitstatus_to_exitcode(status)

    def wait_until_stopped(self) -> None:
        """Return when it has stopped itself with SIGSTOP."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"the child ended: {status}"

    def go_on(self) -> None:
        """Let a stopped child continue."""
        os.kill(self.pid, signal.SIGCONT)


def fork(run: Callable[[], None], *stores: Store) -> Child:
    """Run ``run`` in a copy of this process, where ``stores`` have no connections yet.

    Nothing of the copy outlives ``run``: no fixture, no atexit function, no buffer.
    """
    for store in stores:
        store.close()
    reading, writing = os.pipe()
    gc.freeze()  # a collection in the child would copy every page of the parent
    pid = os.fork()
    if not pid:
        gc.disable()
        os.close(reading)
        _run(run, writing)
    gc.unfreeze()
    os.close(writing)
    return Child(pid, reading)


def _run(run: Callable[[], None], complaint: int) -> NoReturn:
    status = 1
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        run()
        status = 0
    except BaseException:  # noqa: BLE001 - pytest's own are among them
        os.write(complaint, traceback.format_exc()[-20_000:].encode())
    finally:
        sys.stdout = sys.stderr = None
        os._exit(status)
