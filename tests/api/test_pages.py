"""What pages show is true: their examples are run against `eco serve api`, in order.

A block of shell with `curl` in it is an example, so is a program that asks one of the hosts below;
a block of JSON right below shows its answer.
What the answer must have is what is shown there: each member, with a value of that type; `…`
stands for any text, `null` for anything, and the first member of a list for all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.listening import key, listening, make_listening_pair
from tests.cli.eco import ROOT, environment
from tests.cli.homes import Pair, customs_action, sample
from tests.factories import certificate

HOSTS = {"ZM": "https://eco.example:8445", "KE": "https://eco.ke.example:8445"}
ELSEWHERE = {
    "https://idp.example": "an identity provider: tests of access tokens have one of their own",
}
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if any(host in path.read_text(encoding="utf-8") for host in HOSTS.values())
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Shown:
    """Is one example of a page with the answer that it shows, if it shows one."""

    page: str
    line: int
    language: str
    script: str
    answer: Any | None

    @property
    def is_problem(self) -> bool:
        return isinstance(self.answer, dict) and "retryable" in self.answer


def examples(page: str) -> Iterator[Shown]:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = list(_BLOCK.finditer(text))
    for place, block in enumerate(blocks):
        if not (block[1] == "sh" and "curl" in block[2]) and not is_client(block):
            continue
        if any(host in block[2] for host in ELSEWHERE):
            continue
        below = blocks[place + 1] if place + 1 < len(blocks) else None
        beside = below is not None and not text[block.end() : below.start()].strip()
        answer = json.loads(below[2]) if beside and below[1] == "json" else None
        line = text[: block.start()].count("\n") + 1
        yield Shown(page, line, block[1], block[2], answer)


def is_client(block: re.Match[str]) -> bool:
    """Whether a block is a program of the client that asks one of the gateways."""
    return block[1] == "python" and any(host in block[2] for host in HOSTS.values())


@dataclass(frozen=True)
class Stage:
    """Is where examples run: two gateways that listen, keys, files and a quiet curl."""

    folder: Path
    addresses: dict[str, str]
    variables: dict[str, str]

    def run(self, shown: Shown) -> str:
        script = shown.script.replace("wait=20", "wait=1")
        for country, host in HOSTS.items():
            script = script.replace(host, self.addresses[country])
        options = [
            "silent",
            "show-error",
            "max-time = 20",
            'noproxy = "*"',
            f'cacert = "{self.folder}/ca.pem"',
        ]
        options += [] if shown.is_problem else ["fail-with-body"]
        (self.folder / ".curlrc").write_text("\n".join(options) + "\n")
        shell = ["bash", "-euo", "pipefail", "-c", script]
        ended = subprocess.run(
            shell if shown.language == "sh" else [sys.executable, "-c", script],
            cwd=self.folder,
            env=environment() | self.variables | {"CURL_HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        where = f"{shown.page}:{shown.line}"
        assert ended.returncode == 0, f"{where}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Gives homes of its own: what pages show is what new books hold."""
    return make_listening_pair(tmp_path_factory.mktemp("homes") / "pages")


@pytest.fixture(scope="module")
def listeners(pair: Pair) -> Iterator[list[str]]:
    with listening(pair.zm, pair.ke) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def stage(pair: Pair, listeners: list[str], tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "samples").mkdir()
    cas = (pair.zm / "keys" / "tls.cert.pem", pair.ke / "keys" / "tls.cert.pem")
    (folder / "ca.pem").write_bytes(b"".join(path.read_bytes() for path in cas))
    addresses = [each.removesuffix("/api/v1") for each in listeners]
    return Stage(folder, dict(zip(HOSTS, addresses, strict=True)), prepared(pair, folder))


def prepared(pair: Pair, folder: Path) -> dict[str, str]:
    """Lay the files of the examples out, let one certificate arrive, and make the keys."""
    sugar = pair.sugar()
    for name in ("zm-ke-cotton-yarn.json", "bad-hs-chapter-77.json"):
        sample(folder / "samples", name)
    lines = [certificate().model_dump_json(), "{}"]
    (folder / "certificates.ndjson").write_text("\n".join(lines), encoding="utf-8")
    decision = customs_action(sugar, 20_000, "KRA-2026-000001")
    (folder / "decision.json").write_text(json.dumps(decision), encoding="utf-8")
    return {
        "KEY": key(pair, "ZM-ZRA", "issuing-authority"),
        "CUSTOMS_KEY": key(pair, "KE-KRA", "customs", home=pair.ke),
        "SERIAL": sugar,
        "NEXT": "1",
        "PATH": os.environ["PATH"],
    }


def fits(shown: Any, got: Any) -> bool:
    if isinstance(shown, dict):
        return isinstance(got, dict) and all(
            name in got and fits(value, got[name]) for name, value in shown.items()
        )
    if isinstance(shown, list):
        alike = [fits(shown[0], each) for each in got] if shown else []
        return isinstance(got, list) and all(alike) and bool(got) >= bool(shown)
    return shown is None or type(shown) is type(got)


def test_there_are_examples_of_the_interface():
    assert {"docs/api.md", "docs/integration.md"} <= set(PAGES)
    assert sum(1 for page in PAGES for _ in examples(page)) >= 12


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_answer_as_it_shows(stage: Stage, page: str):
    for shown in examples(page):
        said = stage.run(shown)
        if shown.answer is not None:
            got = json.loads(said)
            assert fits(shown.answer, got), f"{page}:{shown.line}\n{json.dumps(got, indent=1)}"


def test_an_answer_that_lacks_what_a_page_shows_does_not_fit():
    shown = {"a": "…", "b": [{"c": 1}], "d": None}
    assert fits(shown, {"a": "x", "b": [{"c": 2}, {"c": 3}], "d": "any", "more": 1})
    for wrong in (
        {"a": 1, "b": [{"c": 2}], "d": None},
        {"a": "x", "b": [], "d": None},
        {"a": "x", "b": [{"c": 2}, {}], "d": None},
        {"a": "x", "b": [{"c": True}], "d": None},
        {"a": "x", "b": [{"c": 2}]},
    ):
        assert not fits(shown, wrong)
