"""Homes for the command line's tests: made once, copied for each test that changes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.homes import Pair, make_pair


@pytest.fixture(autouse=True)
def _no_settings_of_the_tester(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ECO_HOME", "ECO_LANGUAGE", "ECO_STORE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def first_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Two introduced homes; not to be changed."""
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(first_pair: Pair, tmp_path: Path) -> Pair:
    """Two introduced homes of this test's own."""
    shutil.copytree(first_pair.folder, tmp_path / "pair")
    return Pair(tmp_path / "pair")


@pytest.fixture(scope="session")
def traded_pair(first_pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Two homes between which sugar went, was used in part, and its issuer knows; read only."""
    from tests.cli.eco import eco_json

    folder = tmp_path_factory.mktemp("traded") / "pair"
    shutil.copytree(first_pair.folder, folder)
    traded = Pair(folder)
    serial = traded.sugar()
    eco_json("respond", traded.decision(serial), home=traded.ke)
    assert traded.deliver() == 1
    return traded
