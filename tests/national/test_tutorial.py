"""The tutorial docs/national-formats.md is true: every step of it runs, and it names every key."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import ExitStatus
from gateway.documents.customs_response import Officer
from gateway.resources import data_path
from gateway.store import Store, journal
from gateway.xml.national import NationalFormat, drafting, formats
from gateway.xml.national.carrier import Carrier
from gateway.xml.national.compiler import FIXED_KEYS, GROUP_KEYS, ROW_KEYS, SECTION_KEYS
from tests.cli.eco import Run, eco
from tests.cli.homes import Pair, make_pair
from tests.factories import customs_response

PAGE = (data_path("mappings").parent / "docs" / "national-formats.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def timber(tmp_path: Path) -> NationalFormat:
    (tmp_path / "timber-lines.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / "timber.csv").write_text(block("csv"), encoding="utf-8")
    return NationalFormat.load(tmp_path / "timber-lines.yaml")


def test_the_example_reads_its_file(timber: NationalFormat) -> None:
    (reading,) = timber.read(block("csv").encode())
    assert reading.findings == ()
    assert reading.document is not None
    assert reading.document.exporter.registration_number == "COM-ZM000044"
    assert reading.document.issued_at == datetime(2026, 3, 8, 22, 30, tzinfo=UTC)
    assert reading.document.valid_until == date(2027, 3, 9)
    assert [item.hs_code for item in reading.document.items] == ["440711", "440799"]
    assert reading.document.items[0].quantity.value == Decimal("18500.50")


def test_the_example_writes_certificates_and_responses(timber: NationalFormat) -> None:
    (reading,) = timber.read(block("csv").encode())
    assert reading.document is not None
    assert timber.read(timber.write(reading.document))[0].document == reading.document
    response = customs_response(officer=Officer(identifier="1", name="A", role="Officer"))
    assert timber.read_response(timber.write_response(response))[0].document == response
    without = response.model_copy(update={"items": (), "status": type(response.status).ACCEPTED})
    assert timber.read_response(timber.write_response(without))[0].document == without


def test_the_snippet_prints_what_the_page_says(
    timber: NationalFormat,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "tutorial", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] in PAGE
    assert len(lines) == 2


def test_the_page_names_every_key() -> None:
    keys = (
        ROW_KEYS | FIXED_KEYS | GROUP_KEYS | SECTION_KEYS | drafting.FILE_KEYS | drafting.VALUE_KEYS
    )
    for kind in drafting.CARRIERS.values():
        keys |= kind.keys
    missing = [key for key in keys if f"`{key}`" not in PAGE]
    assert missing == []


def test_every_shipped_format_is_named_on_the_page() -> None:
    for name in formats.load_national_formats():
        assert f"`{name}.yaml`" in PAGE


def test_carriers_keep_their_protocol() -> None:
    for kind in drafting.CARRIERS.values():
        assert set(vars(Carrier)) & {"read", "write", "check"} <= set(dir(kind))


# --- the walk: every command that the page shows, in its order -----------------------------------


def steps() -> Iterator[tuple[str, list[str]]]:
    """The commands of the page, each with the lines that it shows."""
    for shown in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for step in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]:
            command, *lines = re.sub(r"\\\n +", "", step).rstrip("\n").split("\n")
            yield command, lines


def carried_out(command: str, pair: Pair) -> Run:
    """Run one command of the page; the worker of the page, which it waits for, delivers."""
    command = command.replace("$serial", todays_serial() if "$serial" in command else "")
    waited = re.fullmatch(r"until (.*); do sleep 1; done", command)
    if waited is not None:
        assert pair.deliver() == 1
    words = shlex.split(command if waited is None else waited[1])
    if words[0] == "eco":
        if words[-2:] == ["--home", "../kenya"]:
            return eco(*words[1:-2], home=pair.ke)
        return eco(*words[1:], home=pair.zm)
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    return Run(ExitStatus.OK, ended.stdout, ended.stderr)


def todays_serial() -> str:
    return Path("today.csv").read_text(encoding="utf-8").splitlines()[1].partition(";")[0]


def assert_shown(command: str, lines: list[str], out: str) -> None:
    """Every line of the page stands in the output, in order; an ellipsis leaves anything out."""
    rest = out.replace("\u00a0", " ")
    for shown in lines:
        line = shown
        if "ZM-20260309-000007" in line:
            line = line.replace("ZM-20260309-000007", todays_serial())
        if line.strip() == "…":
            continue
        pattern = "^" + re.escape(line).replace("…", ".*") + ("" if line.endswith("…") else "$")
        found = re.search(pattern, rest, re.MULTILINE)
        assert found, f"{command} does not print {line!r}:\n{out}"
        rest = rest[found.end() :]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Two gateway homes, in that of Zambia the two files of the page; a window of 80 columns."""
    made = make_pair(tmp_path)
    (made.zm / "timber-lines.yaml").write_text(block("yaml"), encoding="utf-8")
    (made.zm / "timber.csv").write_text(block("csv"), encoding="utf-8")
    monkeypatch.chdir(made.zm)
    monkeypatch.setenv("COLUMNS", "80")
    return made


