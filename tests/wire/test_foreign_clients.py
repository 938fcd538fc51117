"""Clients that we did not write: zeep, PHP's SoapClient, node's soap, curl; over mutual TLS."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.node_packages import node_package
from tests.wire.stand_in_gateway import receipt_for

HERE = Path(__file__).parent / "foreign"
NODE_SOAP = "soap@1.13.0"
ENVELOPE = '<?xml version="1.0" encoding="UTF-8"?>\n<Envelope>é & ]]></Envelope>\r\n'.encode()
GW = "urn:comesa:eco:data:draft:Gateway:1"
EXPECTED = {
    "receipt": receipt_for(ENVELOPE).decode(),
    "country": "KE",
    "types": ["CertificateOfOrigin", "CustomsResponse"],
    "verdict": "ACCEPTED_WITH_WARNINGS",
}


@pytest.fixture
def envelope_file(tmp_path):
    path = tmp_path / "envelope.xml"
    path.write_bytes(ENVELOPE)
    return path


def run(*command: object, **options) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


@pytest.mark.parametrize("binding", ["GatewaySoap11", "GatewaySoap12"])
def test_zeep_speaks_to_us_from_the_served_wsdl(gateway, wire, binding):
    session = requests.Session()
    session.trust_env = False
    session.verify = str(wire.authority.ca)
    session.cert = (str(wire.client.cert), str(wire.client.key))
    with session:
        client = zeep.Client(f"{gateway.base}/soap?wsdl", transport=Transport(session=session))
        service = client.bind("EcoGateway", binding)
        assert service.Deliver(Envelope=ENVELOPE) == receipt_for(ENVELOPE)
        assert service.Ping().Country == "KE"
        status = service.GetMessageStatus(MessageId="urn:uuid:1")
        assert (status.Known, status.Verdict) == (True, "ACCEPTED_WITH_WARNINGS")
        with pytest.raises(Fault) as caught:
            service.Deliver(Envelope=b"raise INVALID_DOCUMENT")
        kind = client.get_element(f"{{{GW}}}GatewayFault")
        detail = kind.parse(caught.value.detail[0], client.wsdl.types)
        assert (detail.Code, detail.Retryable) == ("INVALID_DOCUMENT", False)
        assert [each.Rule for each in detail.Finding] == ["V12"]
    assert gateway.calls()[0] == (wire.client.fingerprint, ENVELOPE)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_php_speaks_to_us_from_the_served_wsdl(gateway, wire, envelope_file, version):
    if shutil.which("php") is None or "soap" not in run("php", "-m").split():
        pytest.skip("php with its soap extension is not installed (apt: php-cli php-soap)")
    said = json.loads(
        run(
            "php", HERE / "call.php", f"{gateway.base}/soap?wsdl", version,
            wire.authority.ca, wire.client.cert, wire.client.key, envelope_file,
        )
    )  # fmt: skip
    assert said == EXPECTED | {
        "known": True,
        "fault": {"code": "INVALID_DOCUMENT", "retryable": False, "rule": "V12"},
    }
    assert gateway.calls()[0] == (wire.client.fingerprint, ENVELOPE)


@pytest.fixture(scope="session")
def node_soap() -> Path:
    """The folder that holds node's soap package, installed once where npm can reach it."""
    return node_package("node-soap", NODE_SOAP)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_node_speaks_to_us_from_the_served_wsdl(
    gateway, wire, envelope_file, tmp_path, node_soap, version
):
    served = tmp_path / "served.wsdl"
    session = requests.Session()
    session.trust_env = False
    with session:
        served.write_bytes(
            session.get(
                f"{gateway.base}/soap?wsdl",
                verify=str(wire.authority.ca),
                cert=(str(wire.client.cert), str(wire.client.key)),
                timeout=10,
            ).content
        )
    said = json.loads(
        run(
            "node", HERE / "call.js", node_soap, served, f"{gateway.base}/soap", version,
            wire.authority.ca, wire.client.cert, wire.client.key, envelope_file,
        )
    )  # fmt: skip
    fault = {key: str(value).lower() for key, value in said.pop("fault").items()}
    assert fault == {"code": "invalid_document", "retryable": "false", "rule": "v12"}
    assert said == EXPECTED | {"known": True}
    assert gateway.calls()[0] == (wire.client.fingerprint, ENVELOPE)


@pytest.fixture
def curl(gateway, wire):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}

    def call(path: str, *arguments: object) -> str:
        return run(
            "curl", "--silent", "--show-error", "--cacert", wire.authority.ca,
            "--cert", wire.client.cert, "--key", wire.client.key, *arguments, gateway.base + path,
            env=environment,
        )  # fmt: skip

    return call


def test_curl_delivers_over_rest(gateway, wire, curl, envelope_file):
    body = ("--header", "Content-Type: application/xml", "--data-binary", f"@{envelope_file}")
    assert curl("/rest/v1/messages", *body).encode() == receipt_for(ENVELOPE)
    assert gateway.calls() == [(wire.client.fingerprint, ENVELOPE)]


def test_curl_delivers_chunked_over_rest(gateway, curl, envelope_file):
    chunked = (
        "--header",
        "Content-Type: application/xml",
        "--header",
        "Transfer-Encoding: chunked",
    )
    curl("/rest/v1/messages", *chunked, "--data-binary", f"@{envelope_file}")
    assert gateway.calls()[0][1] == ENVELOPE


def test_curl_pings_and_asks_for_a_status(curl):
    assert json.loads(curl("/rest/v1/ping"))["identifier"] == "KE-GATEWAY"
    said = json.loads(curl("/rest/v1/messages/urn:uuid:1"))
    assert (said["known"], said["verdict"]) == (True, "ACCEPTED_WITH_WARNINGS")
    assert base64.b64decode(said["receipt"]) == receipt_for(b"urn:uuid:1")
