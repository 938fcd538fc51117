"""The contract files and the page about them are true."""

from __future__ import annotations

import re
from pathlib import Path

import zeep
from lxml import etree

from gateway.envelope import (
    IDENTIFIER_AUTHORITY,
    MAX_ENVELOPE_BYTES,
    MAX_PAYLOAD_BYTES,
    USUAL_ENVELOPE_BYTES,
)
from gateway.errors import all_error_types
from gateway.resources import data_path
from gateway.transport.soap_contract import GATEWAY_NS, SOAP_LIMITS, require_contract, wsdl_path
from gateway.web.serving import ServerSettings
from gateway.xml.parsing import parse

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "peer-interface.md").read_text(encoding="utf-8")


def test_the_page_names_codes_that_exist_and_says_rightly_whether_to_repeat():
    known = {each.code: each for each in all_error_types()}
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| .* \| (.*) \|$", PAGE, flags=re.M)
    named = {code: repeat for codes, repeat in rows for code in re.findall(r"`(\w+)`", codes)}
    assert len(named) > 25
    assert {code: known[code].retryable for code in named} == {
        code: repeat != "no" for code, repeat in named.items()
    }


def test_the_page_states_the_limits_in_force():
    assert f"{MAX_ENVELOPE_BYTES:,}".replace(",", " ") in PAGE
    assert f"{MAX_PAYLOAD_BYTES:,}".replace(",", " ") in PAGE
    assert f"{USUAL_ENVELOPE_BYTES:,}".replace(",", " ") in PAGE
    settings = ServerSettings(host="127.0.0.1", port=0, tls=None)
    assert f"within {settings.head_seconds:.0f} s" in PAGE
    assert f"within {settings.request_seconds:.0f} s" in PAGE
    assert f"{settings.keepalive_seconds} s of silence" in PAGE


def test_the_envelope_on_the_page_follows_the_schema_but_for_its_ellipses():
    shown = re.search(r"```xml\n(.*?)```", PAGE, flags=re.S)[1]
    whole = re.sub(r"<ds:Signature.*</ds:Signature>\n", "", shown).replace("…", "urn:uuid:1")
    whole = whole.replace("base64 of 32 bytes", "A" * 43 + "=").replace(
        "base64 of the signed document", "QUJD"
    )
    schema = etree.XMLSchema(etree.parse(data_path("schemas", "uncefact", "Envelope_1p0.xsd")))
    schema.assertValid(parse(whole.encode()))
    assert IDENTIFIER_AUTHORITY in shown


def test_both_soap_versions_offer_the_same_operations():
    bindings = zeep.Client(str(wsdl_path())).wsdl.bindings
    offered = {str(name): set(each._operations) for name, each in bindings.items()}
    assert offered == {
        f"{{{GATEWAY_NS}}}GatewaySoap1{minor}": {
            "Deliver",
            "Ping",
            "GetMessageStatus",
            "Collect",
            "Confirm",
            "Decline",
        }
        for minor in "12"
    }


def test_the_largest_envelope_fits_into_a_soap_message():
    largest = "A" * (MAX_ENVELOPE_BYTES * 4 // 3 + 4 & ~3)
    raw = f'<g:Deliver xmlns:g="{GATEWAY_NS}"><g:Envelope>{largest}</g:Envelope></g:Deliver>'
    require_contract(parse(raw.encode(), SOAP_LIMITS))
