"""Hands: threads that are used again, added when all are busy, and gone when there is no work."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from gateway.exchange.hands import Hands


def test_work_that_comes_one_after_another_is_done_by_one_hand() -> None:
    hands, names = Hands("one"), []
    for _ in range(20):
        done = threading.Event()
        hands.do(lambda done=done: (names.append(threading.current_thread().name), done.set()))
        assert done.wait(5)
        until(lambda: hands._free == 1)
    assert set(names) == {"one-1"}


def test_work_that_hangs_keeps_no_other_work_waiting() -> None:
    hands, go_on, done = Hands("many"), threading.Event(), threading.Semaphore(0)
    for _ in range(10):
        hands.do(lambda: (go_on.wait(10), done.release()))
    hands.do(done.release)
    assert done.acquire(timeout=5)
    go_on.set()
    assert all(done.acquire(timeout=5) for _ in range(10))


def test_hands_without_work_go_and_others_come_when_there_is_some() -> None:
    hands, done = Hands("brief", idle_seconds=0.02), threading.Semaphore(0)
    for _ in range(3):
        for _ in range(5):
            hands.do(done.release)
        assert all(done.acquire(timeout=5) for _ in range(5))
        until(lambda: not alive("brief"))


def test_nothing_is_forgotten_when_work_comes_as_hands_go() -> None:
    hands, done = Hands("racing", idle_seconds=0.001), threading.Semaphore(0)
    for pause, _ in pairwise(0.0002 * (number % 11) for number in range(400)):
        hands.do(done.release)
        time.sleep(pause)
    assert all(done.acquire(timeout=5) for _ in range(399))


def alive(name: str) -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith(name)]


def until(condition: object) -> None:
    over = time.monotonic() + 5
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < over
        time.sleep(0.002)
