"""Collect and Confirm over real mutual TLS: every channel, foreign clients, odd requests."""

from __future__ import annotations

import base64
import json

import pytest
import requests
import zeep
from zeep.transports import Transport

from gateway.documents import Verdict
from gateway.errors import BadAnswerError, PeerFaultError
from gateway.transport import Channel, Decline
from tests.wire.conftest import CHANNELS
from tests.wire.stand_in_gateway import RECEIVED_AT, receipt_for, waiting_envelope

RECEIPT = "<Receipt>é</Receipt>\r\n".encode()


@pytest.mark.parametrize("profile", CHANNELS)
def test_what_waits_arrives_byte_for_byte(gateway, endpoint, transport, wire, profile):
    said = transport.collect(endpoint(gateway.base, **profile), 3)
    assert [(m.message_id, m.envelope, m.lease_until) for m in said.messages] == [
        (f"urn:uuid:{number}", waiting_envelope(number), RECEIVED_AT) for number in range(3)
    ]
    assert gateway.calls("collect") == [(wire.client.fingerprint, b"3")]


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_receipt_is_handed_in_byte_for_byte(gateway, endpoint, transport, wire, profile):
    peer = endpoint(gateway.base, **profile)
    said = transport.confirm(peer, "urn:uuid:1", RECEIPT)
    assert (said.message_id, said.verdict) == ("urn:uuid:1", Verdict.ACCEPTED_WITH_WARNINGS)
    assert gateway.calls("confirm") == [(wire.client.fingerprint, b"urn:uuid:1\n" + RECEIPT)]


WHY = Decline(code="SIGNER_EXPIRED", detail="ended <yesterday> & é", retryable=True)


@pytest.mark.parametrize("profile", CHANNELS)
@pytest.mark.parametrize("retryable", [True, False])
def test_a_collector_says_why_it_cannot_take_an_envelope(
    gateway, endpoint, transport, wire, profile, retryable
):
    why = WHY.model_copy(update={"retryable": retryable})
    said = transport.decline(endpoint(gateway.base, **profile), "urn:uuid:1/x", why)
    assert said.message_id == "urn:uuid:1/x"
    assert said.waits_until == (RECEIVED_AT if retryable else None)
    ((fingerprint, raw),) = gateway.calls("decline")
    message_id, _, stated = raw.partition(b"\n")
    assert (fingerprint, message_id) == (wire.client.fingerprint, b"urn:uuid:1/x")
    assert Decline.model_validate_json(stated) == why


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"\xff",
        b'{"code": "lower", "detail": "", "retryable": true}',
        b'{"code": "BUSY", "detail": "", "retryable": "yes"}',
        b'{"code": "BUSY", "retryable": true, "detail": "' + b"x" * 501 + b'"}',
        b"[" * 7_000,
    ],
)
def test_BAD_REQUEST_a_fault_that_is_none_is_refused_over_rest(gateway, wire, body):
    url, json_type = f"{gateway.base}/rest/v1/outbox/1/fault", {"Content-Type": "application/json"}
    answer = _session(wire).post(url, data=body, headers=json_type)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert gateway.calls("decline") == []


def test_a_fault_over_rest_is_json_of_modest_size(gateway, wire):
    url, session = f"{gateway.base}/rest/v1/outbox/1/fault", _session(wire)
    xml = session.post(url, data=b"<x/>", headers={"Content-Type": "application/xml"})
    assert xml.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"
    long = session.post(url, data=b" " * 9_000, headers={"Content-Type": "application/json"})
    assert long.json()["code"] == "TOO_LARGE"
    assert gateway.calls("decline") == []


ODD_IDS = ["a/b", "/a", "a//b/", "a?b#c%2F&=;d", "receipt", "a/receipt", "%2e", "urn:x:/..y"]


@pytest.mark.parametrize("message_id", ODD_IDS)
def test_an_id_of_any_printable_characters_is_confirmed_and_asked_for(
    gateway, endpoint, transport, message_id
):
    for channel in Channel:
        peer = endpoint(gateway.base, channel)
        assert transport.confirm(peer, message_id, RECEIPT).message_id == message_id
        assert transport.status(peer, message_id).message_id == message_id
    said = [raw.partition(b"\n")[0].decode() for _, raw in gateway.calls("confirm")]
    assert said == [message_id] * len(Channel)


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_receipt_that_proves_nothing_comes_back_as_a_fault(gateway, endpoint, transport, profile):
    with pytest.raises(PeerFaultError) as caught:
        transport.confirm(endpoint(gateway.base, **profile), "urn:uuid:1", b"raise RECEIPT_INVALID")
    assert caught.value.peer_code == "RECEIPT_INVALID"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "", "1&limit=2", "٣"])
