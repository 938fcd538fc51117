"""``eco init``, ``migrate`` and ``pki demo``: a whole home or nothing, keys safe, never replaced."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from cryptography import x509

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair, identity

NAMES = ("gateway", "authority", "customs", "tls")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_pki_keys_and_requests_are_made(tmp_path: Path):
    home = tmp_path / "home"
    run = eco("init", home, *identity("UG"))
    assert run.status is ExitStatus.OK
    for name in NAMES:
        assert mode(home / "keys" / f"{name}.key.pem") == 0o600
        request = x509.load_pem_x509_csr((home / "keys" / f"{name}.csr.pem").read_bytes())
        assert request.is_signature_valid
        assert f"keys/{name}.csr.pem" in run.out
        assert f"keys/{name}.cert.pem" in run.out
    assert mode(home / "keys") == 0o700
    assert mode(home / "gateway.db") == 0o600


def test_the_tls_request_names_the_public_host(tmp_path: Path):
    eco("init", tmp_path / "h", *identity("UG"), "--public-url", "https://eco.ug.example:8443")
    request = x509.load_pem_x509_csr((tmp_path / "h/keys/tls.csr.pem").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["eco.ug.example"]


def test_an_ipv6_host_stands_in_the_request_without_brackets(tmp_path: Path):
    run = eco("init", tmp_path / "h", *identity("UG"), "--public-url", "https://[::1]:8443")
    assert run.status is ExitStatus.OK
    request = x509.load_pem_x509_csr((tmp_path / "h/keys/tls.csr.pem").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["::1"]


def test_json_names_home_and_requests(tmp_path: Path):
    value = eco_json("init", tmp_path / "h", *identity("UG"), "--without", "customs")
    assert value["home"] == str(tmp_path / "h")
    assert value["identifier"] == "UG-SW"
    assert [Path(path).name for path in value["requests"]] == [
        f"{name}.csr.pem" for name in ("gateway", "authority", "tls")
    ]


def test_a_credential_left_out_is_in_neither_settings_nor_keys(tmp_path: Path):
    eco_json("init", tmp_path / "h", *identity("UG"), "--without", "authority")
    assert "authority" not in tomllib.loads((tmp_path / "h/gateway.toml").read_text())["keys"]
    assert not list((tmp_path / "h/keys").glob("authority*"))


def test_names_with_quotes_and_accents_survive_the_settings_file(tmp_path: Path):
    name = 'Office "Ivoirien" \\ d\'Orient – مصر\t'
    eco_json("init", tmp_path / "h", *identity("EG"), "--name", name)
    assert tomllib.loads((tmp_path / "h/gateway.toml").read_text())["gateway"]["name"] == name


def test_a_long_name_still_makes_requests(tmp_path: Path):
    assert eco_json("init", tmp_path / "h", *identity("UG"), "--name", "U" * 200)["requests"]


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--country", "ZMB", "country"),
        ("--country", "QQ", "QQ"),
        ("--identifier", "lower case", "identifier"),
        ("--public-url", "http://plain.example", "https://"),
        ("--public-url", "https://host.example/path", "host and port"),
        ("--public-url", "https://host.example:99999", "address"),
        ("--agreement", "ATLANTIS", "ATLANTIS"),
        ("--store-url", "mysql://host/name", "SQLite file or PostgreSQL"),
        ("--store-url", "sqlite:///no/such/folder/gateway.db", "folder"),
        ("--pki", "{pki}", "holds no keys of UG"),
    ],
)
def test_a_wrong_value_makes_nothing_at_all(
    first_pair: Pair, tmp_path: Path, option: str, value: str, complaint: str
):
    home = tmp_path / "home"
    run = eco("init", home, *identity("UG"), option, value.format(pki=first_pair.pki))
    assert run.status in {ExitStatus.CONFIGURATION, ExitStatus.USAGE}
    assert complaint in run.err
    assert "making" not in run.err
    assert not home.exists()


def test_an_empty_directory_stays_empty_when_something_is_wrong(tmp_path: Path):
    run = eco("init", tmp_path, *identity("UG"), "--store-url", "sqlite:///no/folder/x.db")
    assert run.status is ExitStatus.CONFIGURATION
    assert not list(tmp_path.iterdir())


def test_a_home_is_never_made_over_another(first_pair: Pair):
    before = (first_pair.zm / "gateway.toml").read_bytes()
    run = eco("init", first_pair.zm, *identity("UG"))
    assert run.status is ExitStatus.REFUSED
    assert "is a gateway home already" in run.err
    assert (first_pair.zm / "gateway.toml").read_bytes() == before


def test_keys_without_their_settings_file_are_not_replaced(tmp_path: Path):
    eco_json("init", tmp_path / "h", *identity("UG"))
    (tmp_path / "h/gateway.toml").unlink()
    before = (tmp_path / "h/keys/gateway.key.pem").read_bytes()
    assert eco("init", tmp_path / "h", *identity("UG")).status is ExitStatus.REFUSED
    assert (tmp_path / "h/keys/gateway.key.pem").read_bytes() == before


def test_keys_of_a_demonstration_pki_are_copied_safely(first_pair: Pair):
    for name in NAMES:
        assert mode(first_pair.zm / "keys" / f"{name}.key.pem") == 0o600
    assert (first_pair.zm / "crls/ca.crl.pem").read_bytes() == (
        first_pair.pki / "ZM/ca.crl.pem"
    ).read_bytes()


def test_a_home_that_waits_for_its_ca_says_so(tmp_path: Path):
    eco_json("init", tmp_path / "h", *identity("UG"))
    run = eco("peer", "card", home=tmp_path / "h")
    assert run.status is ExitStatus.CONFIGURATION
    assert "keys/gateway.cert.pem is not there yet" in run.err


def test_a_home_that_waits_for_its_ca_can_know_peers_already(first_pair: Pair, tmp_path: Path):
    eco_json("init", tmp_path / "h", *identity("UG"))
    card = first_pair.folder / "ke.card.json"
    assert eco("peer", "add", card, home=tmp_path / "h").status is ExitStatus.OK


# --- migrate ---------------------------------------------------------------------------------


def test_migrate_makes_a_lost_database_anew(pair: Pair):
    (pair.zm / "gateway.db").unlink()
    run = eco("peer", "list", home=pair.zm)
    assert run.status is ExitStatus.CONFIGURATION
    assert "eco migrate" in run.err
    assert "up to date" in eco("migrate", home=pair.zm).out
    assert eco_json("peer", "list", home=pair.zm) == []


def test_migrate_twice_changes_nothing(pair: Pair):
    assert eco_json("migrate", home=pair.zm) == {"identifier": "ZM-SW"}
    assert len(eco_json("peer", "list", home=pair.zm)) == 1


def test_an_empty_database_file_is_told_apart(pair: Pair):
    (pair.zm / "gateway.db").write_bytes(b"")
    run = eco("peer", "list", home=pair.zm)
    assert run.status is ExitStatus.CONFIGURATION
    assert "eco migrate" in run.err


# --- pki demo --------------------------------------------------------------------------------


def test_pki_demo_says_what_it_made(tmp_path: Path):
    value = eco_json("pki", "demo", tmp_path / "pki", "--country", "MW", "--country", "MW")
    assert value["countries"] == {"MW": str(tmp_path / "pki/MW")}
    assert mode(tmp_path / "pki/MW/gateway.key") == 0o600


def test_pki_demo_tells_a_person_the_next_step(tmp_path: Path):
    run = eco("pki", "demo", tmp_path / "pki", "--country", "MW")
    assert "never for live use" in run.out
    assert "eco init" in run.out


def test_pki_demo_replaces_no_keys(first_pair: Pair):
    before = (first_pair.pki / "root.key").read_bytes()
    run = eco("pki", "demo", first_pair.pki)
    assert run.status is ExitStatus.REFUSED
    assert "never replaced" in run.err
    assert (first_pair.pki / "root.key").read_bytes() == before


def test_pki_demo_knows_its_countries(tmp_path: Path):
    run = eco("pki", "demo", tmp_path / "pki", "--country", "ZZ")
    assert run.status is ExitStatus.USAGE
    assert "ZZ" in run.err
    assert not (tmp_path / "pki").exists()
