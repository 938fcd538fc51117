"""`eco recount`: what reports tell is counted anew from the books."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from tests.cli.eco import eco_json
from tests.cli.homes import Pair


def counts(home: Path) -> list[tuple[str, str, int]]:
    with contextlib.closing(sqlite3.connect(home / "gateway.db")) as books:
        query = "SELECT measure, name, count FROM report_counts ORDER BY measure, name"
        return books.execute(query).fetchall()


def test_reports_are_counted_anew_by_command(traded_pair: Pair, tmp_path: Path) -> None:
    home = tmp_path / "zm"
    shutil.copytree(traded_pair.zm, home)
    for _ in range(2):
        assert eco_json("recount", home=home) == {"certificates": 1}
        found = counts(home)
        assert {measure for measure, _, _ in found} == {"ALL", "ARRIVED", "CHAPTER", "PACE", "USED"}
        assert all(count == 1 for _, _, count in found)
    with contextlib.closing(sqlite3.connect(home / "gateway.db")) as books:
        books.execute("UPDATE report_counts SET count = 7")
        books.commit()
    eco_json("recount", home=home)
    assert counts(home) == found
