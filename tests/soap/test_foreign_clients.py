"""Clients that we did not write call the contract that is served: zeep, PHP, node, over TLS."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from gateway.web.api.soap.contract import NATIONAL_NS, wsdl_bytes
from gateway.web.api.soap.operations import OPERATIONS
from tests.api.counter import AUTHORITY
from tests.api.test_handing_over import SERIAL
from tests.factories import certificate
from tests.soap.conftest import Served
from tests.wire.test_foreign_clients import run

HERE = Path(__file__).parent / "foreign"
WAYS = ("http", "wsse")
EXPECTED = {
    "state": "ISSUED",
    "items": 1,
    "found": SERIAL,
    "peers": "KE-SW",
    "fault": {"code": "INVALID_DOCUMENT"},
}


@pytest.fixture
def session(served: Served) -> Iterator[requests.Session]:
    with requests.Session() as found:
        found.trust_env = False
        found.verify = str(served.ca)
        yield found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["11", "12"])
def test_zeep_calls_from_the_served_contract(served, session, version, way):
    token = served.border.zm.tokens[AUTHORITY]
    shown = UsernameToken(token.split("_")[1], token) if way == "wsse" else None
    if way == "http":
        session.headers["Authorization"] = f"Bearer {token}"
    client = zeep.Client(
        f"{served.url}?wsdl",
        wsse=shown,
        transport=Transport(session=session),
        settings=zeep.Settings(strict=True, xml_huge_tree=False),
    )
    service = client.bind("EcoNationalSide", f"NationalSideSoap{version}")
    found = service.GetCertificate(IssuingCountry="ZM", SerialNumber=SERIAL, WithSignedXml=True)
    assert (found.State, len(found.Item)) == ("ISSUED", EXPECTED["items"])
    assert found.Item[0].Remaining == 6000
    assert found.SignedXml.startswith(b"<?xml")
    again = service.SubmitDocument(CanonicalJson=certificate().model_dump_json())
    assert again.Repeated is True
    assert service.GetTimeline(IssuingCountry="ZM", SerialNumber=SERIAL).Step[0].Kind
    assert service.ReadEvents(After=0).Event[0].Sequence == 1
    with pytest.raises(Fault) as caught:
        service.DryRun(CanonicalJson="{}", Language="ar")
    kind = client.get_element(f"{{{NATIONAL_NS}}}NationalFault")
    detail = kind.parse(caught.value.detail[0], client.wsdl.types)
    assert detail.Code == "INVALID_DOCUMENT"
    assert len(detail.Finding) > 5


@pytest.mark.parametrize(("version", "way"), [("1.1", "http"), ("1.1", "wsse"), ("1.2", "wsse")])
def test_php_calls_from_the_served_contract(served, version, way):
    if shutil.which("php") is None or "soap" not in run("php", "-m").split():
        pytest.skip("php with its soap extension is not installed (apt: php-cli php-soap)")
    token = served.border.zm.tokens[AUTHORITY]
    said = json.loads(
        run("php", HERE / "call.php", f"{served.url}?wsdl", version, served.ca, way, token, SERIAL)
    )
    assert said.pop("steps") > 3
    assert said["fault"].pop("path")
    assert said == EXPECTED


@pytest.mark.parametrize(("version", "way"), [("1.1", "wsse"), ("1.2", "http")])
def test_node_calls_from_the_served_contract(served, session, node_soap, tmp_path, version, way):
    file = tmp_path / "served.wsdl"
    file.write_bytes(session.get(f"{served.url}?wsdl", timeout=10).content)
    token = served.border.zm.tokens[AUTHORITY]
    said = json.loads(
        run(
            "node", HERE / "call.js", node_soap, file, version,
            way, token, SERIAL,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(served.ca)},
        )
    )  # fmt: skip
    assert said.pop("steps") > 3
    assert said["fault"].pop("path")
    assert said == EXPECTED


def test_the_examples_of_the_page_run(served, monkeypatch, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "soap.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^```(python|php)\n(.*?)^```", page, flags=re.M | re.S))
    token = served.border.zm.tokens[AUTHORITY]
    base, document = served.url.removesuffix("/soap/v1"), certificate().model_dump_json()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca))
    monkeypatch.setenv("NO_PROXY", "localhost")
    names: dict[str, Any] = {"base": base, "key": token, "document": document}
    exec(compile(shown["python"], "soap.md", "exec"), names)
    assert (names["taken"].SerialNumber, names["found"].State) == (SERIAL, "ISSUED")
    names["client"].transport.session.close()
    if shutil.which("php") is None or "soap" not in run("php", "-m").split():
        pytest.skip("php with its soap extension is not installed (apt: php-cli php-soap)")
    given = f"$tls = ['ssl' => ['cafile' => '{served.ca}']]; $base = '{base}'; $key = '{token}';"
    script = tmp_path / "page.php"
    script.write_text(f"<?php {given} $document = <<<'X'\n{document}\nX;\n{shown['php']}")
    assert run("php", "-d", "soap.wsdl_cache_enabled=0", script) == "6000"


def test_both_versions_offer_every_operation_at_the_address_that_was_asked(served, session):
    root = etree.fromstring(session.get(f"{served.url}?WSDL", timeout=10).content)
    addresses = {each.get("location") for each in root.iter("{*}address") if each.get("location")}
    assert addresses == {served.url}
    bindings = {
        binding.get("name"): {each.get("name") for each in binding.iterchildren("{*}operation")}
        for binding in root.iter("{*}binding")
        if binding.get("name")
    }
    assert bindings == {f"NationalSideSoap1{minor}": set(OPERATIONS) for minor in "12"}


def test_the_contract_keeps_to_what_every_tool_kit_reads():
    """The points of the WS-I Basic Profile 1.1 that tool kits stumble over, by their numbers."""
    root = etree.fromstring(wsdl_bytes())
    wsdl = "{http://schemas.xmlsoap.org/wsdl/}"
    assert root.get("targetNamespace") == NATIONAL_NS
    assert not list(root.iter(f"{wsdl}import"))  # R2001 and its kin: one file
    parts = list(root.iter(f"{wsdl}part"))
    assert all(part.get("element") and not part.get("type") for part in parts)  # R2204
    operations = [each.get("name") for each in root.find(f"{wsdl}portType")]
    assert len(operations) == len(set(operations))  # R2304: nothing overloaded
    for each in root.iter("{*}operation"):
        name = each.get("name")
        if each.getparent().tag == f"{wsdl}portType":
            assert each.find(f"{wsdl}input").get("message") == f"ns:{name}Input"  # wrapped
    for body in root.iter("{*}body"):
        assert body.get("use") == "literal"  # R2706
    actions = [each.get("soapAction") for each in root.iter("{*}operation")]
    assert all(a is None or a == f"{NATIONAL_NS}:{a.rpartition(':')[2]}" for a in actions)
    schema = root.find(".//{*}schema")
    assert schema.get("targetNamespace") == NATIONAL_NS  # R2105
    assert not list(schema.iter("{*}any"))
