"""``eco demo --keep DIR --json``: played once, its consoles tried, ended by Ctrl-C, looked at."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from gateway.cli.output import ExitStatus
from gateway.demo.manifest import FOLDER, load_manifest
from gateway.demo.performance import Performance
from gateway.store import PersonRole
from tests.cli.eco import Run, command_line, eco, environment
from tests.demo.visiting import Visited, visit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

HOMES = {"ZM-SW": "gateway-zm", "KE-SW": "gateway-ke"}
OTHER = {"ZM-SW": "KE-SW", "KE-SW": "ZM-SW"}


PATIENCE = 280


@dataclass(frozen=True)
class Evening:
    """Is the demonstration as its audience had it, from start to Ctrl-C.

    Attributes:
        told: the one value that it printed while all was up.
        visits: what people saw at the consoles, by login.
    """

    run: Run
    told: dict[str, Any]
    visits: Mapping[str, Visited]


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the demonstration fills."""
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="session")
def evening(left: Path) -> Evening:
    """The demonstration, played once, its consoles visited by everybody, then stopped."""
    process = subprocess.Popen(
        command_line("demo", "--keep", left, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
        start_new_session=True,
    )
    try:
        out = "".join(until_complete(process))
        told = {} if process.poll() is not None else yaml.safe_load(out)
        visits = {
            account["login"]: visit(console, account, told["tls_authority"])
            for console in told.get("consoles", ())
            for account in console["accounts"]
        }
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to every process at once
        rest, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return Evening(
        run=Run(ExitStatus(process.returncode), out + rest, err), told=told, visits=visits
    )


def until_complete(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines of the one JSON value; the process goes on."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if line.rstrip() == "}":
            return


@pytest.fixture
def played(evening: Evening) -> Run:
    return evening.run


@pytest.fixture
def exchanged(played: Run, left: Path) -> Path:
    assert played.status is ExitStatus.OK, played.out + played.err
    return left / "exchanged"


def files(exchanged: Path, piece: str) -> list[Path]:
    return sorted(exchanged.glob(f"[0-9]*.{piece}.xml"))


def test_every_expected_outcome_occurred(played: Run):
    assert played.status is ExitStatus.OK, played.out + played.err
    summary: dict[str, Any] = played.value
    assert summary["surprises"] == []
    assert summary["attacks_repelled"] == summary["attacks"] > 0
    consignments = load_manifest().consignments
    assert summary["consignments"] == len(consignments)
    assert summary["delivered"] == sum(entry.verdict is not None for entry in consignments)


def test_both_homes_are_left_and_still_work(exchanged: Path, left: Path):
    for identifier, name in HOMES.items():
        home = left / name
        assert (home / "gateway.toml").is_file()
        assert (home / "gateway.db").is_file()
        run = eco("peer", "show", OTHER[identifier], home=home)
        assert run.status is ExitStatus.OK


def test_every_envelope_that_crossed_is_left_with_its_payload_and_receipt(
    exchanged: Path, played: Run
):
    stems = {path.name.removesuffix(".envelope.xml") for path in files(exchanged, "envelope")}
    assert len(stems) >= played.value["delivered"] + 1
    for piece in ("payload", "receipt"):
        assert {
            path.name.removesuffix(f".{piece}.xml") for path in files(exchanged, piece)
        } == stems
    assert len(list(exchanged.iterdir())) == played.value["files_exchanged"]


def test_every_envelope_verifies_from_the_receiving_home_and_holds_its_payload(
    exchanged: Path, left: Path
):
    for path in files(exchanged, "envelope"):
        sender = path.name[5:10]
        run = eco("verify", path, "--json", home=left / HOMES[OTHER[sender]])
        assert run.status is ExitStatus.OK, f"{path.name}: {run.out}{run.err}"
        assert run.value["header"]["sender"] == sender
        assert [report["trusted"] for report in run.value["reports"]] == [True, True]
        payload = path.with_name(path.name.replace(".envelope.", ".payload.")).read_bytes()
        assert run.value["reports"][1]["sha256"] == hashlib.sha256(payload).hexdigest()


def test_a_payload_alone_verifies_too(exchanged: Path, left: Path):
    path = files(exchanged, "payload")[0]
    run = eco("verify", path, home=left / HOMES[OTHER[path.name[5:10]]])
    assert run.status is ExitStatus.OK, run.out + run.err


def test_every_receipt_verifies_from_the_home_that_got_it(exchanged: Path, left: Path):
    for path in files(exchanged, "receipt"):
        run = eco("verify", path, "--json", home=left / HOMES[path.name[5:10]])
        assert run.status is ExitStatus.OK, f"{path.name}: {run.out}{run.err}"
        assert run.value["header"]["document_type"] == "Acknowledgement"


def test_logs_hold_neither_payloads_nor_secrets(exchanged: Path, left: Path):
    logs = sorted(left.rglob("*.log"))
    assert len(logs) >= 4
    traders = names_of_traders(exchanged)
    assert len(traders) > 10
    for path in logs:
        text = path.read_text(encoding="utf-8")
        assert "Traceback" not in text
        assert "PRIVATE KEY" not in text
        assert not [name for name in traders if name in text], path.name


def names_of_traders(exchanged: Path) -> set[str]:
    """Exporters and consignees as the payloads name them."""
    found: set[str] = set()
    for path in files(exchanged, "payload"):
        text = path.read_text(encoding="utf-8")
        for role in ("Exporter", "Consignee", "Consignor", "Importer"):
            for party in re.findall(rf"<ram:\w*{role}\w*>(.*?)</ram:\w*{role}\w*>", text, re.S):
                found |= set(re.findall(r"<ram:Name[^>]*>([^<]{6,})</ram:Name>", party))
    return found


def test_everybody_signs_in_with_the_password_that_was_told(evening: Evening):
    accounts = [each for console in evening.told["consoles"] for each in console["accounts"]]
    assert sorted(each["role"] for each in accounts) == sorted([*PersonRole, *PersonRole])
    assert len({each["password"] for each in accounts}) == len(accounts)
    for each in accounts:
        assert evening.visits[each["login"]].status == requests.codes.ok, each["login"]
        assert each["name"] in evening.visits[each["login"]].page


@pytest.mark.parametrize("role", [PersonRole.ISSUING_OFFICER, PersonRole.CUSTOMS_OFFICER])
def test_officers_find_the_consignments_that_were_just_played(evening: Evening, role: PersonRole):
    for console in evening.told["consoles"]:
        login = next(each["login"] for each in console["accounts"] if each["role"] == role)
        own = role is PersonRole.ISSUING_OFFICER
        other = {"ZM": "KE", "KE": "ZM"}[console["country"]]
        issuer = console["country"] if own else other
        assert re.search(
            rf"{issuer}-\d{{8}}-0001\d\d|{issuer}-\d{{8}}-0002\d\d", (evening.visits[login].page)
        )


def test_the_passwords_lie_nowhere_in_what_the_demonstration_left(evening: Evening, left: Path):
    secrets = [
        each["password"].encode()
        for console in evening.told["consoles"]
        for each in console["accounts"]
    ]
    for path in left.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path


def test_nothing_of_the_demonstration_is_left_running(exchanged: Path, left: Path):
    alive = [
        command
        for command in Path("/proc").glob("[0-9]*/cmdline")
        if str(left).encode() in read_or_nothing(command)
    ]
    assert alive == []


def read_or_nothing(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_directory_in_use_is_left_alone(exchanged: Path, left: Path):
    before = sorted(left.rglob("*"))
    run = eco("demo", "--once", "--keep", left)
    assert run.status is ExitStatus.REFUSED
    assert "not empty" in run.err
    assert sorted(left.rglob("*")) == before


def test_once_ends_with_the_result_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The play itself is tested above; here only how ``--once`` ends it."""
    given: dict[str, Any] = {}

    def performed(directory: Path, **how: Any) -> Performance:
        given.update(how, directory=directory)
        (directory / "gateway-zm").mkdir()
        return Performance(
            stage=None,  # type: ignore[arg-type]  # nobody comes on
            scenes=(),
            attacks=(),
            surprises=(),
            files=0,
            seconds=1.0,
        )

    monkeypatch.setattr("gateway.cli.show.perform_all", performed)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = eco("demo", "--once", "--json")
    assert run.status is ExitStatus.OK
    assert run.value["surprises"] == []
    assert "consoles" not in run.value
    assert given["afterwards"] is None
    assert not given["directory"].exists()


def test_samples_are_written_dated_today(tmp_path: Path):
    run = eco("demo", "--samples", tmp_path / "samples", "--json")
    assert run.status is ExitStatus.OK
    assert {Path(entry["file"]).name for entry in run.value} == {
        path.name for path in (tmp_path / "samples").iterdir()
    }
    for path in (tmp_path / "samples").iterdir():
        assert "{{" not in path.read_text(encoding="utf-8"), path.name
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))
    assert len(run.value) <= len(manifest["consignments"])
