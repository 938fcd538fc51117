"""Our transport against our entrance, over real mutual TLS, on every channel."""

from __future__ import annotations

import base64
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.documents import Verdict
from gateway.errors import PeerFaultError, TlsError, all_error_types
from gateway.transport import Channel, SoapVersion, StatusAnswer
from gateway.trust.demo_pki import make_demo_pki
from tests.wire.conftest import CHANNELS
from tests.wire.stand_in_gateway import CRASH_SECRET, PLANNED, RECEIVED_AT, receipt_for

ENVELOPE = "<Envelope>é</Envelope>".encode()


@pytest.mark.parametrize("profile", CHANNELS)
def test_an_envelope_arrives_byte_for_byte_and_its_receipt_returns(
    gateway, endpoint, transport, wire, profile
):
    peer = endpoint(gateway.base, **profile)
    assert transport.send(peer, ENVELOPE) == receipt_for(ENVELOPE)
    assert gateway.calls() == [(wire.client.fingerprint, ENVELOPE)]


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_large_envelope_passes(gateway, endpoint, transport, profile):
    envelope = bytes(range(256)) * 26_000
    assert transport.send(endpoint(gateway.base, **profile), envelope) == receipt_for(envelope)


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_ping_says_who_answers(gateway, endpoint, transport, profile):
    said = transport.ping(endpoint(gateway.base, **profile))
    assert (said.identifier, said.country, said.time) == ("KE-GATEWAY", "KE", RECEIVED_AT)
    assert said.document_types == ("CertificateOfOrigin", "CustomsResponse")
    assert said.versions == ("rules:all=00000000", "schema:CertificateOfOrigin=1.0", "odd")
    assert said.maintenance == (PLANNED,)


@pytest.mark.parametrize("profile", CHANNELS)
def test_the_status_of_a_known_message_holds_verdict_time_and_receipt(
    gateway, endpoint, transport, profile
):
    message_id = "urn:uuid:11111111-2222-3333-4444-555555555555"
    said = transport.status(endpoint(gateway.base, **profile), message_id)
    assert said.known
    assert said.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert said.received_at == RECEIVED_AT
    assert said.receipt == receipt_for(message_id.encode())


@pytest.mark.parametrize("profile", CHANNELS)
def test_the_status_of_an_unknown_message_is_an_answer_not_an_error(
    gateway, endpoint, transport, profile
):
    said = transport.status(endpoint(gateway.base, **profile), "urn:uuid:00000000-0")
    assert (said.known, said.verdict, said.receipt) == (False, None, None)


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_message_id_with_the_signs_of_a_url_can_be_asked_for(
    gateway, endpoint, transport, profile
):
    message_id = "&lt;<>'\"?x=1#y%41;p=2"
    assert transport.status(endpoint(gateway.base, **profile), message_id).message_id == message_id


def test_a_message_id_with_slashes_can_be_asked_for_over_soap(gateway, endpoint, transport):
    peer = endpoint(gateway.base, Channel.SOAP)
    assert transport.status(peer, "../a/b").message_id == "../a/b"


@pytest.mark.parametrize("profile", CHANNELS)
@pytest.mark.parametrize(
    "code",
    sorted(
        {
            each.code
            for each in all_error_types()
            if each.code not in ("PEER_FAULT",) and "findings" in each.__init__.__code__.co_varnames
        }
    ),
)
def test_every_wire_code_reaches_the_sender_as_it_was_raised(
    gateway, endpoint, transport, profile, code
):
    with pytest.raises(PeerFaultError) as caught:
        transport.send(endpoint(gateway.base, **profile), f"raise {code}".encode())
    raised = next(each for each in all_error_types() if each.code == code)
    assert caught.value.peer_code == code
    assert caught.value.peer_retryable is raised.retryable
    assert "as the test asked" in caught.value.detail
    assert "\x07" not in caught.value.detail


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_busy_peer_says_when_to_come_back(gateway, endpoint, transport, profile):
    with pytest.raises(PeerFaultError) as caught:
        transport.send(endpoint(gateway.base, **profile), b"raise BUSY")
    assert caught.value.peer_retryable
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("profile", CHANNELS)
def test_a_sender_hears_that_its_envelope_is_too_large(gateway, endpoint, transport, profile):
    with pytest.raises(PeerFaultError) as caught:
        transport.send(endpoint(gateway.base, **profile), b"x" * 7_100_000)
    assert (caught.value.peer_code, caught.value.peer_retryable) == ("TOO_LARGE", False)
    assert gateway.calls() == []


@pytest.mark.parametrize("profile", CHANNELS)
def test_an_unexpected_failure_is_internal_and_tells_nothing(gateway, endpoint, transport, profile):
    with pytest.raises(PeerFaultError) as caught:
        transport.send(endpoint(gateway.base, **profile), b"crash")
    assert caught.value.peer_code == "INTERNAL"
    assert CRASH_SECRET not in caught.value.detail