def test_BAD_REQUEST_a_limit_that_is_none_is_refused_over_rest(gateway, wire, limit):
    answer = _session(wire).get(f"{gateway.base}/rest/v1/outbox?limit={limit}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert gateway.calls("collect") == []


def test_without_a_limit_the_gateway_chooses(gateway, wire):
    answer = _session(wire).get(f"{gateway.base}/rest/v1/outbox")
    (waiting,) = answer.json()["messages"]
    assert base64.b64decode(waiting["envelope"]) == waiting_envelope(0)
    assert answer.headers["Cache-Control"] == "no-store"
    assert gateway.calls("collect") == [(wire.client.fingerprint, b"None")]


def test_a_receipt_over_rest_must_be_xml_within_the_limit(gateway, wire):
    url = f"{gateway.base}/rest/v1/outbox/urn:uuid:1/receipt"
    session = _session(wire)
    answer = session.post(url, data=RECEIPT, headers={"Content-Type": "text/plain"})
    assert answer.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"
    xml = {"Content-Type": "application/xml"}
    assert session.post(url, data=b"x" * 7_100_000, headers=xml).json()["code"] == "TOO_LARGE"
    assert session.post(url, data=b"", headers=xml).json()["code"] == "BAD_REQUEST"
    odd = f"{gateway.base}/rest/v1/outbox/a%20b/receipt"
    assert session.post(odd, data=RECEIPT, headers=xml).json()["code"] == "BAD_REQUEST"
    assert gateway.calls("confirm") == []


@pytest.mark.parametrize("limit", [0, 101, "x"])
def test_SCHEMA_INVALID_a_limit_that_is_none_is_refused_over_soap(gateway, wire, limit):
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        f'<g:Collect xmlns:g="urn:comesa:eco:data:draft:Gateway:1"><g:Limit>{limit}</g:Limit>'
        "</g:Collect></s:Body></s:Envelope>"
    )
    answer = _session(wire).post(
        f"{gateway.base}/soap", data=body, headers={"Content-Type": "application/soap+xml"}
    )
    assert b"SCHEMA_INVALID" in answer.content
    assert gateway.calls("collect") == []


@pytest.mark.parametrize("binding", ["GatewaySoap11", "GatewaySoap12"])
def test_zeep_collects_and_confirms_from_the_served_wsdl(gateway, wire, binding):
    with _session(wire) as session:
        client = zeep.Client(f"{gateway.base}/soap?wsdl", transport=Transport(session=session))
        service = client.bind("EcoGateway", binding)
        first, second = service.Collect(Limit=2)
        assert (first.MessageId, first.Envelope) == ("urn:uuid:0", waiting_envelope(0))
        assert second.LeaseUntil == RECEIVED_AT
        assert len(service.Collect()) == 1
        said = service.Confirm(MessageId="urn:uuid:0", Receipt=receipt_for(first.Envelope))
        assert said.Verdict == "ACCEPTED_WITH_WARNINGS"
        later = service.Decline(MessageId="urn:uuid:0", Code="BUSY", Detail="", Retryable=True)
        assert later.WaitsUntil == RECEIVED_AT


def test_an_answer_that_breaks_the_form_is_a_bad_answer(gateway, endpoint, transport, monkeypatch):
    peer = endpoint(gateway.base, Channel.REST)
    for body in (b"[]", b'{"messages": [{}]}', b'{"messages": [{"message_id": "a b"}]}'):
        monkeypatch.setattr(
            transport._channels[Channel.REST]._client,
            "exchange",
            lambda *_, body=body, **__: _Answer(body),
        )
        with pytest.raises(BadAnswerError):
            transport.collect(peer, 1)
    other = json.dumps({"message_id": "urn:uuid:2", "verdict": "ACCEPTED"}).encode()
    monkeypatch.setattr(
        transport._channels[Channel.REST]._client, "exchange", lambda *_, **__: _Answer(other)
    )
    with pytest.raises(BadAnswerError):
        transport.confirm(peer, "urn:uuid:1", RECEIPT)


class _Answer:
    status, media_type, retry_after = 200, "application/json", None

    def __init__(self, body: bytes) -> None:
        self.body = body


def _session(wire) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(wire.authority.ca)
    session.cert = (str(wire.client.cert), str(wire.client.key))
    return session
