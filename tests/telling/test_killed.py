"""The worker is killed in the middle of a notice; the next one tells what is owed, in order."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from gateway.services.webhook_sending import Teller
from gateway.store import Store
from tests.api.conftest import Border, make_border
from tests.api.counter import Front
from tests.telling.receiver import Receiver, register, tell, teller


def tell_all(telling: Teller, url: str) -> None:
    """Tell what is due (runs in a process of its own, on a connection of its own)."""
    telling.desk = replace(telling.desk, store=Store.open(url))
    telling.drain()


def test_each_event_is_told_at_least_once_and_in_order_although_the_worker_is_killed(
    pki, sqlite_template: Path, hooked, receiver, tmp_path: Path
):
    paths = iter(("zm.db", "ke.db"))
    with ExitStack() as stores:

        def make() -> Store:
            path = tmp_path / next(paths)
            shutil.copyfile(sqlite_template, path)
            return stores.enter_context(closing(Store.open(f"sqlite:///{path}")))

        border = make_border(pki, make)
        told = hooked(border.zm, receiver.port)
        _kill_in_the_middle(told, receiver, border, f"sqlite:///{tmp_path / 'zm.db'}")


def _kill_in_the_middle(told: Front, receiver: Receiver, border: Border, url: str) -> None:
    register(told, receiver.url)
    tell(told, *["same lane"] * 6)
    killed: list[int] = []

    def kill_at_the_third(call) -> int:
        if call.id == 3 and not killed:
            killed.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
        return 204

    receiver.behave = kill_at_the_third
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=tell_all, args=(teller(told), url))
    child.start()
    child.join(20)
    assert child.exitcode == -signal.SIGKILL
    assert receiver.ids == [1, 2, 3]
    assert teller(told).drain() == 0, "the lease of the one that was killed holds"
    border.corridor.clock.pass_time(minutes=2)
    assert teller(told).drain() == 4
    assert receiver.ids == [1, 2, 3, 3, 4, 5, 6]
