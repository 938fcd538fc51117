"""People at the console, entered and looked after by the owner of the home."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import identity


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives a home with an issuing authority and one officer of it."""
    folder = tmp_path_factory.mktemp("people")
    eco_json("pki", "demo", folder / "pki")
    made = folder / "zm"
    eco_json("init", made, *identity("ZM"), "--pki", folder / "pki")
    eco_json(
        "organisation", "add", "ZM-ZRA", "--name", "ZRA", "--kind", "issuing-authority", home=made
    )
    return made


OIDC = """
[console.oidc]
issuer = "https://idp.example/realms/x"
name = "National ID"
client_id = "eco"
public_url = "https://console.example:8446"
local_accounts = false
"""


def add(home: Path, login: str, role: str = "issuing-officer"):
    return eco(
        *("user", "add", login, "--name", "Mary Banda", "--organisation", "ZM-ZRA"),
        *("--role", role, "--console-language", "fr"),
        home=home,
    )


def test_the_owner_enters_a_person_whose_code_is_shown_this_once(home: Path):
    run = add(home, "mary")
    assert run.status is ExitStatus.OK
    assert "/welcome" in run.out
    (person,) = eco_json("user", "list", home=home)
    assert (person["login"], person["role"], person["second_factor"]) == (
        "mary",
        "ISSUING_OFFICER",
        False,
    )
    again = eco_json("user", "invite", "mary", "--forget-factor", home=home)
    assert again["code"] not in run.out


def test_a_role_that_the_organisation_does_not_hold_is_refused(home: Path):
    run = add(home, "joe", "customs-officer")
    assert run.status is ExitStatus.REFUSED
    assert "CUSTOMS_OFFICER is held in" in run.err


def test_the_owner_links_and_unlinks_an_identity_at_the_provider(home: Path):
    assert add(home, "lucy").status is ExitStatus.OK
    run = eco("user", "link", "lucy", "--subject", "4711", home=home)
    assert "[console.oidc]" in run.err
    settings = home / "gateway.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + OIDC, encoding="utf-8")
    try:
        secret = home / "keys" / "oidc.secret"
        secret.write_text("s3cret\n", encoding="ascii")
        secret.chmod(0o644)
        assert "others may read" in eco("user", "list", home=home).err
        secret.chmod(0o600)
        said = eco_json("user", "link", "lucy", "--subject", "4711", home=home)
        assert (said["issuer"], said["subject"]) == ("https://idp.example/realms/x", "4711")
        linked = {each["login"]: each["linked"] for each in eco_json("user", "list", home=home)}
        assert linked["lucy"] is True
        assert "one session" in eco("user", "invite", "lucy", home=home).out
        assert eco("user", "unlink", "lucy", home=home).status is ExitStatus.OK
        assert eco("user", "unlink", "lucy", home=home).status is ExitStatus.NOT_FOUND
    finally:
        settings.write_text(before, encoding="utf-8")


def test_people_are_suspended_resumed_and_given_other_roles(home: Path):
    assert add(home, "jane").status is ExitStatus.OK
    for command, state in (("suspend", "SUSPENDED"), ("resume", "ACTIVE")):
        said = eco_json("user", command, "jane", "--reason", "leave", home=home)
        assert said["state"] == state
    said = eco_json("user", "role", "jane", "issuing-administrator", "--administers", home=home)
    assert said["role"] == "ISSUING_ADMINISTRATOR"