@pytest.mark.parametrize("profile", CHANNELS)
def test_one_connection_is_kept_for_many_messages(gateway, endpoint, transport, profile):
    peer = endpoint(gateway.base, **profile)
    for number in range(5):
        transport.send(peer, b"<n>%d</n>" % number)
    session = transport._client._session(peer)
    pool = session.get_adapter(peer.url).poolmanager.connection_from_url(peer.url)
    assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_threads_share_a_transport_without_mixing_answers(gateway, endpoint, transport):
    peers = [endpoint(gateway.base, **each.values[0]) for each in CHANNELS]

    def once(number: int) -> bool:
        envelope = b"<n>%d</n>" % number
        return transport.send(peers[number % 3], envelope) == receipt_for(envelope)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(once, range(90)))
    assert len(gateway.calls()) == 90


def test_a_renewed_client_credential_is_used_without_a_restart(
    gateway, endpoint, transport, wire, tmp_path
):
    cert, key = tmp_path / "c.pem", tmp_path / "c.key"
    shutil.copy(wire.client.cert, cert)
    shutil.copy(wire.client.key, key)
    peer = endpoint(gateway.base, client_cert=cert, client_key=key)
    transport.send(peer, ENVELOPE)
    shutil.copy(wire.other_client.cert, cert)
    shutil.copy(wire.other_client.key, key)
    transport.send(peer, ENVELOPE)
    shown = [fingerprint for fingerprint, _ in gateway.calls()]
    assert shown == [wire.client.fingerprint, wire.other_client.fingerprint]


def test_a_client_certificate_of_a_stranger_reaches_no_desk(gateway, endpoint, transport, wire):
    stranger = wire.stranger_client
    peer = endpoint(gateway.base, client_cert=stranger.cert, client_key=stranger.key)
    with pytest.raises(TlsError):
        transport.send(peer, ENVELOPE)
    assert gateway.calls() == []


def test_a_caller_without_client_certificate_reaches_no_desk(gateway, endpoint, transport):
    peer = endpoint(gateway.base, client_cert=None, client_key=None)
    with pytest.raises(TlsError):
        transport.send(peer, ENVELOPE)
    assert gateway.calls() == []


def test_a_pinned_server_certificate_is_accepted_and_another_is_not(
    gateway, endpoint, transport, wire
):
    pinned = endpoint(gateway.base, pinned_server_certs=frozenset({wire.server.fingerprint}))
    assert transport.ping(pinned).country == "KE"
    other = replace(pinned, pinned_server_certs=frozenset({"0" * 64}))
    gateway.forget()
    with pytest.raises(TlsError):
        transport.send(other, ENVELOPE)
    assert gateway.calls() == []


def test_the_server_certificate_itself_may_be_the_anchor(gateway, endpoint, transport, wire):
    peer = endpoint(gateway.base, server_ca_pem=wire.server.cert.read_bytes())
    assert transport.ping(peer).country == "KE"


def test_the_environment_cannot_replace_the_anchors_or_divert_the_call(
    gateway, endpoint, transport, wire, monkeypatch
):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(wire.stranger.ca))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert transport.ping(endpoint(gateway.base)).country == "KE"


def test_a_plain_listener_serves_loopback_and_knows_no_fingerprint(start, endpoint, transport):
    plain = start(tls=False)
    peer = endpoint(plain.base, Channel.SOAP, soap_version=SoapVersion.SOAP_11)
    peer = replace(peer, server_ca_pem=b"", client_cert=None, client_key=None)
    assert transport.send(peer, ENVELOPE) == receipt_for(ENVELOPE)
    assert plain.calls() == [("-", ENVELOPE)]


def test_the_demonstration_pki_serves_both_sides_of_a_connection(
    start, endpoint, transport, tmp_path
):
    """The chain of the file (country CA, regional root) is sent, and only the leaf is bound."""
    demo = make_demo_pki(tmp_path, ("KE", "ZM"), now=datetime.now(UTC))
    kenya, zambia = demo.countries["KE"].tls, demo.countries["ZM"].tls
    gateway = start(
        cert=str(kenya.cert_path), key=str(kenya.key_path), client_ca=str(demo.root_path)
    )
    for profile in CHANNELS:
        peer = endpoint(
            gateway.base,
            **profile.values[0],
            server_ca_pem=demo.root_path.read_bytes(),
            client_cert=zambia.cert_path,
            client_key=zambia.key_path,
        )
        assert transport.send(peer, ENVELOPE) == receipt_for(ENVELOPE)
    assert {fingerprint for fingerprint, _ in gateway.calls()} == {zambia.fingerprint}


def test_a_receipt_in_json_is_base64_of_the_usual_alphabet():
    """Pydantic's own writes ``-`` and ``_``, which no other stack reads."""
    raw = bytes(range(256))
    answer = StatusAnswer(message_id="m", known=True, receipt=raw)
    written = json.loads(answer.model_dump_json())["receipt"]
    assert written == base64.b64encode(raw).decode()
    assert StatusAnswer.model_validate_json(answer.model_dump_json()) == answer
