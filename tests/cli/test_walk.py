"""All commands alike: ``--json`` everywhere, help that ends, pages that name every option."""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Iterator
from typing import Any

import click
import pytest

from gateway.cli.main import main
from gateway.cli.output import ExitStatus, as_json_text, plain
from gateway.config import Settings
from gateway.config_section import Section
from tests.cli.eco import ROOT, eco, eco_json
from tests.cli.homes import SINGLE_WINDOW, Pair, identity, sample

SHARED = {"--home", "--json", "--language", "--debug"}
WITHOUT_HOME = ("eco api ", "eco guide")
OF_THE_API = {"--url", "--ca-file", "--config"}
COMMANDS = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
FORMS = (ROOT / "docs/command-forms.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None, f"{path} {name} leads nowhere"
        yield from walk(child, f"{path} {name}")


LEAVES = dict(walk(main, "eco"))


def options(command: click.Command) -> set[str]:
    found = [param for param in command.params if isinstance(param, click.Option)]
    return {name for param in found for name in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_takes_the_shared_options(path: str):
    needless = {"--home"} if path.startswith(WITHOUT_HOME) else set()
    assert options(LEAVES[path]) & SHARED == SHARED - needless


@pytest.mark.parametrize("path", [path for path in LEAVES if path.startswith("eco api ")])
def test_every_command_that_asks_a_gateway_takes_its_address(path: str):
    assert options(LEAVES[path]) >= OF_THE_API


@pytest.mark.parametrize("path", LEAVES)
def test_every_help_text_is_made_of_sentences(path: str):
    text = (LEAVES[path].help or "").strip()
    assert text
    for paragraph in re.split(r"\n\s*\n", text):
        assert paragraph.rstrip()[-1] in ".:", f"{path}: {paragraph!r}"


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_says_what_it_does(path: str):
    for param in LEAVES[path].params:
        if isinstance(param, click.Option):
            assert (param.help or "").endswith("."), f"{path} {param.opts[0]}"


@pytest.mark.parametrize("path", LEAVES)
def test_every_help_can_be_asked_for(path: str):
    for flag in ("--help", "-h"):
        run = eco(*path.split()[1:], flag)
        assert run.status is ExitStatus.OK
        assert run.out.startswith(f"Usage: {path} ")
        assert run.err == ""


def test_the_list_of_commands_names_no_other_text_than_their_modules():
    out = eco("--help").out
    for path in LEAVES:
        assert re.search(rf"^  {path.split()[1]} ", out, re.M), path


def test_no_line_of_the_list_of_commands_is_cut():
    for words in ((), ("peer",), ("pki",)):
        assert "..." not in eco(*words, "--help").out.partition("Commands:")[2]


def test_an_unknown_command_is_misuse():
    for words in (("frobnicate",), ("peer", "frobnicate"), ("messages", "--frobnicate")):
        run = eco(*words)
        assert run.status is ExitStatus.USAGE
        assert "frobnicate" in run.err
        assert run.out == ""


def test_the_version_can_be_asked_for():
    import gateway

    assert eco("--version").out.strip() == f"eco, version {gateway.__version__}"


# --- documentation ----------------------------------------------------------------------------


def section(page: str, heading: str) -> str:
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,3}} |\Z)", page, re.M | re.S)
    assert found, f"no heading {heading!r}"
    return found[2]


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_and_option_is_documented(path: str):
    shared = section(COMMANDS, "eco api") if path.startswith("eco api ") else ""
    text = section(COMMANDS, path) + shared
    for name in options(LEAVES[path]) - SHARED:
        assert re.search(rf"`[^`]*{re.escape(name)}\b", text), f"{path} {name}"


def test_the_shared_options_are_documented_once():
    text = section(COMMANDS, "Options of every command")
    assert all(f"`{name}" in text for name in SHARED)


def test_every_exit_status_is_documented():
    text = section(COMMANDS, "Exit statuses")
    help_text = " ".join(eco("--help").out.split())
    for status in ExitStatus:
        assert f"| {int(status)} | {status.name} | {status.meaning} |" in text
        assert f" {int(status)} {status.meaning}" in help_text


