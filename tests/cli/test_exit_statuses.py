"""Every exit status of ``eco``, by its name; all are documented in docs/commands.md."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gateway import errors
from gateway.cli import books
from gateway.cli.output import ExitStatus, exit_status_of
from tests.cli.eco import PATIENCE, command_line, eco, eco_process, environment
from tests.cli.homes import Pair


def test_0_ok(first_pair: Pair):
    assert eco_process("messages", home=first_pair.zm).status is ExitStatus.OK


def test_1_refused(first_pair: Pair):
    assert eco_process("validate", "-", home=first_pair.zm, given=b"").status is ExitStatus.REFUSED


def test_2_usage():
    assert eco_process("messages", "--limit", "few").status is ExitStatus.USAGE
    assert eco_process().status is ExitStatus.USAGE


def test_3_configuration(tmp_path: Path):
    run = eco_process("messages", home=tmp_path)
    assert run.status is ExitStatus.CONFIGURATION
    assert "gateway.toml is not there" in run.err


def test_4_not_found(first_pair: Pair):
    run = eco_process("peer", "show", "XX-SW", home=first_pair.zm)
    assert run.status is ExitStatus.NOT_FOUND


def test_5_untrusted(first_pair: Pair):
    card = first_pair.folder / "ke.card.json"
    run = eco_process("peer", "update", card, "--fingerprint", "0" * 64, home=first_pair.zm)
    assert run.status is ExitStatus.UNTRUSTED


def test_6_unreachable(first_pair: Pair):
    run = eco_process("peer", "ping", "KE-SW", home=first_pair.zm)
    assert run.status is ExitStatus.UNREACHABLE


def test_7_busy(first_pair: Pair, monkeypatch: pytest.MonkeyPatch):
    def busy(*_: object, **__: object) -> None:
        raise errors.BusyError("the database is locked")

    monkeypatch.setattr(books.outbox, "page", busy)
    assert eco("messages", home=first_pair.zm).status is ExitStatus.BUSY


def test_8_failed_in_one_line_without_a_traceback(
    first_pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a trader's name")

    monkeypatch.setattr(books.outbox, "page", broken)
    run = eco("messages", home=first_pair.zm)
    assert run.status is ExitStatus.FAILED
    assert (
        run.err == "error [INTERNAL]: a fault in eco itself (RuntimeError); `--debug` shows where\n"
    )
    assert eco("messages", "--json", home=first_pair.zm).problem["code"] == "INTERNAL"
    with pytest.raises(RuntimeError):
        eco("messages", "--debug", home=first_pair.zm)


def test_130_interrupted(first_pair: Pair, tmp_path: Path):
    """Ctrl-C while a command waits for its input."""
    running = subprocess.Popen(
        command_line("validate", "-", home=first_pair.zm),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        wait_until_reading(running.pid)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == ExitStatus.INTERRUPTED
    assert out == b""
    assert b"Traceback" not in err


def wait_until_reading(pid: int) -> None:
    """Return once the process sleeps with its modules loaded; the best sign from outside."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        waits_for = Path(f"/proc/{pid}/wchan")
        loaded = (
            Path(f"/proc/{pid}/maps").read_text().count("_xmlschema")
            or "lxml" in Path(f"/proc/{pid}/maps").read_text()
        )
        if loaded and "pipe" in waits_for.read_text():
            return
        time.sleep(0.05)


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_141_reader_gone(first_pair: Pair, as_json: tuple[str, ...]):
    """Who reads the output has closed it before the first line."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            command_line("messages", *as_json, home=first_pair.zm),
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writing)
    assert ended.returncode == ExitStatus.READER_GONE
    assert ended.stderr == b""


@pytest.mark.slow
def test_143_terminated_and_no_gateway_outlives_it(tmp_path: Path):
    """SIGTERM as soon as the demonstration's first gateway runs."""
    kept = tmp_path / "kept"
    running = subprocess.Popen(
        command_line("demo", "--once", "--keep", kept, "--json"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (kept / "gateway-zm/serve.log").exists():
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.terminate()
        assert running.wait(timeout=PATIENCE) == ExitStatus.TERMINATED
    finally:
        running.kill()
        running.wait()
    assert not [
        command
        for command in Path("/proc").glob("[0-9]*/cmdline")
        if str(kept).encode() in content_or_nothing(command)
    ]


def content_or_nothing(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_every_error_of_the_tree_ends_with_a_status_of_its_kind():
    found = {cls.code: exit_status_of(cls.__new__(cls)) for cls in errors.all_error_types()}
    assert ExitStatus.OK not in found.values()
    assert found["CONFIGURATION"] is found["MAPPING"] is ExitStatus.CONFIGURATION
    assert found["NO_ROUTE"] is ExitStatus.REFUSED
    assert found["SIGNATURE_INVALID"] is ExitStatus.UNTRUSTED
    assert found["RECEIPT_INVALID"] is found["TLS"] is ExitStatus.UNREACHABLE
    assert found["INTERNAL"] is ExitStatus.FAILED
