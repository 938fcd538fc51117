"""``eco reconcile``: state a day now, show balances, and end with a status that programs read."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from gateway.cli import reconcile as command
from gateway.documents.codes import Language
from gateway.exchange.inspection import inspect
from gateway.exchange.reconcile_guides import guide_of
from gateway.exchange.reconcile_rounds import MOST_ROUNDS
from gateway.store import BalanceState, BooksSide
from gateway.store.tables import arrivals
from tests.exchange.corridor import Corridor
from tests.reconcile.damage import alter, exchange, hurry, message_ids, next_day, reconcile, work


@pytest.fixture
def eco(corridor: Corridor, monkeypatch: pytest.MonkeyPatch):
    desk = corridor.zm.desk
    opened = SimpleNamespace(desk=desk, store=desk.store)
    monkeypatch.setattr(command, "the_gateway", lambda _call: nullcontext(opened))
    return lambda *args: CliRunner().invoke(command.reconcile, args)


def test_a_day_is_stated_on_demand_and_shown_with_its_verified_signatures(corridor: Corridor, eco):
    exchange(corridor, count=1, uses=0)
    next_day(corridor)
    started = eco("KE-SW", "--json")
    assert [row["state"] for row in json.loads(started.output)] == ["STATED"]
    work(corridor)
    (shown,) = json.loads(eco("KE-SW", "--show", "--json").output)
    assert (shown["state"], shown["proved"], shown["day"]) == ("AGREED", True, "2026-03-10")
    text = eco("--show").output
    assert "AGREED, signatures verified" in text
    assert "KE-SW" in text


def test_an_agreed_day_leaves_the_books_as_signed_files_that_anybody_can_verify(
    corridor: Corridor, eco, tmp_path
):
    exchange(corridor, count=2, uses=1)
    next_day(corridor)
    refused = eco("KE-SW", "--export", str(tmp_path))
    assert (refused.exit_code, "NOT_FOUND" in refused.output) == (4, True)
    reconcile(corridor, rounds=2)
    rows = json.loads(eco("KE-SW", "--export", str(tmp_path / "new"), "--json").output)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == sorted(Path(file).name for row in rows for file in row["files"])
    assert "KE-SW-2026-03-10-sent-1-statement.xml" in names
    assert "KE-SW-2026-03-10-sent-1-answer.xml" in names
    for side in (corridor.zm, corridor.ke):
        for path in (tmp_path / "new").iterdir():
            found = inspect(side.desk, path.read_bytes())
            assert found.trusted, found
            assert [report.kind for report in found.reports] == ["Envelope", "BooksStatement"]
    path = tmp_path / "new" / "KE-SW-2026-03-10-sent-1-answer.xml"
    spoiled = path.read_bytes().replace(b"KE-SW", b"KE-SX", 1)
    assert not inspect(corridor.zm.desk, spoiled).trusted


def test_without_a_name_every_peer_is_asked_and_the_reader_learns_what_comes_next(
    corridor: Corridor, eco
):
    next_day(corridor)
    answer = eco("--day", "2026-03-10")
    assert answer.exit_code == 0
    assert "whose answer is awaited" in answer.output


def test_a_balance_that_asks_for_a_person_ends_with_status_1(corridor: Corridor, eco):
    exchange(corridor, count=2, uses=0)
    altered, other = message_ids(corridor.zm)
    foreign = corridor.zm.dispatch(other).envelope_sha256
    alter(corridor.ke, arrivals, altered, envelope_sha256=foreign)
    next_day(corridor)
    reconcile(corridor, rounds=1)
    hurry(corridor, MOST_ROUNDS)
    answer = eco("--show")
    assert answer.exit_code == 1
    assert "1 OTHER_DIGEST" in answer.output
    assert "run `eco reconcile`" in answer.output


@pytest.mark.parametrize(
    ("args", "status", "code"),
    [(("XX-SW",), 4, "NOT_FOUND"), (("KE-SW", "--day", "2026-03-10"), 1, "CONFLICT")],
)
def test_what_cannot_be_done_is_said_with_its_code(eco, args, status: int, code: str):
    answer = eco(*args)
    assert answer.exit_code == status
    assert code in answer.output


def test_every_balance_that_is_not_agreed_says_why_in_three_languages():
    for side in BooksSide:
        for state in BalanceState:
            guide = guide_of(side, state)
            never_made = (side, state) == (BooksSide.RECEIVED, BalanceState.STATED)
            assert (guide is None) is (state is BalanceState.AGREED or never_made)
            for language in Language if guide else ():
                assert guide.reason.in_language(language)
                assert guide.next_step.in_language(language)
