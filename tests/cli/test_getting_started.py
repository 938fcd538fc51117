"""docs/getting-started.md is run as it stands, only at ports that are free here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.eco import ROOT, environment
from tests.cli.story import free_ports

PAGE = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
PATIENCE = 240


def script() -> str:
    """Every ``sh`` block of the page in order, at ports of our own."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.M | re.S)
    assert len(blocks) >= 8
    text = "\n".join(blocks)
    for documented, free in zip(("8443", "8444"), free_ports(2), strict=True):
        assert documented in text
        text = text.replace(documented, str(free))
    return f"set -eu\n{text}"


@pytest.mark.slow
def test_every_command_of_the_page_works(tmp_path: Path):
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "eco").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    (shims / "eco").chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    ended = subprocess.run(
        ["bash", "-m", "-c", script()],
        cwd=place,
        env=environment() | {"PATH": f"{shims}:{environment()['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    logs = "\n".join(path.read_text() for path in place.glob("*.log"))
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{logs}"
    for words in (
        "would be sent to KE-SW",
        "20000 of 60000 KGM used, 40000 left",
        "was submitted before as",
        "refused, with exit status 1",
    ):
        assert words in ended.stdout
    assert "Traceback" not in ended.stderr + logs


def test_the_page_asks_for_nothing_to_be_typed():
    assert "[y/N]" not in PAGE
    assert "read -p" not in PAGE
