"""`eco api`: the same interface from the command line, with an address and a key alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from gateway.client import Gateway
from gateway.documents import DocumentType, UtilisationStatus
from tests.api.batches import line, ndjson, worker
from tests.api.counter import AUTHORITY, CUSTOMS, WINDOW
from tests.cli.eco import eco, eco_json
from tests.client.test_connection import problem
from tests.exchange.corridor import action
from tests.factories import certificate, goods_item
from tests.wire.odd_server import says

PLAIN_PROVIDER = "token_url = 'http://idp'\nclient_id = 'a'\nclient_secret = 'b'"
SERIAL = "ZM-20260309-000123"


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ECO_API_URL", "ECO_API_CONFIG", "ECO_API_CA_FILE", "ECO_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing-here"))


@pytest.fixture
def as_of(border, serve, monkeypatch):
    """Gives a function that lets the next commands ask a front with a key of its own."""
    addresses = {"ZM": serve(border.zm), "KE": serve(border.ke)}

    def become(country: str, who=WINDOW) -> None:
        front = border.zm if country == "ZM" else border.ke
        monkeypatch.setenv("ECO_API_URL", addresses[country])
        monkeypatch.setenv("ECO_API_KEY", front.tokens[who])

    return become


def written(folder: Path, name: str, document) -> Path:
    path = folder / name
    path.write_text(document.model_dump_json())
    return path


def test_a_script_submits_decides_and_follows_with_an_address_and_a_key(border, as_of, tmp_path):
    as_of("ZM", AUTHORITY)
    assert eco_json("api", "me")["organisation"] == "ZM-ISSUING_AUTHORITY"
    file = written(tmp_path, "one.json", certificate())
    tried = eco("api", "submit", file, "--dry-run")
    assert f"{SERIAL} ({file}) would be sent to KE-SW" in tried.out
    (taken,) = eco_json("api", "submit", file)
    assert taken["problem"] is None
    message_id = taken["answer"]["message_id"]
    assert f"was submitted before as {message_id}" in eco("api", "submit", file).out
    border.deliver()

    as_of("KE", CUSTOMS)
    decided = written(tmp_path, "decision.json", action(UtilisationStatus.PARTIAL, "6000"))
    assert "queued for ZM-SW" in eco("api", "respond", decided).out
    border.deliver()
    xml = tmp_path / "signed.xml"
    shown = eco("api", "certificate", "ZM", SERIAL, "--xml", xml, "--purpose", "declaration 77")
    assert "6000 of 12000 KGM used, 6000 left" in shown.out
    assert xml.read_bytes().startswith(b"<?xml")

    as_of("ZM", AUTHORITY)
    (found,) = eco_json("api", "search", "--exporter", "kafue", "--issued-from", "2026-03-01")
    assert found["serial_number"] == SERIAL
    assert "no such certificate" in eco("api", "search", "--exporter", "nobody").out
    assert "VERDICT" in eco("api", "timeline", "ZM", SERIAL).out
    assert eco_json("api", "ledger", "ZM", SERIAL)["entries"][0]["total_after"] == "6000"
    assert "6000 KGM" in eco("api", "ledger", "ZM", SERIAL).out
    assert eco_json("api", "message", message_id)["verdict"] == "ACCEPTED"
    assert "to        KE-SW" in eco("api", "message", message_id).out


def test_one_bad_file_harms_no_other_and_its_findings_are_told_in_the_language_asked_for(
    border, as_of, tmp_path
):
    as_of("ZM")
    bad = written(tmp_path, "bad.json", certificate(items=(goods_item(3),)))
    good = written(tmp_path, "good.json", certificate())
    lines = tmp_path / "lines.csv"
    lines.write_text("A;B\n")
    run = eco("api", "submit", bad, lines, good, "--language", "fr")
    assert run.status is ExitStatus.REFUSED
    assert "✗" in run.out
    assert re.search(
        r"✗ V32 items\[0\].number \(box [0-9]+\): L'article porte le numéro 3", run.out
    )
    assert f"✓ {SERIAL}" in run.out
    answers = json.loads(eco("api", "submit", bad, lines, good, "--json").out)
    assert [each["problem"] and each["problem"]["code"] for each in answers] == [
        "INVALID_DOCUMENT",
        "BAD_REQUEST",
        None,
    ]
    xml = tmp_path / "one.xml"
    tables = border.zm.desk.tables
    xml.write_bytes(tables[DocumentType.CERTIFICATE_OF_ORIGIN].render(certificate()))
    assert eco("api", "submit", xml).out.startswith("=")
    piped = eco("api", "submit", "-", "--dry-run", given=good.read_bytes())
    assert "(standard input)" in piped.out


def test_events_are_listed_until_they_are_confirmed_and_followed_line_by_line(
    border, as_of, tmp_path, monkeypatch
):
    as_of("ZM")
    assert "nothing new" in eco("api", "events").out
    eco_json("api", "submit", written(tmp_path, "one.json", certificate()))
    border.deliver()
    for words in ((), ("--confirm",)):
        (event,) = eco_json("api", "events", *words)
        assert event["data"]["serial_number"] == SERIAL
    assert eco_json("api", "events") == []
    assert (
        f"MESSAGE_DELIVERED        {SERIAL} ISSUED ACCEPTED"
        in eco("api", "events", "--after", "0").out
    )
    assert "MESSAGE_DELIVERED" in eco("api", "event-kinds").out

    read = Gateway.read_events

    def once(gateway: Gateway, **asked: object):
        if asked["after"] != 0:
            raise KeyboardInterrupt
        return read(gateway, **asked)

    monkeypatch.setattr(Gateway, "read_events", once)
    run = eco("api", "events", "--follow", "--after", "0", "--json")
    assert run.status is ExitStatus.INTERRUPTED
    assert [json.loads(line)["data"]["kind"] for line in run.out.splitlines()] == [
        "MESSAGE_DELIVERED"
    ]


def test_reference_data_is_listed(border, as_of):
    as_of("ZM")
    assert "countries" in eco("api", "codes").out
    french = eco("api", "codes", "countries", "--language", "fr", "--on", "2026-03-09")
    assert "Zambie" in french.out
    assert eco_json("api", "codes", "units")["id"] == "units"
    assert "COMESA" in eco("api", "agreements").out
    assert "KE-SW" in eco("api", "peers").out
    assert "single-window-json" in eco("api", "formats").out


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "NOT_AUTHENTICATED", ExitStatus.CONFIGURATION),
        (403, "NOT_PERMITTED", ExitStatus.CONFIGURATION),
        (404, "NOT_FOUND", ExitStatus.NOT_FOUND),
        (409, "CONFLICT", ExitStatus.REFUSED),
        (422, "INVALID_DOCUMENT", ExitStatus.REFUSED),
        (429, "SLOW_DOWN", ExitStatus.BUSY),
        (503, "BUSY", ExitStatus.BUSY),
        (500, "INTERNAL", ExitStatus.FAILED),
        (418, "OF_TOMORROW", ExitStatus.REFUSED),
        (599, "OF_TOMORROW", ExitStatus.FAILED),
    ],
)
def test_problems_end_with_the_exit_statuses_of_all_commands(
    odd, monkeypatch, status, code, expected
):
    server = odd(says(problem(status, code)))
    monkeypatch.setenv("ECO_API_KEY", "eco_k_s")
    run = eco("api", "me", "--url", server.base, "--json")
    assert run.status is expected
    assert (run.out, run.problem["code"]) == ("", code)
    assert f"error [{code}]" in eco("api", "me", "--url", server.base).err


def test_a_gateway_that_cannot_be_reached_is_said_to_be_so(monkeypatch):
    monkeypatch.setenv("ECO_API_KEY", "eco_k_s")
    monkeypatch.setattr("gateway.client.connection.random.uniform", lambda *_: 0.0)
    run = eco("api", "me", "--url", "http://127.0.0.1:9")
    assert run.status is ExitStatus.UNREACHABLE


# --- whom it asks ---------------------------------------------------------------------------------


def config(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "eco" / "api.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_address_and_key_may_stand_in_a_file_that_no_one_else_reads(
    border, as_of, monkeypatch, tmp_path
):
    address, key = border_address(as_of, monkeypatch)
    path = config(tmp_path, f'url = "{address}"\nkey = "{key}"\n')
    assert eco_json("api", "me", "--config", path)["kind"] == "SINGLE_WINDOW"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert eco_json("api", "me")["kind"] == "SINGLE_WINDOW"
    path.chmod(0o640)
    run = eco("api", "me")
    assert run.status is ExitStatus.CONFIGURATION
    assert f"chmod 600 {path}" in run.err
    assert key not in run.err


def border_address(as_of, monkeypatch) -> tuple[str, str]:
    import os

    as_of("ZM")
    found = os.environ["ECO_API_URL"], os.environ["ECO_API_KEY"]
    monkeypatch.delenv("ECO_API_URL")
    monkeypatch.delenv("ECO_API_KEY")
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url =", "no TOML"),
        ("colour = 'green'", "colour"),
        ("key = 5", "key"),
        ("key = 'eco_a b'\nurl = 'https://eco.example'", "printable"),
        ("url = 'https://eco.example'", "no key is given"),
        ("key = 'eco_k_s'", "no gateway is named"),
        ("key = 'k'\nurl = 'https://eco.example'\nca_file = 'no.pem'", "no.pem"),
        (f"url = 'https://eco.example'\n[oauth]\n{PLAIN_PROVIDER}", "https"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_shows_no_key(tmp_path, monkeypatch, text, said):
    monkeypatch.delenv("ECO_API_KEY", raising=False)
    run = eco("api", "me", "--config", config(tmp_path, text))
    assert run.status is ExitStatus.CONFIGURATION
    assert said in run.err
    assert "eco_a b" not in run.err
    assert eco("api", "me", "--config", tmp_path / "none").status is ExitStatus.CONFIGURATION


def test_no_option_of_the_group_takes_a_key():
    from gateway.cli.api import api

    def options(command) -> set[str]:
        inner = getattr(command, "commands", {}).values()
        own = {name for one in command.params for name in one.opts}
        return own.union(*map(options, inner))

    assert "--url" in options(api)
    assert not [n for n in options(api) if "key" in n or "token" in n or "secret" in n]


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_handed_in_followed_and_told_line_by_line(border, as_of, tmp_path, monkeypatch):
    as_of("ZM")
    monkeypatch.setattr("gateway.client.gateway._BETWEEN_LOOKS", 0.01)
    file = tmp_path / "lines.ndjson"
    file.write_bytes(ndjson([line(1), b"{", line(2)]))
    handed = eco_json("api", "batch", "submit", file, "--idempotency", "b-1")
    assert handed["state"] == "WAITING"
    assert "no result yet" in eco("api", "batch", "results", handed["batch_id"]).out
    worker(border.zm).run()
    again = eco("api", "batch", "submit", file, "--idempotency", "b-1", "--wait")
    assert again.status is ExitStatus.REFUSED
    assert f"{handed['batch_id']}  DONE" in again.out
    assert "2 accepted, 0 repeated, 1 refused" in again.out
    told = eco("api", "batch", "results", handed["batch_id"]).out
    assert "✓ line 1 ZM-20260309-000001 for KE-SW" in told
    assert "✗ line 2" in told
    (refused,) = eco_json("api", "batch", "results", handed["batch_id"], "--refused")
    assert (refused["line"], refused["outcome"]) == (2, "REFUSED")
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(ndjson([line(1), line(3)]))
    second = eco_json("api", "batch", "submit", whole, "--dry-run")
    worker(border.zm).run()
    assert eco("api", "batch", "show", second["batch_id"], "--wait").status is ExitStatus.OK
    assert [each["batch_id"] for each in eco_json("api", "batch", "list")] == [
        second["batch_id"],
        handed["batch_id"],
    ]


def test_decisions_come_in_batches_and_a_batch_can_be_cancelled(border, as_of, tmp_path):
    as_of("ZM")
    eco_json("api", "submit", written(tmp_path, "one.json", certificate()))
    border.deliver()
    as_of("KE")
    file = tmp_path / "decisions.ndjson"
    decided = action(UtilisationStatus.PARTIAL, "6000")
    file.write_bytes(ndjson([decided.model_dump_json().encode()]))
    handed = eco_json("api", "batch", "submit", file, "--responses")
    assert handed["kind"] == "RESPONSES"
    assert "CANCELLED" in eco("api", "batch", "cancel", handed["batch_id"]).out
    for words in ((file, "--responses", "--format", "csv-lines"), (tmp_path / "one.json",)):
        assert eco("api", "batch", "submit", *words).status is ExitStatus.USAGE