def settings_in(model: type[Section], path: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        inner = [
            each
            for each in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if isinstance(each, type) and issubclass(each, Section)
        ]
        several = typing.get_origin(field.annotation) is tuple
        if inner:
            inner_path = f"{path}.{name}" if path else name
            yield from settings_in(inner[0], f"[{inner_path}]" if several else inner_path)
        elif path:
            yield path, name


@pytest.mark.parametrize(("place", "key"), list(settings_in(Settings, "")))
def test_every_setting_is_documented_with_its_meaning(place: str, key: str):
    row = re.search(rf"^\| `{key}` \|(.*)\|$", section(SETTINGS, f"[{place}]"), re.M)
    assert row, f"[{place}] {key}"
    assert all(cell.strip() for cell in row[1].split(" | ")), f"[{place}] {key} is not explained"


# --- what --json prints ---------------------------------------------------------------------------


def documented(path: str) -> set[str]:
    """The members that docs/command-forms.md promises for a command."""
    rows = re.findall(r"^\| (`.*?) \|", section(FORMS, path), re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


OFFICE = ("--authority", "ZM-ZRA", "--name", "Origin desk", "--from", "2026-01-01")


@pytest.fixture
def values(traded_pair: Pair, pair: Pair, tmp_path) -> dict[str, Any]:
    """One value of each command that can be had without a network."""
    zm, ke = traded_pair.zm, traded_pair.ke
    sugar = ("--format", SINGLE_WINDOW)
    messages = eco_json("messages", home=zm)
    serial = messages["sent"][0]["document_number"]
    own = tmp_path / "own"
    card = pair.folder / "ke.card.json"
    crl = pair.pki / "KE/ca.crl.pem"
    verified = eco("verify", crl, "--json", home=zm)
    assert verified.status is ExitStatus.REFUSED
    entered = eco_json("specimen", "add", "office", *OFFICE, home=pair.zm)
    directory = tmp_path / "directory.xml"
    exported = eco_json("specimen", "export", directory, home=pair.zm)
    return {
        "eco specimen add": entered,
        "eco specimen export": exported,
        "eco specimen import": eco_json("specimen", "import", directory, home=pair.ke),
        "eco init": eco_json("init", own, *identity("UG")),
        "eco migrate": eco_json("migrate", home=pair.zm),
        "eco submit": eco_json("submit", sample(tmp_path), *sugar, home=pair.zm)[0],
        "eco status": eco_json("status", serial, home=zm)[0],
        "eco messages": messages["sent"][0] | messages["received"][0],
        "eco peer add": {
            "card_fingerprint": eco_json("peer", "add", card, home=own)["card_fingerprint"]
        },
        "eco peer card": eco_json("peer", "card", home=ke),
        "eco peer show": eco_json("peer", "show", "KE-SW", home=zm),
        "eco peer update": eco_json("peer", "update", card, home=pair.zm),
        "eco peer crl": eco_json("peer", "crl", "KE-SW", crl, home=pair.zm),
        "eco validate": eco_json("validate", sample(tmp_path), *sugar, home=zm)[0],
        "eco pki demo": eco_json("pki", "demo", tmp_path / "p", "--country", "MW"),
    }


def test_json_has_the_documented_members(values: dict[str, Any]):
    for path, value in values.items():
        promised = documented(path) if path != "eco peer card" else set()
        if path == "eco peer card":
            promised = {
                name
                for row in re.findall(r"^\| (`.*?) \|", section(FORMS, "Peer card"), re.M)
                for name in re.findall(r"`(\w+)`", row)
            }
        assert set(value) == promised, path


def test_lists_inside_have_the_documented_members(traded_pair: Pair):
    serial = eco_json("messages", home=traded_pair.zm)["sent"][0]["document_number"]
    status = eco_json("status", serial, home=traded_pair.zm)[0]
    show = eco_json("peer", "show", "KE-SW", home=traded_pair.zm)
    for path, value, names in (
        ("eco status", status, ("items", "deliveries", "responses", "steps")),
        ("eco peer show", show, ("credentials", "crls", "peer")),
    ):
        for name in names:
            row = re.search(rf"^\| `{name}` \| (.*) \|$", section(FORMS, path), re.M)
            assert row
            inner = value[name] if isinstance(value[name], dict) else value[name][0]
            assert set(inner) == set(re.findall(r"`(\w+)`", row[1])), f"{path} {name}"


def test_every_heading_of_the_forms_is_a_command():
    headings = re.findall(r"^### (eco .+)$", FORMS, re.M)
    assert not set(headings) - set(LEAVES)
    ours = {
        path
        for path, command in LEAVES.items()
        if command.callback is not None
        and sys.modules[command.callback.__module__].__name__.rsplit(".", 1)[1]
        in {
            "home",
            "books",
            "dead_letters",
            "papers",
            "sending",
            "running",
            "show",
            "peers",
            "introducing",
            "rollover",
        }
    }
    assert ours <= set(headings), ours - set(headings)


@pytest.mark.parametrize("path", LEAVES)
def test_misuse_is_one_json_value_on_request(path: str):
    run = eco(*path.split()[1:], "--json", "--no-such-option")
    assert run.status is ExitStatus.USAGE
    assert run.out == ""
    assert run.problem["code"] == "USAGE"
    assert set(run.problem) == set(documented("Errors"))


def test_an_error_is_one_json_value_on_request(tmp_path):
    run = eco("messages", "--json", home=tmp_path)
    assert run.status is ExitStatus.CONFIGURATION
    assert run.out == ""
    assert set(run.problem) == set(documented("Errors"))


def test_json_keeps_accents_and_arabic_readable():
    assert as_json_text(plain({"a": "é"})) == '{\n  "a": "é"\n}'
