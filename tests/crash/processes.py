"""Two gateways as operators run them: listener and worker processes, mutual TLS, real clocks."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.app import Gateway
from gateway.demo.stage import Stage, build_stage

COMMANDS = ("serve", "work")
LEASE_SECONDS = 10
"""The shortest that settings allow: what a killed worker held is free again after it."""


@dataclass
class Crew:
    """Is the four processes of two gateways; each is started again after it was killed.

    Attributes:
        environment: further variables of the processes, by country.
    """

    stage: Stage
    running: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: list[tuple[str, str]] = field(default_factory=list)
    start_seconds: float = 0.0
    environment: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def start(
        self, country: str, command: str, *, under: Sequence[str] = (), log: Path | None = None
    ) -> None:
        """Start one process, in a group of its own, as gunicorn has children.

        Args:
            under: a program with its arguments that runs the process, such as strace.
            log: where its output goes, if not into the home.
        """
        home = self.stage.home(country)
        with (log or home / f"{command}.log").open("ab") as output:
            self.running[country, command] = subprocess.Popen(
                [*under, sys.executable, "-m", "gateway", command, "--home", str(home)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **self.environment.get(country, {})},
            )

    def kill(self, country: str, command: str) -> None:
        """Kill one process and its children with SIGKILL, wherever they are."""
        process = self.running.pop((country, command))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.killed.append((country, command))

    def start_all(self) -> None:
        """Start all four and wait until both listeners take connections."""
        begun = time.monotonic()
        for country in self.stage.gateways:
            for command in COMMANDS:
                self.start(country, command)
        wait_for(lambda: all(map(listens, self.stage.gateways.values())), 60, self)
        self.start_seconds = time.monotonic() - begun

    def end_all(self) -> None:
        for country, command in list(self.running):
            self.kill(country, command)

    def log(self) -> str:
        """Return the end of each process's log, for the report of a failed test."""
        files = [
            self.stage.home(c) / f"{command}.log"
            for c in self.stage.gateways
            for command in COMMANDS
        ]
        return "\n".join(f"--- {file.parent.name}/{file.name}\n{_end_of(file)}" for file in files)


@dataclass
class Chaos:
    """Kills and restarts processes of ``crew`` at moments that ``seed`` chooses.

    Attributes:
        start_seconds: what a process needs here to start; none is killed at a younger age, or
            on a busy machine none would ever come to work.
    """

    crew: Crew
    seed: int
    start_seconds: float
    stopped: threading.Event = field(default_factory=threading.Event)

    def rage(self) -> None:
        """Go on until stopped; leave everything running."""
        chance = random.Random(self.seed)
        now = time.monotonic()
        doomed = {name: now + chance.uniform(0.1, 1) for name in sorted(self.crew.running)}
        while not self.stopped.wait(0.05):
            victim = min(doomed, key=lambda name: doomed[name])
            if time.monotonic() >= doomed[victim]:
                self.crew.kill(*victim)
                self.crew.start(*victim)
                age = self.start_seconds * chance.uniform(1.1, 2.2)
                doomed[victim] = time.monotonic() + age


@contextmanager
def raging(crew: Crew, seed: int) -> Iterator[None]:
    """Let chaos rage while the context lasts."""
    chaos = Chaos(crew, seed, crew.start_seconds)
    thread = threading.Thread(target=chaos.rage)
    thread.start()
    try:
        yield
    finally:
        chaos.stopped.set()
        thread.join()


@contextmanager
def two_gateways(directory: Path) -> Iterator[Crew]:
    """Run both gateways with short leases; nothing of them is left afterwards."""
    stage = build_stage(directory)
    for country in stage.gateways:
        settings = stage.home(country) / "gateway.toml"
        text = settings.read_text(encoding="utf-8")
        assert "[delivery]" in text
        shorter = text.replace("[delivery]", f"[delivery]\nlease_seconds = {LEASE_SECONDS}")
        settings.write_text(shorter, encoding="utf-8")
    crew = Crew(stage)
    try:
        crew.start_all()
        yield crew
    finally:
        crew.end_all()
        stage.close()


def wait_for(condition: Callable[[], object], seconds: float, crew: Crew) -> None:
    """Return when ``condition()`` holds; fail with the logs when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s\n{crew.log()}"
        time.sleep(0.2)


def listens(gateway: Gateway) -> bool:
    """Return whether a listener takes connections there."""
    listen = gateway.settings.listen
    with socket.socket() as probe:
        return probe.connect_ex((listen.host, listen.port)) == 0


def _end_of(file: Path) -> str:
    return file.read_text(errors="replace")[-2000:] if file.exists() else ""
