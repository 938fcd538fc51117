"""Whatever a peer's address answers, only transport errors come back, in time and in bounds."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gateway.errors import (
    BadAnswerError,
    ConfigError,
    HtmlAnswerError,
    PeerFaultError,
    TimedOutError,
    TlsError,
    TransportError,
    UnreachableError,
)
from gateway.transport import Channel, PeerEndpoint, SoapVersion
from gateway.transport.http import retry_after_of
from tests.wire.conftest import CHANNELS
from tests.wire.odd_server import OddServer, http, says

ENVELOPE = b"<e/>"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
GW = "urn:comesa:eco:data:draft:Gateway:1"
PROBLEM = "application/problem+json"


def soap(body: str, namespace: str = SOAP11) -> bytes:
    return f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def drip(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 999\r\n\r\n"
    )
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_head(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 400:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def endless(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket.socket) -> None:
    time.sleep(1.5)


def redirect_to(connection: socket.socket) -> None:
    connection.sendall(http("301 Moved", b"", Location="https://evil.example/rest/v1/messages"))


BOMB = gzip.compress(b"x" * 5_000_000)
NOT_A_RECEIPT = [
    pytest.param(
        says(http("200 OK", b"<html>hello</html>", "text/html")), HtmlAnswerError, id="html-200"
    ),
    pytest.param(says(http("200 OK", b"")), BadAnswerError, id="empty-200"),
    pytest.param(
        says(http("200 OK", b'{"ok":true}', "application/json")), BadAnswerError, id="json-200"
    ),
    pytest.param(says(http("202 Accepted", b"<r/>")), BadAnswerError, id="202"),
    pytest.param(says(http("204 No Content")), BadAnswerError, id="204"),
    pytest.param(says(http("200 OK", b"{}", PROBLEM)), BadAnswerError, id="problem-200"),
    pytest.param(says(b"hello, I speak HTTP/0.9"), BadAnswerError, id="http09"),
    pytest.param(says(b"\x00\x01\x02\r\n\r\n"), BadAnswerError, id="noise"),
    pytest.param(says(b"HTTP/1.1 abc OK\r\n\r\n"), BadAnswerError, id="bad-status"),
    pytest.param(
        says(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 99\r\n\r\n<r/>"),
        BadAnswerError,
        id="too-short",
    ),
    pytest.param(
        says(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 5, 6\r\n\r\n<r/>"
        ),
        BadAnswerError,
        id="two-lengths",
    ),
    pytest.param(
        says(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        BadAnswerError,
        id="bad-chunk",
    ),
    pytest.param(
        says(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 500 + b"\r\n"),
        BadAnswerError,
        id="header-flood",
    ),
    pytest.param(
        says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 200_000 + b"\r\n\r\n"),
        BadAnswerError,
        id="header-long",
    ),
    pytest.param(
        says(http("200 OK", BOMB, Content_Encoding="gzip")), BadAnswerError, id="gzip-bomb"
    ),
    pytest.param(says(http("200 OK", b"x" * 300_000)), BadAnswerError, id="too-long"),
    pytest.param(
        says(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 99999999999999999999999\r\n\r\nx"
        ),
        BadAnswerError,
        id="absurd-length",
    ),
    pytest.param(endless, BadAnswerError, id="endless"),
    pytest.param(redirect_to, BadAnswerError, id="301"),
    pytest.param(says(b""), UnreachableError, id="closed-without-answer"),
    pytest.param(reset, UnreachableError, id="reset"),
    pytest.param(silent, TimedOutError, id="silent"),
    pytest.param(drip, TimedOutError, id="drip"),
    pytest.param(drip_head, TimedOutError, id="drip-head"),
    pytest.param(
        says(http("502 Bad Gateway", b"<html>nginx</html>", "text/html")),
        PeerFaultError,
        id="502-html",
    ),
    pytest.param(says(http("500 Error", b"", "text/xml")), PeerFaultError, id="500-empty"),
]


@pytest.fixture
def odd(wire, no_threads_left):
    started = []

    def start(behaviour, pair=wire.server, **options) -> OddServer:
        server = OddServer(behaviour, cert=pair.cert, key=pair.key, **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture
def impatient(endpoint):
    def build(server: OddServer, **changes) -> PeerEndpoint:
        values = {
            "read_timeout": 0.6,
            "total_timeout": 1.2,
            "max_answer_bytes": 200_000,
        }
        return endpoint(server.base, **(values | changes))

    return build


@pytest.mark.parametrize("profile", CHANNELS)
@pytest.mark.parametrize(("behaviour", "expected"), NOT_A_RECEIPT)
def test_an_answer_that_is_no_receipt_is_a_transport_error(
    odd, impatient, transport, profile, behaviour, expected
):
    server = odd(behaviour)
    begun = time.monotonic()
    with pytest.raises(TransportError) as caught:
        transport.send(impatient(server, **profile), ENVELOPE)
    assert type(caught.value) is expected
    assert time.monotonic() - begun < 4
    assert len(server.requests) == 1


@pytest.mark.parametrize("ask", ["ping", "status"])
@pytest.mark.parametrize("profile", CHANNELS)
@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"[" * 100_000, b'{"identifier": 1}', b'{"message_id": "m"}', b"\xff\xfe",
        b'{"identifier":"KE","country":"KE","software_version":"x","time":"yesterday"}',
        b'{"message_id":"other","known":true}', b'{"message_id":"m","known":true,"receipt":"**"}',
    ],
)  # fmt: skip
def test_an_odd_answer_to_a_question_is_a_bad_answer(odd, impatient, transport, profile, ask, body):
    server = odd(says(http("200 OK", body, "application/json")))
    with pytest.raises(BadAnswerError):
        getattr(transport, ask)(impatient(server, **profile), *(["m"] if ask == "status" else []))


@pytest.mark.parametrize(
    "body",
    [
        soap("<x/>"),
        soap(""),
        soap("<x/><x/>"),
        soap(f'<DeliverResponse xmlns="{GW}"/>'),
        soap(f'<DeliverResponse xmlns="{GW}"><Receipt>***</Receipt></DeliverResponse>'),
        soap(
            f'<PingResponse xmlns="{GW}"><Identifier>a</Identifier><Country>KE</Country><SoftwareVersion>1</SoftwareVersion><Time>2026-03-10T09:00:00Z</Time></PingResponse>'
        ),
        soap(f'<DeliverResponse xmlns="{GW}"><Receipt>QQ==</Receipt></DeliverResponse>', SOAP12),
        b"<x/>",
        b"<",
        b'<!DOCTYPE x [<!ENTITY a "a">]>' + soap("&a;"),
        soap("<x/>", "urn:other"),
        soap("<!-- -->"),
    ],
)
def test_a_soap_answer_that_breaks_the_contract_is_a_bad_answer(odd, impatient, transport, body):
    server = odd(says(http("200 OK", body, "text/xml; charset=utf-8")))
    peer = impatient(server, channel=Channel.SOAP, soap_version=SoapVersion.SOAP_11)
    with pytest.raises(BadAnswerError):
        transport.send(peer, ENVELOPE)


@pytest.mark.parametrize("time_stated", ["2026-13-01T00:00:00Z", "2026-03-10T09:00:00"])
def test_a_soap_ping_with_a_useless_time_is_a_bad_answer(odd, impatient, transport, time_stated):
    body = soap(
        f'<PingResponse xmlns="{GW}"><Identifier>a</Identifier><Country>KE</Country><SoftwareVersion>1</SoftwareVersion><Time>{time_stated}</Time></PingResponse>'
    )
    server = odd(says(http("200 OK", body, "text/xml")))
    with pytest.raises(BadAnswerError):
        transport.ping(impatient(server, channel=Channel.SOAP, soap_version=SoapVersion.SOAP_11))


@pytest.mark.parametrize(
    ("status", "body", "content_type", "code", "retryable"),
    [
        ("422 No", json.dumps({"code": "SCHEMA_INVALID", "detail": "d"}), PROBLEM, "SCHEMA_INVALID", False),
        ("503 No", json.dumps({"code": "BUSY"}), PROBLEM, "BUSY", True),
        ("400 No", json.dumps({"code": "FOREIGN_CODE", "retryable": True}), PROBLEM, "FOREIGN_CODE", True),
        ("400 No", json.dumps({"code": "FOREIGN_CODE"}), PROBLEM, "FOREIGN_CODE", False),
        ("500 No", json.dumps({"code": "not a code"}), PROBLEM, "HTTP_500", True),
        ("409 No", json.dumps({"code": 7, "retryable": "yes"}), PROBLEM, "HTTP_409", True),
        ("413 No", "<html/>", "text/html", "HTTP_413", False),
        ("429 No", "", "text/html", "HTTP_429", True),
        ("404 No", "not found", "text/plain", "HTTP_404", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", CHANNELS)
def test_a_fault_keeps_its_code_and_says_whether_to_repeat(
    odd, impatient, transport, profile, status, body, content_type, code, retryable
):
    server = odd(says(http(status, body.encode(), content_type, Retry_After="17")))
    with pytest.raises(PeerFaultError) as caught:
        transport.send(impatient(server, **profile), ENVELOPE)
    assert (caught.value.peer_code, caught.value.peer_retryable) == (code, retryable)
    assert caught.value.retry_after == 17


def test_a_soap_fault_of_a_foreign_stack_is_a_fault_by_its_status(odd, impatient, transport):
    fault = soap(
        "<s:Fault><faultcode>s:Server</faultcode><faultstring>down\nfor repair</faultstring></s:Fault>"
    )
    server = odd(says(http("500 Error", fault, "text/xml")))
    with pytest.raises(PeerFaultError, match="down for repair") as caught:
        transport.send(impatient(server, channel=Channel.SOAP), ENVELOPE)
    assert (caught.value.peer_code, caught.value.peer_retryable) == ("HTTP_500", True)


def test_a_broken_problem_document_is_a_bad_answer(odd, impatient, transport):
    server = odd(says(http("500 Error", b"[]", PROBLEM)))
    with pytest.raises(BadAnswerError):
        transport.send(impatient(server), ENVELOPE)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [(None, None), ("120", 120), ("0", 0), ("-5", None), ("soon", None), ("9" * 30, 86_400), ("", None),
     ("Tue, 10 Mar 2020 09:00:00 GMT", 0), ("Tue, 99 Mar 2020", None), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_a_bounded_number_of_seconds(stated, seconds):
    assert retry_after_of(stated) == seconds


def test_retry_after_may_be_a_date():
    moment = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < retry_after_of(format_datetime(moment, usegmt=True)) <= 100
    assert 90 < retry_after_of(format_datetime(moment).replace("+0000", "-0000")) <= 100


@pytest.mark.parametrize("profile", CHANNELS)
@pytest.mark.parametrize("which", ["stranger_server", "expired_server", "elsewhere_server"])
def test_a_server_certificate_that_does_not_hold_gets_no_envelope(
    odd, impatient, transport, wire, profile, which
):
    server = odd(says(http("200 OK", b"<r/>")), pair=getattr(wire, which))
    with pytest.raises(TlsError):
        transport.send(impatient(server, **profile), ENVELOPE)
    assert server.requests == []


def test_a_server_that_speaks_no_tls_gets_no_envelope(impatient, transport, no_threads_left):
    server = OddServer(says(http("200 OK", b"<r/>")), read_request=False)
    try:
        peer = replace(impatient(server), url=f"https://127.0.0.1:{server.port}/rest/v1")
        with pytest.raises((TlsError, UnreachableError)):
            transport.send(peer, ENVELOPE)
    finally:
        server.close()


def test_a_handshake_that_never_ends_times_out(endpoint, transport, wire):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        peer = endpoint(url, connect_timeout=5, read_timeout=5, total_timeout=0.6)
        begun = time.monotonic()
        with pytest.raises(TimedOutError):
            transport.send(peer, ENVELOPE)
        assert time.monotonic() - begun < 3


def test_a_closed_port_is_unreachable(endpoint, transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError):
        transport.send(endpoint(f"https://127.0.0.1:{port}"), ENVELOPE)


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "a" * 64 + ".example", "..", "xn--a.example"]
)
def test_a_name_that_leads_nowhere_is_unreachable(endpoint, transport, host):
    with pytest.raises(UnreachableError):
        transport.send(endpoint(f"https://{host}:8443"), ENVELOPE)


def test_a_missing_credential_of_our_own_is_a_tls_error(gateway, endpoint, transport, tmp_path):
    absent = tmp_path / "absent.pem"
    with pytest.raises(TlsError):
        transport.send(endpoint(gateway.base, client_cert=absent, client_key=absent), ENVELOPE)


def test_an_encrypted_key_without_password_fails_instead_of_asking(
    gateway, endpoint, transport, wire, tmp_path
):
    from cryptography.hazmat.primitives import serialization as ser

    key = ser.load_pem_private_key(wire.client.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.BestAvailableEncryption(b"pass-word")
        )
    )
    peer = endpoint(gateway.base, client_key=locked)
    with pytest.raises(TlsError):
        transport.send(peer, ENVELOPE)
    transport.send(replace(peer, client_key_password="pass-word"), ENVELOPE)
    assert "pass-word" not in repr(replace(peer, client_key_password="pass-word"))


def test_anchors_that_are_no_pem_are_a_tls_error(gateway, endpoint, transport):
    with pytest.raises(TlsError):
        transport.send(endpoint(gateway.base, server_ca_pem=b"\xffnonsense"), ENVELOPE)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://gateway.example/soap"},
        {"url": "ftp://gateway.example"},
        {"url": "https://user:secret@gateway.example/"},
        {"url": "https://gateway.example/#x"},
        {"url": "https://gateway.example:99999/"},
        {"url": "https://"},
        {"url": "https://gateway.example/a b"},
        {"url": "https://[::1/"},
        {"server_ca_pem": b""},
        {"client_key": None},
        {"pinned_server_certs": frozenset({"AB:CD"})},
        {"total_timeout": 0},
    ],
)
def test_an_endpoint_that_could_not_be_safe_is_a_configuration_error(endpoint, changes):
    with pytest.raises(ConfigError):
        endpoint("https://gateway.example", **changes)


def test_kept_connections_survive_a_peer_that_closed_them(odd, impatient, transport):
    server = odd(says(http("200 OK", b"<r/>").replace(b"Connection: close\r\n", b"")))
    for _ in range(3):
        assert transport.send(impatient(server), ENVELOPE) == b"<r/>"
        time.sleep(0.05)


def test_cookies_of_a_peer_are_not_kept(odd, impatient, transport):
    server = odd(says(http("200 OK", b"<r/>", Set_Cookie="track=1")))
    for _ in range(2):
        transport.send(impatient(server), ENVELOPE)
    assert not any(b"cookie" in request.lower() for request in server.requests)
    assert b"Accept-Encoding: identity" in server.requests[0]
