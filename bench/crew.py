"""Gateways as operators run them: a listener and a worker process each, killed if asked for."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.gateways import Side
from bench.memory import family, resident_bytes

COMMANDS = ("serve", "work")
QUICK_DELIVERY = """
[delivery]
poll_seconds = 0.2
lease_seconds = 10
first_retry_seconds = 1.0
longest_retry_seconds = 5.0
"""
"""A lease as short as settings allow: what a killed worker held is free again after it."""
_GRACE_SECONDS = 40

Role = tuple[str, str]


@dataclass
class Crew:
    """Is the running processes of gateways, each in a group of its own, as gunicorn has children.

    Attributes:
        running: by country and command.
        killed: whom, in order.
    """

    sides: Mapping[str, Side]
    running: dict[Role, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: list[Role] = field(default_factory=list)

    def start(self, role: Role) -> None:
        """Start one process."""
        country, command = role
        home = self.sides[country].home
        with (home / f"{command}.log").open("ab") as log:
            self.running[role] = subprocess.Popen(
                [sys.executable, "-m", "gateway", command, "--home", str(home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, role: Role) -> None:
        """End one process and its children with SIGKILL, wherever they are."""
        process = self.running.pop(role)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.killed.append(role)

    def end(self) -> None:
        """End all, asking first."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def resident(self) -> dict[Role, int]:
        """Return the memory of each process together with its children."""
        return {
            role: sum(resident_bytes(pid) for pid in family(process.pid))
            for role, process in self.running.items()
        }

    def require_alive(self) -> None:
        """Stop where a process has ended by itself."""
        for (country, command), process in self.running.items():
            if process.poll() is not None:
                log = self.sides[country].home / f"{command}.log"
                said = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
                raise RuntimeError(f"{command} of {country} ended by itself\n{said}")


@contextmanager
def crew_of(sides: Mapping[str, Side], roles: Sequence[Role]) -> Iterator[Crew]:
    """Yield the running crew; nothing of it is left afterwards."""
    crew = Crew(sides)
    try:
        for role in roles:
            crew.start(role)
        yield crew
    finally:
        crew.end()


@dataclass
class Chaos:
    """Kills processes of a crew at moments that a seed chooses, and starts them again.

    Attributes:
        pause: least and most seconds between two kills.
    """

    crew: Crew
    seed: int
    pause: tuple[float, float] = (1.5, 5.0)
    _next: float = 0.0
    _chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._next = time.monotonic() + self.pause[1]

    def strike(self) -> None:
        """Kill and restart one process if its moment has come."""
        if time.monotonic() >= self._next:
            victim = self._chance.choice(sorted(self.crew.running))
            self.crew.kill(victim)
            self.crew.start(victim)
            self._next = time.monotonic() + self._chance.uniform(*self.pause)
