"""What stands still: a batch without progress and a watched folder that nobody empties raise an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.documents.codes import Language
from gateway.operations.alerting import AlertDesk
from gateway.operations.letters import paragraph
from gateway.operations.premises import Premises, WatchedFolder
from gateway.operations.watch import watch
from gateway.store import AlertLevel, OrganisationState, alerts, batches, clients, tasks
from tests.api.batches import hand_in, line, ndjson
from tests.api.counter import Front, make_front
from tests.exchange.corridor import Corridor
from tests.operations.scene import RULES

DESK = AlertDesk(rules=RULES, recipients=(), digest=timedelta(hours=1))
TASK = "files in test"
MINUTE = timedelta(minutes=1)


def told(premises: Premises, rule: str) -> dict[Language, str]:
    """Return what the one alert of a rule says in each language, {} where there is none."""
    watch(premises, DESK, "w")
    with premises.desk.store.read() as conn:
        found = [each for each in alerts.live(conn) if each.rule == rule]
    return {
        language: paragraph(RULES, each, language).says for each in found for language in Language
    }


def level(premises: Premises, rule: str) -> AlertLevel:
    with premises.desk.store.read() as conn:
        return next(each.level for each in alerts.live(conn) if each.rule == rule)


@pytest.fixture
def front(corridor: Corridor) -> Front:
    return make_front(corridor.zm.desk)


def test_a_batch_without_progress_raises_an_alert_that_grows_and_clears(
    corridor: Corridor, premises: Premises, front: Front
):
    address = hand_in(front, ndjson([line(1), line(2)]))
    name = address.rpartition("/")[2]
    assert told(premises, "batch-stuck") == {}
    corridor.clock.pass_time(minutes=16)
    said = told(premises, "batch-stuck")
    assert said.keys() == set(Language)
    assert all(name in each and "16" in each for each in said.values())
    assert level(premises, "batch-stuck") is AlertLevel.WARNING
    corridor.clock.pass_time(minutes=60)
    told(premises, "batch-stuck")
    assert level(premises, "batch-stuck") is AlertLevel.CRITICAL
    with premises.desk.store.begin() as conn:
        (open_one,) = batches.standing_still(conn, limit=9)
        batches.cancel(conn, open_one, at=corridor.clock(), actor="user:test")
    corridor.clock.pass_time(minutes=10)
    assert told(premises, "batch-stuck") == {}


def test_a_batch_of_a_suspended_organisation_waits_without_an_alert(
    corridor: Corridor, premises: Premises, front: Front
):
    hand_in(front, ndjson([line(1)]))
    with premises.desk.store.begin() as conn:
        (batch,) = batches.standing_still(conn, limit=9)
        owner = next(each for each in clients.every(conn) if each.id == batch.organisation_id)
        clients.set_state(
            conn,
            owner.code,
            OrganisationState.SUSPENDED,
            at=corridor.clock(),
            actor="user:test",
            reason="test",
        )
    corridor.clock.pass_time(hours=9)
    assert told(premises, "batch-stuck") == {}


@pytest.fixture
def watched(premises: Premises, tmp_path: Path) -> Premises:
    """Gives premises with a folder in, on a clock that goes right."""
    folder = tmp_path / "in"
    folder.mkdir()
    one = WatchedFolder(name="test", task=TASK, inbox=folder, pattern="*.json")
    return replace(premises, watched=(one,))


def turn(premises: Premises, now: datetime, *, error: str | None = None) -> None:
    """Let a worker have looked after the folder at ``now``."""
    with premises.desk.store.begin() as conn:
        run = tasks.claim(conn, TASK, "w", now, period=MINUTE)
        assert run is not None
        tasks.end(conn, run, at=now, error=error, due_at=now + MINUTE)


def test_a_folder_whose_turns_fail_raises_an_alert_with_the_cause(
    corridor: Corridor, watched: Premises
):
    turn(watched, corridor.clock())
    for _ in range(20):
        corridor.clock.pass_time(minutes=1)
        turn(watched, corridor.clock(), error="FileNotFoundError")
    said = told(watched, "folder-stuck")
    assert said.keys() == set(Language)
    assert all("FileNotFoundError" in each and "20" in each for each in said.values())
    corridor.clock.pass_time(minutes=1)
    turn(watched, corridor.clock())
    corridor.clock.pass_time(minutes=4)
    turn(watched, corridor.clock())
    assert told(watched, "folder-stuck") == {}


def test_a_folder_that_failed_from_the_first_raises_an_alert_at_once(
    corridor: Corridor, watched: Premises
):
    turn(watched, corridor.clock(), error="NOT_FOUND")
    assert told(watched, "folder-stuck")


def test_a_folder_that_no_worker_looks_after_any_more_raises_an_alert(
    corridor: Corridor, watched: Premises
):
    turn(watched, corridor.clock())
    assert told(watched, "folder-stuck") == {}
    corridor.clock.pass_time(minutes=20)
    assert told(watched, "folder-stuck")


@pytest.mark.parametrize(
    ("name", "counts"),
    [("a.json", True), ("work/a.json-claimed", True), (".a.json", False), ("a.txt", False)],
)
def test_a_file_that_is_not_taken_raises_an_alert_and_what_is_not_meant_does_not(
    corridor: Corridor, watched: Premises, name: str, counts: bool
):
    folder = watched.watched[0].inbox
    assert folder is not None
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")
    made = datetime.fromtimestamp(file.stat().st_ctime, UTC)
    corridor.clock.now = made + timedelta(minutes=5)
    assert told(watched, "folder-stuck") == {}
    corridor.clock.now = made + timedelta(minutes=20)
    assert bool(told(watched, "folder-stuck")) is counts


def test_a_folder_that_is_gone_and_a_link_in_it_break_no_watch(
    corridor: Corridor, watched: Premises, tmp_path: Path
):
    folder = watched.watched[0].inbox
    assert folder is not None
    (folder / "away.json").symlink_to(tmp_path / "nowhere")
    assert told(watched, "folder-stuck") == {}
    (folder / "away.json").unlink()
    folder.rmdir()
    corridor.clock.pass_time(minutes=20)
    assert told(watched, "folder-stuck") == {}