@pytest.fixture
def desk(pair: Pair) -> Path:
    """The home of Zambia with the further files that the page makes."""
    for command, _ in steps():
        if command.split()[0] in {"mkdir", "sed"}:
            carried_out(command, pair)
    shutil.copy("today.csv", "samples")
    return pair.zm


def test_the_page_leads_from_a_sample_to_a_certificate_across_the_border(pair: Pair) -> None:
    for command, lines in steps():
        assert_shown(command, lines, carried_out(command, pair).out)
    assert journalled(pair.zm)["mapping"] == "timber-lines"
    assert journalled(pair.zm)["sha256"] == NationalFormat.load(Path("timber-lines.yaml")).sha256


def journalled(home: Path) -> Mapping[str, Any]:
    """What the journal says of the mapping that the one certificate was read with."""
    store = Store.open(f"sqlite:///{home / 'gateway.db'}")
    try:
        with store.read() as conn:
            (entry,) = journal.page(conn, action=journal.Action.DOCUMENT_MAPPED)
    finally:
        store.close()
    return entry.detail


def test_a_slip_in_the_home_leaves_the_format_in_force_and_is_told_everywhere(desk: Path) -> None:
    shutil.copy("timber-lines.yaml", "formats")
    assert eco("mapping", "list", home=desk).status == 0
    shutil.copy("slips/timber-lines.yaml", "formats")
    listed = eco("mapping", "list", home=desk)
    assert "timber-lines.yaml is not in force as it stands; 1.0 stays in force" in listed.out
    assert 'there is no table "country"' in listed.out
    run = eco("submit", "today.csv", "--format", "timber-lines", "--dry-run", home=desk)
    assert run.status == 0, run.out
    report = eco("doctor", "--json", home=desk).value
    (check,) = [each for each in report["checks"] if each["check"] == "formats"]
    assert check["outcome"] == "FAIL"
    assert re.match(r"timber-lines\.yaml, line \d+: there is no table", check["says"])
    assert "in force: 1.0 (" in check["says"]
    assert check["remedy"].startswith('Write it under "tables:"')


def test_an_exit_status_tells_scripts_what_the_workbench_found(desk: Path) -> None:
    good, bad = "timber-lines.yaml", "slips/timber-lines.yaml"
    assert eco("mapping", "check", good, bad).status == ExitStatus.REFUSED
    assert eco("mapping", "check", good, "--json").value[0]["sound"] is True
    assert eco("mapping", "coverage", bad).status == ExitStatus.REFUSED
    tried = eco("mapping", "try", bad, "today.csv", home=desk)
    assert tried.status == ExitStatus.CONFIGURATION
    assert "✗ timber-lines.yaml, line 41, row destination_country\n    there is no" in tried.err
    told = eco("mapping", "try", bad, "today.csv", "--json", home=desk)
    assert told.status == ExitStatus.CONFIGURATION
    assert "line 41" in told.problem["detail"]
    assert eco("mapping", "try", "nowhere", "timber.csv", home=desk).status == ExitStatus.NOT_FOUND
    assert eco("mapping", "try", "no/file", "timber.csv", home=desk).status == ExitStatus.NOT_FOUND
    assert eco("mapping", "diff", good, bad, "samples").status == ExitStatus.CONFIGURATION
    assert eco("mapping", "diff", good, good, "samples").status == ExitStatus.OK
    stricter = Path(good).read_text().replace("date: dd.mm.yyyy", "date: yyyy-mm-dd")
    Path("newer/timber-lines.yaml").write_text(stricter)
    worse = eco("mapping", "diff", good, "newer/timber-lines.yaml", "samples")
    assert worse.status == ExitStatus.REFUSED
    assert "can no longer be read" in worse.out


def test_arabic_in_a_sample_cannot_turn_the_line_around_it(desk: Path) -> None:
    sample = Path("timber.csv").read_text(encoding="utf-8")
    Path("arabic.csv").write_text(
        sample.replace("Ndola Timber Ltd", "شركة الأخشاب \u202eالمحدودة\x1b[31m"), encoding="utf-8"
    )
    run = eco("mapping", "try", "timber-lines.yaml", "arabic.csv", home=desk)
    lines = [each for each in run.out.splitlines() if "شركة" in each]
    assert lines[0].count("\u2068شركة") == lines[0].count("\u2069") == 1
    assert "\u202e" not in run.out
    assert "\x1b" not in run.out
