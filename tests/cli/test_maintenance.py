"""Maintenance by command: announced, listed, ended; what cannot be announced is said why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair


def moment(hours: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


@pytest.fixture
def home(pair: Pair) -> Path:
    """Gives the home of Zambia."""
    return pair.zm


def announce(home: Path, begins: str, ends: str, *words: str):
    return eco("maintenance", "announce", "--from", begins, "--until", ends, *words, home=home)


def test_maintenance_is_announced_listed_in_a_language_and_ended(home: Path):
    run = announce(home, moment(2), moment(4), "--note", "Disks", "--note-fr", "Disques")
    assert run.status is ExitStatus.OK, run.err
    assert "maintenance 1 is announced" in run.out
    (listed,) = eco_json("maintenance", "list", home=home)
    assert (listed["gateway"], listed["note"]) == ("ZM-SW", {"en": "Disks", "fr": "Disques"})
    assert "Disques" in eco("maintenance", "list", "--language", "fr", home=home).out
    assert eco("maintenance", "end", "1", "--reason", "moved", home=home).status is ExitStatus.OK
    assert eco_json("maintenance", "list", home=home) == []
    (past,) = eco_json("maintenance", "list", "--all", home=home)
    assert past["closed_at"] is not None
    again = eco("maintenance", "end", "1", "--reason", "moved", home=home)
    assert again.status is not ExitStatus.OK
    assert "ended already" in again.err


@pytest.mark.parametrize(
    ("begins", "ends", "words", "said"),
    [
        (2, 1, ("--note", "x"), "ends after it begins"),
        (-4, -2, ("--note", "x"), "over already"),
        (1, 2, (), "say why"),
        (1, 24 * 9, ("--note", "x"), "7 days at most"),
    ],
)
def test_what_cannot_be_announced_is_refused_with_the_reason(
    home: Path, begins: float, ends: float, words: tuple[str, ...], said: str
):
    run = announce(home, moment(begins), moment(ends), *words)
    assert run.status is not ExitStatus.OK
    assert said in run.err
