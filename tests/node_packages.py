"""Packages of node that tests call, each installed whole and once, whichever worker comes first."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
PATIENCE = 180
QUIET = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def node_package(name: str, package: str) -> Path:
    """Return the folder whose ``node_modules`` holds ``package``; skip the test without it.

    Args:
        name: of the folder.
        package: with its version, as npm names it.
    """
    folder = TOOLS / name
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            _install(package, folder)
            (folder / "whole").write_text(package, encoding="ascii")
    return folder


def _install(package: str, folder: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    done = subprocess.run(
        ["npm", "install", *QUIET, "--prefix", str(folder), package],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install {package} here")
