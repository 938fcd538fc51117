"""docs/files.md is run as it stands, with the worker that users start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.config import CONFIG_FILE, load_settings, settings_from
from gateway.errors import ConfigError
from tests.cli.eco import ROOT, command_line, environment
from tests.cli.homes import YARN, Pair, make_pair, sample

PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
PATIENCE = 60


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.M | re.S)
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("homes") / "pair")


def test_the_page_works_as_it_stands(pair: Pair, tmp_path: Path):
    pair.sugar()
    from_first = block("toml").replace('"spool/out"', '"spool/out"\nbegin = "first"')
    with (pair.zm / CONFIG_FILE).open("a", encoding="utf-8") as file:
        file.write(f"\n{from_first}")
    (tmp_path / "eco").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    (tmp_path / "eco").chmod(0o755)
    sample(pair.folder, YARN).rename(tmp_path / "consignment.json")
    paths = {"PATH": f"{tmp_path}:{environment()['PATH']}", "ECO_HOME": str(pair.zm)}
    subprocess.run(
        ["bash", "-euc", block("sh")],
        cwd=tmp_path,
        env=environment() | paths,
        check=True,
        timeout=PATIENCE,
    )
    result = pair.zm / "spool/in/results/co-1.json.result.json"
    work(pair, lambda: result.exists() and list((pair.zm / "spool/out").glob("*.manifest.json")))
    said = json.loads(result.read_bytes())
    assert (said["outcome"], said["inbox"]) == ("TAKEN", "issuing")
    manifests = [
        json.loads(path.read_bytes())
        for path in (pair.zm / "spool/out").iterdir()
        if path.name.endswith(".manifest.json")
    ]
    assert "MESSAGE_DELIVERED" in {each["event"]["data"]["kind"] for each in manifests}


def work(pair: Pair, until) -> None:
    """Let the worker work until something holds."""
    process = subprocess.Popen(
        command_line("work", home=pair.zm),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while not until():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ('name = "told"\n', None),
        ('folder = "spool/in"', "each way has a folder of its own"),
        ('format = "../../etc"', "format"),
        ("stable_seconds = -1", "stable_seconds"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(pair: Pair, change: str, word: str | None):
    key = change.partition(" ")[0]
    text = re.sub(rf"^{key} = .*$", change.strip(), block("toml"), flags=re.M)
    own = (pair.zm / CONFIG_FILE).read_text(encoding="utf-8").partition("[files]")[0]
    whole = f"{own}\n{text}"
    if word is None:  # names of folders in and of folders out do not meet
        assert settings_from(whole, pair.zm, source="test").files.inboxes[0].name == "told"
        return
    with pytest.raises(ConfigError, match=word):
        settings_from(whole, pair.zm, source="test")


def test_a_home_without_folders_has_no_job_for_them(pair: Pair):
    assert load_settings(pair.ke).files.inboxes == ()
