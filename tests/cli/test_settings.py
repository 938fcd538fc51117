"""``gateway.toml``: every mistake is named by section and key, and secrets stay out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import load_settings, secret_from, settings_from
from gateway.envelope import USUAL_ENVELOPE_BYTES
from gateway.errors import ConfigError
from gateway.homes import HomePlan, settings_text

PLAN = HomePlan(
    identifier="UG-SW", name="Uganda", country="UG", public_url="https://eco.ug.example:8443"
)
GOOD = settings_text(PLAN)


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings_from(text, Path(), source="gateway.toml")
    return caught.value.detail


def test_the_settings_of_a_new_home_are_good():
    settings = settings_from(GOOD, Path(), source="x")
    assert settings.gateway.identifier == "UG-SW"
    assert settings.keys.customs is not None


def test_the_largest_message_is_the_largest_that_a_channel_carries():
    settings = settings_from(GOOD, Path(), source="x")
    assert settings.limits.max_message_bytes == USUAL_ENVELOPE_BYTES == 7_000_000
    assert "[limits] max_message_bytes" in complaint(
        GOOD + "[limits]\nmax_message_bytes = 16500001\n"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("port = 8443", "port = 70000"), "[listen] port"),
        (("port = 8443", "prot = 8443"), "[listen] prot: there is no such key"),
        (('country = "UG"', 'country = "Uganda"'), "[gateway] country"),
        (('identifier = "UG-SW"\n', ""), "[gateway] identifier: must be given"),
        (("[tls]", "[tsl]"), "[tls] must be given"),
        (("[keys.gateway]", "[keys.gatway]"), "[keys.gateway] must be given"),
        (('certificate = "keys/gateway.cert.pem"\n', ""), "name either both"),
        (('certificate = "keys/gateway.cert.pem"', 'pkcs12 = "g.p12"'), "name either both"),
        (("https://eco.ug", "http://eco.ug"), "[listen] public_url: must begin with https://"),
        (("8443/soap", "8443/soap"), ""),
    ],
)
def test_a_mistake_is_named_by_section_and_key(change: tuple[str, str], words: str):
    if words:
        assert words in complaint(GOOD.replace(*change))


OIDC = """
[console.oidc]
issuer = "https://idp.example/realms/x"
name = "National ID"
client_id = "eco"
public_url = "https://console.example:8446"
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("https://idp", "http://idp"), "`issuer` is an https address"),
        (("realms/x", "realms/x?a=b"), "`issuer` is an https address"),
        (("example:8446", "example:8446/console"), "[console.oidc] public_url: must end after"),
        (('client_id = "eco"', 'client_id = ""'), "[console.oidc] client_id"),
        (('name = "National ID"\n', ""), "[console.oidc] name: must be given"),
        (('"eco"', '"eco"\nscopes = ["profile"]'), "`scopes` must hold `openid`"),
        (('"eco"', '"eco"\nalgorithms = ["RS256", "none"]'), "none and HMAC prove nothing"),
        (('"eco"', '"eco"\nalgorithms = ["HS256"]'), "none and HMAC prove nothing"),
        (('"eco"', '"eco"\nalgorithms = []'), "[console.oidc] algorithms"),
    ],
)
def test_a_mistake_about_the_identity_provider_is_named(change: tuple[str, str], words: str):
    assert settings_from(GOOD + OIDC, Path(), source="x").console.oidc is not None
    assert words in complaint(GOOD + OIDC.replace(*change))


def test_several_mistakes_are_named_at_once():
    text = GOOD.replace("port = 8443", "port = 0.5").replace('"UG"', '"U"')
    assert complaint(text).count(";") == 1


def test_a_value_never_stands_in_the_complaint():
    text = GOOD.replace('key = "keys/gateway.key.pem"', 'password = "geheim"', 1)
    assert "geheim" not in complaint(text)


def test_a_pause_that_shrinks_is_a_mistake():
    text = GOOD + "[delivery]\nfirst_retry_seconds = 60\nlongest_retry_seconds = 5\n"
    assert "longest_retry_seconds" in complaint(text)


def test_a_trailing_slash_of_the_address_does_not_matter():
    text = GOOD.replace("example:8443", "example:8443/")
    assert settings_from(text, Path(), source="x").listen.public_url.endswith("8443")


@pytest.mark.parametrize("text", ["[gateway", "a = 1 b = 2", "\x00"])
def test_what_is_no_toml_is_told_with_its_line(text: str):
    assert complaint(text).startswith("gateway.toml is no TOML: ")


def test_a_file_in_another_encoding_is_told(tmp_path: Path):
    (tmp_path / "gateway.toml").write_bytes(GOOD.replace("Uganda", "Côte").encode("latin-1"))
    with pytest.raises(ConfigError, match="not written in UTF-8"):
        load_settings(tmp_path)


def test_a_home_without_settings_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(ConfigError, match="eco init"):
        load_settings(tmp_path)


def test_the_database_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "gateway.toml").write_text(GOOD)
    assert load_settings(tmp_path).store_url == f"sqlite:///{tmp_path.resolve()}/gateway.db"
    monkeypatch.setenv("ECO_STORE_URL", "postgresql://u:p@h/d")
    assert load_settings(tmp_path).store_url == "postgresql://u:p@h/d"


def test_a_secret_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch):
    assert secret_from(None) is None
    monkeypatch.delenv("ECO_P12", raising=False)
    with pytest.raises(ConfigError, match="ECO_P12 is not set"):
        secret_from("ECO_P12")
    monkeypatch.setenv("ECO_P12", "geheim")
    assert secret_from("ECO_P12") == b"geheim"
