"""The real listener of the national side as a process, and keys made at the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.config import CONFIG_FILE
from tests.cli.eco import ROOT, command_line, eco_json, environment
from tests.cli.homes import Pair, make_pair


def make_listening_pair(folder: Path) -> Pair:
    """Return two introduced homes whose national sides listen on any port."""
    made = make_pair(folder)
    for home in (made.zm, made.ke):
        with (home / CONFIG_FILE).open("a", encoding="utf-8") as file:
            file.write("\n[api]\nport = 0\n")
    return made


@contextmanager
def listening(*homes: Path) -> Iterator[list[str]]:
    """Let each home's `eco serve api` run, and give the addresses that they say."""
    processes = [
        subprocess.Popen(
            command_line("serve", "api", "--json", home=home),
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for home in homes
    ]
    try:
        yield [_address(process) for process in processes]
    finally:
        for process in processes:
            os.killpg(
                process.pid, signal.SIGKILL
            )  # with its workers; how it ends is tried elsewhere
            process.wait(timeout=20)
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    said = ""
    for line in process.stdout:
        said += line
        if line.rstrip() == "}":
            break
    return json.loads(said)["url"].replace("127.0.0.1", "localhost")


def key(pair: Pair, code: str, kind: str, home: Path | None = None) -> str:
    at = {"home": home or pair.zm}
    eco_json("organisation", "add", code, "--name", code, "--kind", kind, **at)
    made = eco_json("api-key", "create", code, "--label", "test", **at)
    return made["token"]
