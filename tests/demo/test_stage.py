"""The stage of the demonstration: what is started is ended, whenever the end comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.demo import stage


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_signal_while_a_process_starts_ends_that_process_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    begun: list[subprocess.Popen[bytes]] = []

    def interrupted(_home: Path, _command: str) -> subprocess.Popen[bytes]:
        begun.append(sleeper())
        os.kill(os.getpid(), signal.SIGINT)
        return begun[-1]

    monkeypatch.setattr(stage, "_start", interrupted)
    with pytest.raises(KeyboardInterrupt), stage.started([(tmp_path, "serve")] * 2):
        pytest.fail("the stage was never whole")
    assert [process.poll() for process in begun] == [-signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_started_is_ended_when_the_next_cannot_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    begun: list[subprocess.Popen[bytes]] = []

    def second_fails(_home: Path, _command: str) -> subprocess.Popen[bytes]:
        if begun:
            raise OSError("no more processes")
        begun.append(sleeper())
        return begun[-1]

    monkeypatch.setattr(stage, "_start", second_fails)
    with pytest.raises(OSError, match="no more"), stage.started([(tmp_path, "serve")] * 2):
        pytest.fail("the stage was never whole")
    assert [process.poll() for process in begun] == [-signal.SIGTERM]
