"""The directory of authorities by command: entered, corrected, circulated to a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair
from tests.paper.pictures import png


@pytest.fixture(scope="module")
def stamp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pictures") / "stamp.png"
    file.write_bytes(png(40, 40))
    return file


def test_a_stamp_goes_from_the_home_that_enters_it_to_the_peer_that_believes_it(
    pair: Pair, stamp: Path, tmp_path: Path
) -> None:
    made = eco_json(
        *("specimen", "add", "stamp", "--authority", "ZM-ZRA", "--name", "Round stamp"),
        *("--picture", stamp, "--from", "2026-01-01"),
        home=pair.zm,
    )
    eco_json(
        *("specimen", "add", "office", "--authority", "ZM-ZRA", "--name", "Head office"),
        *("--telephone", "+260 211 381111", "--public", "--from", "2026-01-01"),
        home=pair.zm,
    )
    again = eco_json(
        *("specimen", "correct", made["key"], "--name", "Round stamp, Lusaka"),
        *("--reason", "named more exactly"),
        home=pair.zm,
    )
    assert (again["version"], again["picture_sha256"]) == (2, made["picture_sha256"])
    file = tmp_path / "directory.xml"
    assert eco("specimen", "export", file, home=pair.zm).status is ExitStatus.OK
    assert eco("specimen", "export", file, home=pair.zm).status is ExitStatus.REFUSED
    taken = eco_json("specimen", "import", file, home=pair.ke)
    assert (taken["entries"], taken["new"]) == (3, 3)
    (listed,) = eco_json("specimen", "list", "--kind", "stamp", home=pair.ke)
    assert (listed["name"], listed["version"]) == ("Round stamp, Lusaka", 2)
    picture = tmp_path / "seen.png"
    shown = eco("specimen", "show", made["key"], "-o", picture, home=pair.ke)
    assert "because     named more exactly" in shown.out
    assert picture.read_bytes() == stamp.read_bytes()
    ended = eco("specimen", "end", made["key"], "--on", "2026-06-30", "--reason", "x", home=pair.ke)
    assert ended.status is ExitStatus.REFUSED  # it is not Kenya's to end
    ended = eco_json(
        *("specimen", "end", made["key"], "--on", "2026-06-30", "--reason", "stamp lost"),
        home=pair.zm,
    )
    assert ended["valid_until"] == "2026-06-30"


def test_what_is_no_picture_is_refused_by_name(pair: Pair, tmp_path: Path) -> None:
    evil = tmp_path / "stamp.png"
    evil.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    run = eco(
        *("specimen", "add", "stamp", "--authority", "ZM-ZRA", "--name", "Round stamp"),
        *("--picture", evil, "--from", "2026-01-01"),
        home=pair.zm,
    )
    assert run.status is ExitStatus.REFUSED
    assert "not a picture" in run.err
    listed = eco("specimen", "list", home=pair.zm)
    assert "the directory is empty" in listed.out
