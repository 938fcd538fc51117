"""Gateways as users start them: each a listener and a worker, processes of their own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.output import ExitStatus
from tests.cli.eco import PATIENCE, command_line, eco, environment
from tests.cli.homes import Pair


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running(homes: list[Path]) -> Iterator[None]:
    """Serve and work for each home while the context lasts; each must end with status 0."""
    processes = [_start(home, command) for home in homes for command in ("serve", "work")]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        ended = [process.wait(timeout=PATIENCE) for process in processes]
    assert ended == [0] * len(processes)


def eventually(glance: Callable[[], bool]) -> None:
    """Return as soon as ``glance`` is true."""
    deadline = time.monotonic() + PATIENCE
    while not glance():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def answers(pair: Pair) -> bool:
    """Whether both listeners answer a ping."""
    return all(
        eco("peer", "ping", peer, home=home).status is ExitStatus.OK
        for peer, home in (("KE-SW", pair.zm), ("ZM-SW", pair.ke))
    )


def _start(home: Path, command: str) -> subprocess.Popen[bytes]:
    with (home / f"{command}.log").open("ab") as log, (home / f"{command}.out").open("ab") as out:
        return subprocess.Popen(
            command_line(command, "--json", home=home),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=environment(),
        )
