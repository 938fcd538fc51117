"""Hostile callers: every refusal is a fault with a body, and nothing is done for nobody."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest

from gateway.transport.soap_contract import SOAP_NAMESPACES
from gateway.web.api import ApiSettings, create_api_app
from gateway.web.api.soap.contract import NATIONAL_NS, SOAP_PATH, _contract
from gateway.web.api.soap.security import WSSE_NS, WSU_NS
from gateway.web.pressure import Pressure
from tests.api.counter import AUTHORITY, WIDE, Front
from tests.factories import NOW
from tests.soap.calls import (
    BOTH,
    MEDIA,
    SOAP_11,
    SOAP_12,
    body,
    call,
    envelope,
    fault,
    fields,
    post,
    refused,
    username_token,
)

PING = body("ListPeers")
DIGEST = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
    "#PasswordDigest"
)


@pytest.fixture
def zm(traded) -> Front:
    return traded.zm


@pytest.fixture
def token(zm) -> str:
    return zm.tokens[AUTHORITY]


def block(token: str, **more: str) -> str:
    return username_token(token.split("_")[1], token, **more)


# --- who asks --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", BOTH)
def test_a_username_token_opens_what_the_http_header_does(zm, token, version):
    said = call(zm.client, None, "ListPeers", header=block(token), version=version)
    assert said.text("Peer/Identifier") == "KE-SW"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "NOT_AUTHENTICATED"),
        (username_token("x", "y"), "NOT_AUTHENTICATED"),
        (username_token("a" * 16, f"eco_{'a' * 16}_{'b' * 43}"), "NOT_AUTHENTICATED"),
        (f'<w:Security xmlns:w="{WSSE_NS}"/>', "NOT_AUTHENTICATED"),
        (
            f'<w:Security xmlns:w="{WSSE_NS}"><w:BinarySecurityToken/></w:Security>',
            "MUST_UNDERSTAND",
        ),
        ('<x:Route xmlns:x="urn:x" s:mustUnderstand="1"/>', "MUST_UNDERSTAND"),
    ],
)
@pytest.mark.parametrize("version", BOTH)
def test_a_call_that_shows_no_key_that_holds_gets_a_fault(zm, header, code, version):
    said = refused(zm.client, None, "ListPeers", header=header, version=version)
    assert said.code == code
    assert said.status == (500 if version is SOAP_11 and "Route" not in header else 400)


def test_a_key_that_is_not_the_one_named_does_not_open(zm, token):
    said = refused(zm.client, None, "ListPeers", header=username_token("a" * 16, token))
    assert said.code == "NOT_AUTHENTICATED"


def test_a_password_digest_is_refused_because_keys_are_stored_hashed(zm, token):
    said = refused(zm.client, None, "ListPeers", header=block(token, kind=DIGEST))
    assert "PasswordText" in said.text("Detail")


def test_two_username_tokens_and_a_key_shown_twice_are_refused(zm, token):
    twice = block(token).replace("</w:Security>", "<w:UsernameToken/></w:Security>")
    assert refused(zm.client, None, "ListPeers", header=twice).code == "NOT_AUTHENTICATED"
    both = refused(zm.client, token, "ListPeers", header=block(token))
    assert "twice" in both.text("Detail")


@pytest.mark.parametrize(
    ("expires", "code"),
    [
        ((NOW + timedelta(minutes=1)).isoformat(), None),
        ((NOW - timedelta(minutes=6)).isoformat(), "NOT_AUTHENTICATED"),
        ((NOW - timedelta(minutes=6)).replace(tzinfo=None).isoformat(), "NOT_AUTHENTICATED"),
        ("yesterday", "BAD_REQUEST"),
    ],
)
def test_a_security_header_holds_until_its_timestamp_expires(zm, token, expires, code):
    stamp = f"<u:Timestamp><u:Expires>{expires}</u:Expires></u:Timestamp>"
    raw = envelope(SOAP_11, PING, block(token, more=stamp))
    response = post(zm.client, raw, None)
    assert (None if response.status_code == 200 else fault(response).code) == code
    assert WSU_NS in raw.decode()


def test_a_username_token_that_came_in_the_clear_over_the_net_is_refused(zm, token):
    said = refused(zm.client, None, "ListPeers", header=block(token), REMOTE_ADDR="10.1.2.3")
    assert (said.code, "TLS" in said.text("Detail")) == ("NOT_AUTHENTICATED", True)
    over_tls = {"REMOTE_ADDR": "10.1.2.3", "wsgi.url_scheme": "https"}
    assert call(zm.client, None, "ListPeers", header=block(token), **over_tls).status == 200


def test_a_key_in_the_http_header_that_does_not_hold_is_told_before_the_body_is_read(zm):
    response = post(zm.client, b"<broken", "eco_" + "a" * 16 + "_" + "b" * 43)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="eco"'
    assert fault(response).code == "NOT_AUTHENTICATED"


# --- what is said ----------------------------------------------------------------------------

BOMB = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">]>'
HOSTILE = [
    (b"", "BAD_REQUEST"),
    (b"\x00", "MALFORMED_XML"),
    (b"<a/>", "MALFORMED_XML"),
    (b"<a" + b"<b" * 10_000, "MALFORMED_XML"),
    (BOMB.encode() + envelope(SOAP_11, PING), "UNSAFE_XML"),
    (b"<!-- x -->" + envelope(SOAP_11, PING), "UNSAFE_XML"),
    (b"<?php x?>" + envelope(SOAP_11, PING), "UNSAFE_XML"),
    (envelope(SOAP_11, PING).replace(b"soap/envelope/", b"soap/else/"), "SOAP_VERSION"),
    (envelope(SOAP_11, ""), "UNKNOWN_OPERATION"),
    (envelope(SOAP_11, PING + PING), "UNKNOWN_OPERATION"),
    (envelope(SOAP_11, body("Deliver")), "UNKNOWN_OPERATION"),
    (envelope(SOAP_11, '<ListPeers xmlns="urn:x"/>'), "UNKNOWN_OPERATION"),
    (envelope(SOAP_11, "<ListPeers/>"), "UNKNOWN_OPERATION"),
    (envelope(SOAP_11, body("ListPeers", "<n:More/>")), "SCHEMA_INVALID"),
    (envelope(SOAP_11, body("ListPeers", fields(Language="xx"))), "SCHEMA_INVALID"),
    (envelope(SOAP_11, body("GetLedger", fields(IssuingCountry="zm"))), "SCHEMA_INVALID"),
    (envelope(SOAP_11, body("ReadEvents", fields(Limit="9" * 400))), "SCHEMA_INVALID"),
    (envelope(SOAP_11, body("ReadEvents", fields(After="9" * 18))), "BAD_REQUEST"),
    (envelope(SOAP_11, body("DryRun")), "BAD_REQUEST"),
    (
        envelope(SOAP_11, body("DryRun", fields(CanonicalJson="{}", SignedXml="PGEvPg=="))),
        "BAD_REQUEST",
    ),
    (envelope(SOAP_11, body("DryRun", fields(NationalFormat="csv"))), "BAD_REQUEST"),
    (
        envelope(SOAP_11, body("DryRun", fields(NationalFormat="none", NationalContent="QQ=="))),
        "NOT_FOUND",
    ),
    (envelope(SOAP_11, body("DryRun", fields(SignedXml="PGEvPg=="))), "INVALID_DOCUMENT"),
    (envelope(SOAP_11, body("DryRun", fields(SignedXml="!"))), "BAD_REQUEST"),
    (envelope(SOAP_11, body("DryRun", fields(CanonicalJson="[" * 100_000))), "INVALID_DOCUMENT"),
    (
        envelope(SOAP_11, body("DryRun", "<n:CanonicalJson>{&#xD800;</n:CanonicalJson>")),
        "MALFORMED_XML",
    ),
    (envelope(SOAP_11, "<n:a xmlns:n='urn:x'>" * 40 + "</n:a>" * 40), "UNSAFE_XML"),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_what_cannot_be_taken_is_answered_by_a_fault_that_says_so(zm, token, number):
    raw, code = HOSTILE[number]
    said = fault(post(zm.client, raw, token))
    assert said.code == code
    assert said.kind in ("Client", "VersionMismatch")
    assert said.text("CorrelationId")


@pytest.mark.parametrize("version", BOTH)
def test_what_a_caller_wrote_comes_back_as_text_only(zm, token, version):
    name = "a]]&gt;&#x202e;&lt;b&gt;"
    inner = f"<n:Id>{name}</n:Id>"
    said = refused(zm.client, token, "GetCodeList", inner, version=version)
    assert said.code == "SCHEMA_INVALID"
    assert not list(said.detail.iter("b"))


def test_other_content_types_and_compressed_bodies_are_refused_by_a_fault(zm, token):
    raw = envelope(SOAP_11, PING)
    for media, headers in (
        ("application/json", {}),
        ("text/xml; charset=latin-1", {}),
        ("text/xml", {"Content-Encoding": "gzip"}),
    ):
        response = post(zm.client, raw, token, media_type=media, headers=headers)
        assert (fault(response).code, response.status_code) == ("UNSUPPORTED_MEDIA_TYPE", 415)


def test_a_body_that_is_too_large_is_refused_before_it_is_parsed(traded, token):
    front = traded.zm
    app = create_api_app(front.counter, ApiSettings(max_body_bytes=10_000, pressure=WIDE))
    raw = envelope(SOAP_11, body("DryRun", fields(CanonicalJson="x" * 100_000)))
    response = post(app.test_client(), raw, token)
    assert (fault(response).code, response.status_code) == ("TOO_LARGE", 413)


def test_a_caller_that_is_too_eager_is_asked_to_slow_down(traded, token):
    narrow = Pressure(at_once=4, at_once_per_peer=2, per_minute=60, burst=3)
    app = create_api_app(traded.zm.counter, ApiSettings(pressure=narrow))
    answers = [
        post(app.test_client(), envelope(SOAP_12, PING), token, version=SOAP_12) for _ in range(5)
    ]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    said = fault(answers[-1], SOAP_12)
    assert (said.code, answers[-1].headers["Retry-After"]) == ("SLOW_DOWN", "1")


def test_a_correlation_id_that_cannot_stand_in_the_log_gets_a_fault(zm, token):
    said = refused(zm.client, token, "ListPeers", headers={"X-Correlation-ID": "a b"})
    assert said.code == "BAD_REQUEST"
    good = call(zm.client, token, "ListPeers", headers={"X-Correlation-ID": "abc-1"})
    assert good.response.headers["X-Correlation-ID"] == "abc-1"


@pytest.mark.parametrize("version", BOTH)
def test_a_failure_of_our_own_is_a_fault_without_particulars(zm, token, version, monkeypatch):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret particulars")

    monkeypatch.setattr("gateway.web.api.soap.endpoint.perform", broken)
    said = refused(zm.client, token, "ListPeers", version=version)
    assert (said.code, said.status) == ("INTERNAL", 500)
    assert said.kind == ("Server" if version is SOAP_11 else "Receiver")
    assert "secret" not in said.response.text
    assert said.text("Instance").startswith("urn:uuid:")


# --- the contract ----------------------------------------------------------------------------


def test_the_contract_names_the_public_address_and_no_host_that_could_break_out(traded):
    counter = traded.zm.counter
    told = ApiSettings(public_url="https://eco.example:8445/", behind_proxy=True)
    served = create_api_app(counter, told).test_client().get(f"{SOAP_PATH}?wsdl")
    assert served.text.count('location="https://eco.example:8445/soap/v1"') == 2
    proxied = create_api_app(counter, ApiSettings(behind_proxy=True)).test_client()
    named = proxied.get(f"{SOAP_PATH}?wsdl", headers={"Host": "sw.example"})
    assert named.text.count('location="https://sw.example/soap/v1"') == 2
    broken = proxied.get(f"{SOAP_PATH}?wsdl", headers={"Host": 'x"><evil'})
    assert broken.status_code == 400
    assert json.loads(broken.data)["code"] == "BAD_REQUEST"


def test_the_contract_is_hidden_where_descriptions_are(traded):
    client = create_api_app(traded.zm.counter, ApiSettings(show_page=False)).test_client()
    assert client.get(f"{SOAP_PATH}?wsdl").status_code == 404
    assert traded.zm.client.get(SOAP_PATH).status_code == 404
    assert traded.zm.client.put(SOAP_PATH).status_code == 405


def test_the_versions_are_told_apart_by_the_envelope_and_not_by_the_content_type(zm, token):
    response = post(zm.client, envelope(SOAP_12, PING), token, media_type=MEDIA[SOAP_11])
    assert (response.status_code, response.mimetype) == (200, MEDIA[SOAP_12])
    assert SOAP_NAMESPACES[SOAP_12] in response.text
    assert NATIONAL_NS in response.text


# --- whatever else is sent -------------------------------------------------------------------

ODD = [
    "\t",
    "\u202e",
    "\ufeff",
    "%00",
    "' OR 1=1 --",
    "\U0001f4a9" * 50,
    "../" * 20,
    "9" * 69,
    "-0",
]
DATES = ["0001-01-01", "9999-12-31", "2026-02-30", "2026-03-09"]


def test_a_message_that_was_garbled_on_the_way_is_never_a_failure_of_ours(zm, token):
    chance = random.Random(20260310)
    whole = envelope(SOAP_11, body("SearchCertificates", fields(Exporter="Copper", Limit="3")))
    codes = set()
    for _ in range(250):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        response = post(zm.client, bytes(raw), token)
        assert response.mimetype in MEDIA.values()
        codes.add("" if response.status_code == 200 else fault(response).code)
    assert "INTERNAL" not in codes
    assert {"MALFORMED_XML", "SCHEMA_INVALID"} <= codes


@pytest.mark.parametrize("operation", ["GetCertificate", "GetCodeList", "SearchCertificates"])
def test_odd_values_in_any_place_are_answered_without_a_failure_of_ours(zm, token, operation):
    codes = set()
    for member in _contract().shapes[operation].members:
        needed = {"GetCertificate": {"IssuingCountry": "ZM", "SerialNumber": "X"}}
        needed["GetCodeList"] = {"Id": "packages"}
        for odd in [*ODD, *DATES]:
            values = {**needed.get(operation, {}), member.name: odd}
            order = [each.name for each in _contract().shapes[operation].members]
            inner = fields(**{name: values[name] for name in order if name in values})
            raw = envelope(SOAP_11, body(operation, inner))
            response = post(zm.client, raw, token)
            codes.add("" if response.status_code == 200 else fault(response).code)
    assert "INTERNAL" not in codes
    assert "SCHEMA_INVALID" in codes
