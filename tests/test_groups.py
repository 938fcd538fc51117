"""Tests that share a pair of gateways, or must run alone, stay on one worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_GROUPED = """
import os, pathlib, pytest

ENGINES = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("left", "right")]


@pytest.fixture(scope="session", params=ENGINES)
def shared(request):
    return request.param


@pytest.mark.parametrize("number", range(8))
def test_notes_its_worker(shared, number):
    note = pathlib.Path(__file__).parent / f"{shared}.{os.environ['PYTEST_XDIST_WORKER']}"
    note.touch()
"""


def test_tests_of_one_group_run_on_one_worker(tmp_path: Path):
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_collection_modifyitems\n"
        '__all__ = ["pytest_collection_modifyitems"]\n'
    )
    (tmp_path / "test_grouped.py").write_text(_GROUPED)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = " + str(ROOT))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2"]
    done = subprocess.run(
        [*command, "--dist", "loadgroup", "-q", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    for group in ("left", "right"):
        assert len(list(tmp_path.glob(f"{group}.gw*"))) == 1
