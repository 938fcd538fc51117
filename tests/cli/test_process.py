"""``eco`` as a process: how fast it starts, and that a fault never shows a traceback."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from gateway.cli.output import ExitStatus
from tests.cli.eco import ROOT, eco_process, environment
from tests.cli.homes import Pair

HEAVY = ("pydantic", "sqlalchemy", "lxml", "cryptography", "flask", "yaml", "zeep", "signxml")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from gateway.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True
    )
    assert ended.stderr.decode().strip() == "[]"


def test_help_is_there_at_once():
    """In less than 0.3 s of this process's own time, whatever else the machine does."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert eco_process("--help").status is ExitStatus.OK
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    assert spent < 0.3


def test_looking_into_the_books_loads_no_schemas(first_pair: Pair):
    code = (
        "import sys; from gateway.cli.main import main\n"
        f"try: main(['messages', '--home', {str(first_pair.zm)!r}])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('flask', 'xmlschema', 'requests') if n in sys.modules], "
        "file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True
    )
    assert ended.stderr.decode().strip() == "[]"


def test_the_module_is_the_command(first_pair: Pair):
    run = eco_process("--help")
    assert run.out.startswith("Usage: eco [OPTIONS]")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    run = eco_process("pki", "demo", tmp_path / "file" / "pki")
    assert run.status is not ExitStatus.OK
    assert "Traceback" not in run.err
    assert str(tmp_path / "file") in run.err


def test_logs_of_a_worker_leave_standard_output_alone(first_pair: Pair):
    run = eco_process("work", "--once", "--json", home=first_pair.zm)
    assert run.status is ExitStatus.OK
    assert set(run.value) == {"worker", "attempts"}
    assert run.value["attempts"] == 0


def test_a_listener_whose_port_is_taken_says_so_at_once(pair: Pair):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = pair.zm / "gateway.toml"
        settings.write_text(settings.read_text().replace("port = 18443", f"port = {port}"))
        began = time.monotonic()
        run = eco_process("serve", home=pair.zm)
    assert run.status is ExitStatus.CONFIGURATION
    assert f"[listen] 127.0.0.1:{port} cannot be bound: Address already in use" in run.err
    assert time.monotonic() - began < 60
    assert (ROOT / "gateway").is_dir()
