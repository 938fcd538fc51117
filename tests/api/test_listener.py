"""The real listener: `eco serve api` over TLS, and the commands that open it."""

from __future__ import annotations

import json
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gateway.cli.output import ExitStatus
from gateway.config import CONFIG_FILE
from gateway.transport.port import SoapVersion
from tests.api.listening import key
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair, sample
from tests.soap.calls import body, envelope, username_token


@pytest.fixture
def listener(listeners: list[str]) -> str:
    """Gives the address of Zambia's national side."""
    return listeners[0]


def opened(pair: Pair, request: urllib.request.Request | str):
    trusted = ssl.create_default_context(cafile=pair.zm / "keys" / "tls.cert.pem")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
    )
    return opener.open(request, timeout=20)


def ask(
    pair: Pair,
    url: str,
    token: str | None,
    body: bytes | None = None,
    media: str = "application/json",
):
    headers = {"Content-Type": media}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with opened(pair, request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.loads(exc.read())


def test_a_national_system_submits_over_tls_with_a_key_made_at_the_command_line(
    pair: Pair, listener: str
):
    token = key(pair, "ZM-NSW", "single-window")
    assert ask(pair, f"{listener}/me", None)[0] == 401
    assert ask(pair, f"{listener}/me", token)[1]["organisation"] == "ZM-NSW"
    body = sample(pair.folder).read_bytes()
    status, taken = ask(pair, f"{listener}/certificates?format=single-window-json", token, body)
    assert status == 202, taken
    status, got = ask(pair, listener.removesuffix("/api/v1") + taken["links"]["certificate"], token)
    assert (status, got["document"]["exporting_country"]) == (200, "ZM")
    keys = eco_json("api-key", "list", "--organisation", "ZM-NSW", home=pair.zm)
    (listed,) = [each for each in keys if each["last_used_at"]]
    assert token.split("_")[1] == listed["key"]
    eco_json("api-key", "revoke", listed["key"], "--reason", "a test", home=pair.zm)
    assert ask(pair, f"{listener}/me", token)[0] == 401


def test_a_batch_over_tls_is_worked_off_by_the_worker(pair: Pair, listener: str):
    token = key(pair, "ZM-BATCH", "single-window")
    document = json.loads(sample(pair.folder).read_bytes())
    body = json.dumps(document).encode() + b"\n{\n"
    url = f"{listener}/batches?format=single-window-json"
    status, taken = ask(pair, url, token, body, "application/x-ndjson")
    assert (status, taken["state"]) == (202, "WAITING"), taken
    eco_json("work", "--once", home=pair.zm)
    address = listener.removesuffix("/api/v1") + taken["links"]["results"]
    told = ask(pair, address, token)[1]
    assert told["state"] == "DONE"
    assert [each["outcome"] for each in told["results"]][1] == "REFUSED"
    assert told["results"][0]["outcome"] in ("ACCEPTED", "REPEATED")


def test_the_same_listener_speaks_soap_at_the_address_that_its_contract_names(
    pair: Pair, listener: str
):
    token = key(pair, "ZM-SOAP", "single-window")
    base = listener.removesuffix("/api/v1")
    address = f'location="{base}/soap/v1"'
    raw = envelope(SoapVersion.SOAP_12, body("ListPeers"), username_token(token[4:20], token))
    with opened(pair, f"{base}/soap/v1?wsdl") as contract:
        assert contract.read().decode().count(address) == 2
    soap = urllib.request.Request(
        f"{base}/soap/v1", data=raw, headers={"Content-Type": "application/soap+xml"}
    )
    with opened(pair, soap) as answer:
        assert (answer.status, b"KE-" in answer.read()) == (200, True)


def test_a_listener_without_tls_is_served_on_loopback_only(pair: Pair, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(pair.zm, home)
    text = (home / CONFIG_FILE).read_text(encoding="utf-8")
    changed = text.replace("port = 0", 'port = 0\nbehind_proxy = true\nhost = "0.0.0.0"')
    (home / CONFIG_FILE).write_text(changed, encoding="utf-8")
    run = eco("serve", "api", "--json", home=home)
    assert run.status is ExitStatus.CONFIGURATION
    assert "behind_proxy" in run.problem["detail"]


def test_keys_and_organisations_are_kept_at_the_command_line(pair: Pair):
    token = key(pair, "ZM-ZRA-CUSTOMS", "customs")
    home = {"home": pair.zm}
    shown = [row for row in eco_json("organisation", "list", **home) if "CUSTOMS" in row["code"]]
    assert shown[0]["scopes"][0] == "certificates:read"
    new = eco_json("api-key", "rotate", token.split("_")[1], "--overlap-hours", "1", **home)
    assert new["token"] != token
    rows = eco_json("api-key", "list", "--organisation", "ZM-ZRA-CUSTOMS", **home)
    assert [row["replaces"] for row in rows] == [None, token.split("_")[1]]
    assert "holds" in eco("api-key", "list", **home).out
    for command in ("suspend", "resume"):
        eco_json("organisation", command, "ZM-ZRA-CUSTOMS", "--reason", "a test", **home)
    twice = eco("organisation", "add", "ZM-ZRA-CUSTOMS", "--name", "x", "--kind", "customs", **home)
    assert twice.status is ExitStatus.REFUSED
    wrong = eco(
        *("organisation", "add", "X", "--name", "x", "--kind", "customs"),
        *("--authority-code", "Y"),
        **home,
    )
    assert wrong.status is ExitStatus.REFUSED
    missing = eco("api-key", "create", "NOBODY", "--label", "x", **home)
    assert missing.status is ExitStatus.NOT_FOUND
    with_scope = eco(
        *("api-key", "create", "ZM-ZRA-CUSTOMS", "--label", "x"),
        *("--scope", "certificates:submit"),
        **home,
    )
    assert with_scope.status is ExitStatus.REFUSED
