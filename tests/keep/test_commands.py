"""`eco backup`, `eco restore` and `eco retention` as an operator runs them."""

from __future__ import annotations

import json
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.keeping import PASSPHRASE_ENV
from gateway.cli.main import main
from gateway.homes import HomePlan, KeyName, make_home, place_credential
from gateway.store import Store, inbox
from gateway.trust.demo_pki import DemoPki
from tests.store.helpers import add_peer, new_arrival

SECRET = {PASSPHRASE_ENV: "correct horse battery"}


@pytest.fixture
def home(pki: DemoPki, sqlite_template: Path, tmp_path: Path) -> Path:
    """Gives a gateway home with keys and an empty database."""
    directory = tmp_path / "zm"
    plan = HomePlan(
        identifier="ZM-SW", name="Zambia", country="ZM", public_url="https://localhost:8443"
    )
    make_home(directory, plan)
    for name in plan.names:
        key, certificate = pki.credential_files("ZM", name.value)
        place_credential(directory, KeyName(name), key=key, certificate=certificate)
    (directory / "gateway.db").write_bytes(sqlite_template.read_bytes())
    return directory


def eco(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env={"ECO_STORE_URL": None, PASSPHRASE_ENV: None}).invoke(
        main, [str(word) for word in words], env=env
    )


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_home_moves_to_another_host(home: Path, tmp_path: Path):
    file = tmp_path / "zm.backup"
    made = said(eco("backup", file, "--home", home, "--json", env=SECRET))
    assert (made["identifier"], made["with_keys"]) == ("ZM-SW", True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    proved = said(eco("restore", file, "--verify", "--json"))
    assert (proved["directory"], proved["signer_confirmed"]) == (None, False)
    new = tmp_path / "elsewhere"
    words = ("restore", file, new, "--verify", "--signer", made["signer_sha256"], "--json")
    report = said(eco(*words, env=SECRET))
    assert report["signer_confirmed"]
    assert "KEYS" in {each["proof"] for each in report["proved"]}
    for path in (home / "keys").iterdir():
        assert (new / "keys" / path.name).read_bytes() == path.read_bytes()
    again = said(eco("backup", tmp_path / "second.backup", "--home", new, "--json", env=SECRET))
    assert again["signer_sha256"] == made["signer_sha256"]


def test_people_read_what_was_proved_and_what_is_left_to_do(home: Path, tmp_path: Path):
    file = tmp_path / "zm.backup"
    told = eco("backup", file, "--home", home, "--without-keys")
    assert told.exit_code == 0
    assert "signer" in told.output
    told = eco("restore", file, "--verify", "--without-keys")
    assert "nothing is left behind" in told.output
    assert "compare the signer" in told.output


def test_a_passphrase_is_asked_for_and_never_guessed(home: Path, tmp_path: Path):
    told = eco("backup", tmp_path / "zm.backup", "--home", home)
    assert (told.exit_code, PASSPHRASE_ENV in told.stderr) == (3, True)
    assert not (tmp_path / "zm.backup").exists()


@pytest.mark.parametrize("words", [(), ("new",)])
def test_a_restore_must_say_where_to_and_whose(home: Path, tmp_path: Path, words: tuple[str, ...]):
    file = tmp_path / "zm.backup"
    eco("backup", file, "--home", home, "--without-keys")
    told = eco("restore", file, *(tmp_path / word for word in words))
    assert told.exit_code == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["webhooks.key", "console.secret", "oidc.secret"])
def test_a_key_that_is_no_pem_moves_too_and_never_lies_open_in_a_backup(
    home: Path, tmp_path: Path, name: str
):
    secret, file = bytes(range(32)), tmp_path / "zm.backup"
    (home / "keys" / name).write_bytes(secret)
    if name == "oidc.secret":
        with (home / "gateway.toml").open("a", encoding="utf-8") as settings:
            settings.write(
                '[console.oidc]\nissuer = "https://idp.example"\nname = "IdP"\n'
                'client_id = "eco"\npublic_url = "https://console.example"\n'
            )
    made = said(eco("backup", file, "--home", home, "--json", env=SECRET))
    with zipfile.ZipFile(file) as archive:
        assert not any(secret in archive.read(name) for name in archive.namelist())
    words = ("restore", file, tmp_path / "new", "--signer", made["signer_sha256"], "--json")
    said(eco(*words, env=SECRET))
    moved = tmp_path / "new" / "keys" / name
    assert moved.read_bytes() == secret
    assert stat.S_IMODE(moved.stat().st_mode) == 0o600


def test_a_damaged_backup_ends_with_its_code(home: Path, tmp_path: Path):
    file = tmp_path / "zm.backup"
    eco("backup", file, "--home", home, "--without-keys")
    file.write_bytes(file.read_bytes()[:-30])
    told = eco("restore", file, "--verify", "--json")
    assert (told.exit_code, json.loads(told.stderr)["code"]) == (1, "BACKUP_DAMAGED")


def test_preview_run_and_holds_on_the_command_line(home: Path):
    store = Store.open(f"sqlite:///{home / 'gateway.db'}")
    peer = add_peer(store)
    long_ago = datetime(2015, 1, 1, tzinfo=UTC)
    with store.begin() as conn:
        for number in ("A-1", "A-2"):
            inbox.record_arrival(
                conn, new_arrival(peer.id, document_number=number, received_at=long_ago)
            )
    store.close()
    here = ("--home", home)
    said(eco("retention", "hold", "a-1", "--reason", "court", "--json", *here))
    assert [each["subject"] for each in said(eco("retention", "list", "--json", *here))] == ["a-1"]
    shown = {
        each["retention_class"]: each for each in said(eco("retention", "preview", "--json", *here))
    }
    assert set(shown) == {"certificates", "revoked", "messages", "feed"}
    assert (shown["messages"]["due"], shown["messages"]["held"]) == (1, 1)
    before = shown["messages"]["before"]
    words = ("retention", "run", "--class", "messages", "--before", before, "--json")
    told = eco(*words, "--confirm", 2, *here)
    assert (told.exit_code, json.loads(told.stderr)["code"]) == (1, "CONFLICT")
    assert said(eco(*words, "--confirm", 1, *here))["subjects"] == 1
    said(eco("retention", "release", "a-1", "--reason", "over", "--json", *here))
    assert said(eco("retention", "list", "--json", *here)) == []
    assert said(eco(*words, "--confirm", 1, *here))["subjects"] == 1


def test_people_are_told_the_command_that_erases_what_is_due(home: Path):
    told = eco("retention", "preview", "--home", home, "--language", "fr")
    assert told.exit_code == 0
    assert "Certificats d'origine annulés" in told.output
    told = eco("retention", "preview", "--home", home, "--class", "unknown")
    assert told.exit_code == 4
