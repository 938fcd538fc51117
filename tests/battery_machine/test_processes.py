"""Processes that freeze, cannot log, or are told by the system that their bytes are not safe."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store import DeliveryState
from tests.battery_machine.pair import Pair
from tests.crash.checker import digest_of
from tests.crash.processes import LEASE_SECONDS, listens

pytestmark = pytest.mark.slow


def _signal(pair: Pair, country: str, command: str, number: int) -> None:
    os.killpg(pair.crew.running[country, command].pid, number)


def test_a_worker_frozen_with_the_receipt_at_hand_is_no_obstacle_and_wakes_up_harmless(pair: Pair):
    pair.settle()
    _signal(pair, "KE", "serve", signal.SIGSTOP)
    message_id = pair.told[pair.submit()]
    pair.wait(lambda: pair.state("ZM", message_id)[0] is DeliveryState.SENDING)
    _signal(pair, "ZM", "work", signal.SIGSTOP)
    _signal(pair, "KE", "serve", signal.SIGCONT)  # it answers, into a buffer that nobody reads
    frozen = pair.crew.running.pop(("ZM", "work"))
    pair.crew.running["ZM", "frozen"] = frozen
    pair.crew.start("ZM", "work")
    pair.clocks.set("ZM", timedelta(seconds=LEASE_SECONDS))  # or else it takes as long
    pair.wait(lambda: pair.state("ZM", message_id)[0] is DeliveryState.DELIVERED)
    pair.settle()
    before = digest_of(pair.databases.urls["ZM"])
    _signal(pair, "ZM", "frozen", signal.SIGCONT)
    time.sleep(1)
    assert digest_of(pair.databases.urls["ZM"]) == before
    pair.crew.kill("ZM", "frozen")
    pair.clocks.set("ZM", timedelta())
    pair.settle()


def test_processes_that_cannot_log_lose_nothing_and_go_on(pair: Pair):
    """Kenya's listener logs to a full disk, Zambia's worker has no standard error at all."""
    unheard = {("KE", "serve"): FULL_DISK, ("ZM", "work"): CLOSED}
    for process, how in unheard.items():
        pair.crew.kill(*process)
        pair.crew.start(*process, **how)
    serial = pair.submit()
    pair.wait(lambda: pair.has_arrived(serial))
    with pair.traffic():
        time.sleep(1)
    pair.settle()
    assert [process.poll() for process in pair.crew.running.values()] == [None] * 4
    for process in unheard:
        pair.crew.kill(*process)
        pair.crew.start(*process)


FULL_DISK = {"log": Path("/dev/full")}
CLOSED = {"under": ("sh", "-c", 'exec "$@" 2>&-', "sh")}


@contextmanager
def _traced(pair: Pair, trace: Path, *options: str) -> Iterator[None]:
    """Let strace write what Kenya's listener asks of the system, in order."""
    strace = ("strace", "-f", "-y", "-o", str(trace), *options)
    try:
        subprocess.run([*strace, "true"], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("strace is not installed, or may not look on here")
    pair.crew.kill("KE", "serve")
    pair.crew.start("KE", "serve", under=strace)
    try:
        pair.wait(lambda: listens(pair.crew.stage.gateways["KE"]))
        yield
    finally:
        pair.crew.kill("KE", "serve")
        pair.crew.start("KE", "serve")


def test_BUSY_until_the_disk_confirms_and_no_receipt_leaves_before(pair: Pair, tmp_path: Path):
    if pair.databases.engine != "sqlite":
        pytest.skip("what PostgreSQL asks of the disk it asks in processes of its own")
    trace = tmp_path / "trace"
    with _traced(pair, trace, "-e", CALLS, "-e", "inject=fdatasync:error=EIO:when=1"):
        message_id = pair.told[serial := pair.submit()]
        pair.wait(lambda: pair.state("ZM", message_id) == (DeliveryState.RETRYING, "BUSY"))
        pair.settle()
    written, failed, unsafe, answers = 0, 0, 0, 0
    for line in trace.read_text(errors="replace").splitlines():
        if re.search(r" pwrite64\(\d+<[^>]*books\.db-wal>", line):
            written, unsafe = written + 1, unsafe + 1
        elif "EIO" in line:  # the transaction is undone, what it wrote is never read
            failed, unsafe = failed + 1, 0
        elif re.search(r" f(data)?sync\(\d+<[^>]*books\.db-wal>", line):
            unsafe = 0
        elif re.search(r" (write|sendto|sendmsg)\(\d+<(socket|TCP)", line):
            assert unsafe == 0, "an answer left before the disk confirmed what it tells of"
            answers += written > 0
    assert pair.has_arrived(serial)
    assert min(written, failed, answers) > 0


CALLS = "trace=pwrite64,write,fdatasync,fsync,sendto,sendmsg"
