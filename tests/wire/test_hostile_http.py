"""Hostile and broken requests: each gets a code, nothing reaches the desk, others are served."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time

import pytest
from lxml import etree

from tests.wire.stand_in_gateway import receipt_for

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
GW = "urn:comesa:eco:data:draft:Gateway:1"
DELIVER = f'<g:Deliver xmlns:g="{GW}"><g:Envelope>PGUvPg==</g:Envelope></g:Deliver>'


class Caller:
    """Speaks raw bytes over mutual TLS."""

    def __init__(self, gateway, wire):
        context = ssl.create_default_context(cafile=wire.authority.ca)
        context.load_cert_chain(wire.client.cert, wire.client.key)
        raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=15)
        self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1")

    def says(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def hears(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body; status 0 for a connection closed unanswered."""
        raw = b""
        try:
            while piece := self.socket.recv(65_536):
                raw += piece
                head, found, body = raw.partition(b"\r\n\r\n")
                if not found:
                    continue
                lines = head.decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:])
                if len(body) >= int(headers.get("content-length", "999999999")):
                    return int(lines[0].split()[1]), headers, body
        except (OSError, ssl.SSLError):
            pass
        if not raw:
            return 0, {}, b""
        head, _, body = raw.partition(b"\r\n\r\n")
        return int(head.split()[1]), {}, body


@pytest.fixture
def call(gateway, wire):
    callers = []

    def send(raw: bytes) -> tuple[int, dict[str, str], bytes]:
        caller = Caller(gateway, wire)
        callers.append(caller)
        caller.says(raw)
        return caller.hears()

    yield send
    for caller in callers:
        caller.socket.close()


def post(path: str, body: bytes, content_type: str, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {content_type}"]
    if "Transfer_Encoding" not in headers and "Content_Length" not in headers:
        headers["Content_Length"] = str(len(body))
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def rest(body: bytes, content_type: str = "application/xml", **headers: str) -> bytes:
    return post("/rest/v1/messages", body, content_type, **headers)


def soap(body: str, namespace: str = SOAP11, header: str = "", root: str = "Envelope") -> bytes:
    content_type = "application/soap+xml" if namespace == SOAP12 else "text/xml"
    text = f'<s:{root} xmlns:s="{namespace}">{header}<s:Body>{body}</s:Body></s:{root}>'
    return post("/soap", text.encode(), content_type)


def fault_of(body: bytes) -> tuple[str, str]:
    """(SOAP fault code, wire code) of a fault in either version."""
    root = etree.fromstring(body)
    said = root.findtext(".//faultcode") or root.findtext(f".//{{{SOAP12}}}Value")
    return said.split(":")[1], root.findtext(f".//{{{GW}}}Code")


CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
REST_REFUSED = [
    pytest.param(rest(b"", Content_Length="100000000000"), 413, "TOO_LARGE", id="announced-100-GB"),
    pytest.param(rest(b"x" * 7_000_001), 413, "TOO_LARGE", id="one-byte-too-many"),
    pytest.param(rest(CHUNK * 110 + b"0\r\n\r\n", Transfer_Encoding="chunked"), 413, "TOO_LARGE", id="chunked-too-large"),
    pytest.param(rest(b""), 400, "BAD_REQUEST", id="empty"),
    pytest.param(rest(b"<e/>", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE", id="text-plain"),
    pytest.param(rest(b"<e/>", "application/json"), 415, "UNSUPPORTED_MEDIA_TYPE", id="json"),
    pytest.param(rest(b"<e/>", "multipart/form-data; boundary=x"), 415, "UNSUPPORTED_MEDIA_TYPE", id="form"),
    pytest.param(rest(b"<e/>", "application/xml; charset=utf-7"), 415, "UNSUPPORTED_MEDIA_TYPE", id="utf-7"),
    pytest.param(rest(b"<e/>", Content_Encoding="gzip"), 415, "UNSUPPORTED_MEDIA_TYPE", id="gzip"),
    pytest.param(b"PUT /rest/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "METHOD_NOT_ALLOWED", id="put"),
    pytest.param(b"GET /rest/v1/messages HTTP/1.1\r\nHost: x\r\n\r\n", 405, "METHOD_NOT_ALLOWED", id="get"),
    pytest.param(b"DELETE /soap HTTP/1.1\r\nHost: x\r\n\r\n", 405, "METHOD_NOT_ALLOWED", id="delete-soap"),
    pytest.param(b"GET /rest/v1/messages/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="traversal"),
    pytest.param(b"GET /rest/v1/messages/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="traversal-encoded"),
    pytest.param(b"GET /rest/v1/messages/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "BAD_REQUEST", id="nul-id"),
    pytest.param(b"GET /rest/v1/messages/" + b"x" * 71 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, "BAD_REQUEST", id="long-id"),
    pytest.param(b"GET /rest/v1/messages/ HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="no-id"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="root"),
    pytest.param(b"GET /rest//v1/ping HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="double-slash"),
    pytest.param(b"GET /soap HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NOT_FOUND", id="soap-without-wsdl"),
    pytest.param(b"GET /rest/v1/ping HTTP/1.1\r\n\r\n", 400, None, id="no-host"),
    pytest.param(b"GET /rest/v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, None, id="two-hosts"),
    pytest.param(b"GET /soap?wsdl HTTP/1.1\r\nHost: a/<x>\r\n\r\n", 400, None, id="odd-host"),
    pytest.param(b"GET /rest/v1/ping HTTP/1.0\r\n\r\n", 400, "BAD_REQUEST", id="no-host-http10"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "status", "code"), REST_REFUSED)
def test_a_request_that_is_not_one_of_ours_gets_a_problem_document(
    gateway, call, raw, status, code
):
    answered, headers, body = call(raw)
    assert answered == status
    if code is not None:
        assert headers["content-type"] == "application/problem+json"
        problem = json.loads(body)
        assert (problem["code"], problem["status"]) == (code, status)
        assert problem["remedy"]
        assert problem["retryable"] is False
    assert gateway.calls() == gateway.calls("status") == gateway.calls("ping") == []


MALFORMED_HTTP = [
    pytest.param(rest(b"0\r\n\r\n", Content_Length="4", Transfer_Encoding="chunked"), id="cl-te"),
    pytest.param(rest(b"<e/>", Transfer_Encoding="xchunked"), id="te-unknown"),
    pytest.param(rest(b"<e/>", Content_Length="4\r\nContent-Length: 5"), id="two-lengths"),
    pytest.param(rest(b"<e/>", Content_Length="+4"), id="signed-length"),
    pytest.param(rest(b"<e/>", Content_Length="4, 4"), id="list-length"),
    pytest.param(rest(b"-5\r\nabc", Transfer_Encoding="chunked"), id="negative-chunk"),
    pytest.param(rest(b"zz\r\nabc", Transfer_Encoding="chunked"), id="no-chunk-size"),
    pytest.param(rest(b"<e/>", X_Nul="a\x00b"), id="nul-in-header"),
    pytest.param(rest(b"<e/>").replace(b"Host: x", b"Ho st: x"), id="space-in-name"),
    pytest.param(rest(b"<e/>").replace(b"Host: x", b"Host: x\r\n folded: y"), id="folded"),
    pytest.param(rest(b"<e/>").replace(b"Host: x", b"X_Under: y\r\nHost: x"), id="underscore"),
    pytest.param(rest(b"<e/>").replace(b"HTTP/1.1", b"HTTP/9.9"), id="http-9"),
    pytest.param(b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="long-line"),
    pytest.param(rest(b"<e/>").replace(b"Host: x", b"Host: x\r\n" + b"X-A: b\r\n" * 60 + b"X-End: 1"), id="many-headers"),
    pytest.param(rest(b"<e/>", X_Long="y" * 20_000), id="long-header"),
    pytest.param(b"\x16\x03\x01 not http\r\n\r\n", id="noise"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="http2-preface"),
]  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED_HTTP)
def test_malformed_http_is_refused_and_reaches_nobody(gateway, call, raw):
    status, _, _ = call(raw)
    assert status == 0 or 400 <= status < 500 or status in (501, 505)
    assert gateway.calls() == []


def test_two_requests_in_one_are_two_or_none(gateway, call):
    """A body that smuggles a second request is a body."""
    inner = rest(b"<smuggled/>")
    status, _, body = call(rest(inner))
    assert (status, body) == (200, receipt_for(inner))
    assert [raw for _, raw in gateway.calls()] == [inner]


def test_a_truncated_body_reaches_nobody(gateway, wire):
    caller = Caller(gateway, wire)
    caller.says(rest(b"<e>", Content_Length="100"))
    caller.socket.close()
    time.sleep(0.3)
    assert gateway.calls() == []


def test_an_endless_chunked_body_is_cut_off_at_the_limit(gateway, wire):
    caller = Caller(gateway, wire)
    caller.says(rest(b"", Transfer_Encoding="chunked"))
    sent = 0
    try:
        while sent < 60_000_000:
            caller.says(CHUNK)
            sent += 65_536
    except OSError:
        pass
    caller.socket.close()
    assert sent < 60_000_000
    assert gateway.calls() == []


SOAP_REFUSED = [
    pytest.param(soap("<x/>", "urn:future-soap"), 400, "VersionMismatch", "SOAP_VERSION", id="unknown-version"),
    pytest.param(soap(DELIVER + DELIVER), 400, "Client", "UNKNOWN_OPERATION", id="two-children"),
    pytest.param(soap(""), 400, "Client", "UNKNOWN_OPERATION", id="no-child"),
    pytest.param(soap(DELIVER, root="Envelop"), 400, "Client", "MALFORMED_XML", id="no-envelope"),
    pytest.param(soap(DELIVER + f"</s:Body><s:Body>{DELIVER}"), 400, "Client", "MALFORMED_XML", id="two-bodies"),
    pytest.param(soap(DELIVER + "</s:Body><x/><s:Body>"), 400, "Client", "MALFORMED_XML", id="after-body"),
    pytest.param(soap(DELIVER, header='<s:Header><h s:mustUnderstand="1"/></s:Header>'), 400, "MustUnderstand", "MUST_UNDERSTAND", id="must-understand-11"),
    pytest.param(soap(DELIVER, SOAP12, header='<s:Header><h s:mustUnderstand="true"/></s:Header>'), 400, "MustUnderstand", "MUST_UNDERSTAND", id="must-understand-12"),
    pytest.param(soap(f'<g:Erase xmlns:g="{GW}"/>'), 500, "Client", "UNKNOWN_OPERATION", id="unknown-operation-11"),
    pytest.param(soap(f'<g:Erase xmlns:g="{GW}"/>', SOAP12), 400, "Sender", "UNKNOWN_OPERATION", id="unknown-operation-12"),
    pytest.param(soap('<Deliver xmlns="urn:other"/>'), 500, "Client", "UNKNOWN_OPERATION", id="other-namespace"),
    pytest.param(soap(f'<g:Deliver xmlns:g="{GW}"/>'), 500, "Client", "SCHEMA_INVALID", id="no-argument"),
    pytest.param(soap(f'<g:Deliver xmlns:g="{GW}"><g:Envelope>%%%</g:Envelope></g:Deliver>', SOAP12), 400, "Sender", "SCHEMA_INVALID", id="no-base64"),
    pytest.param(soap(f'<g:Deliver xmlns:g="{GW}"><g:Envelope/></g:Deliver>', SOAP12), 400, "Sender", "SCHEMA_INVALID", id="empty-envelope"),
    pytest.param(soap(DELIVER.replace("<g:Envelope>", "<g:Envelope evil='1'>")), 500, "Client", "SCHEMA_INVALID", id="attribute"),
    pytest.param(soap(DELIVER.replace("PGUv", "PG<x/>Uv")), 500, "Client", "SCHEMA_INVALID", id="mixed"),
    pytest.param(soap("<!-- hidden -->" + DELIVER), 400, "Client", "UNSAFE_XML", id="comment"),
    pytest.param(soap("<?php evil?>" + DELIVER), 400, "Client", "UNSAFE_XML", id="instruction"),
    pytest.param(post("/soap", BOMB.encode() + b"<x>&b;</x>", "text/xml"), 400, "Client", "UNSAFE_XML", id="bomb-11"),
    pytest.param(post("/soap", BOMB.encode() + b"<x>&b;</x>", "application/soap+xml"), 400, "Sender", "UNSAFE_XML", id="bomb-12"),
    pytest.param(post("/soap", b"<" * 100_000, "text/xml"), 400, "Client", None, id="only-brackets"),
    pytest.param(post("/soap", b"<a>" * 100_000, "text/xml"), 400, "Client", None, id="deep"),
    pytest.param(post("/soap", b"", "text/xml"), 400, "Client", "BAD_REQUEST", id="empty"),
    pytest.param(post("/soap", b"x", "text/xml", Content_Length="99999999"), 413, "Client", "TOO_LARGE", id="too-large"),
    pytest.param(soap(f'<g:GetMessageStatus xmlns:g="{GW}"><g:MessageId>{"x" * 71}</g:MessageId></g:GetMessageStatus>'), 500, "Client", "SCHEMA_INVALID", id="long-id"),
    pytest.param(soap("".join(f'<a xmlns:n{i}="urn:{i}">' for i in range(70)) + "</a>" * 70), 400, "Client", "UNSAFE_XML", id="namespaces"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "status", "fault", "code"), SOAP_REFUSED)
def test_a_soap_call_that_is_not_one_of_ours_gets_a_fault(gateway, call, raw, status, fault, code):
    answered, headers, body = call(raw)
    assert answered == status
    assert headers["content-type"].startswith(("text/xml", "application/soap+xml"))
    said_fault, said_code = fault_of(body)
    assert said_fault == fault
    assert code in (None, said_code)
    assert gateway.calls() == gateway.calls("status") == []


def test_a_soap_address_asked_with_another_content_type_answers_with_a_problem(gateway, call):
    status, headers, body = call(post("/soap", b"{}", "application/json"))
    assert (status, headers["content-type"]) == (415, "application/problem+json")
    assert json.loads(body)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert gateway.calls() == []


@pytest.mark.parametrize("namespace", [SOAP11, SOAP12])
def test_a_header_that_need_not_be_understood_is_passed_over(gateway, call, namespace):
    header = (
        '<s:Header><trace xmlns="urn:t">1</trace><h xmlns="urn:h" s:mustUnderstand="0"/></s:Header>'
    )
    assert call(soap(DELIVER, namespace, header))[0] == 200
    assert [raw for _, raw in gateway.calls()] == [b"<e/>"]


@pytest.mark.parametrize("attribute", ["actor", "role"])
def test_a_header_for_somebody_else_is_passed_over(gateway, call, attribute):
    header = f'<s:Header><h s:mustUnderstand="1" s:{attribute}="urn:a-proxy"/></s:Header>'
    assert call(soap(DELIVER, header=header))[0] == 200


@pytest.mark.parametrize("namespace", [SOAP11, SOAP12])
def test_findings_stand_in_the_fault_in_three_languages(gateway, call, namespace):
    envelope = base64.b64encode(b"raise INVALID_DOCUMENT").decode()
    body = f'<g:Deliver xmlns:g="{GW}"><g:Envelope>{envelope}</g:Envelope></g:Deliver>'
    status, _, raw = call(soap(body, namespace))
    finding = etree.fromstring(raw).find(f".//{{{GW}}}Finding")
    assert status == (500 if namespace == SOAP11 else 400)
    assert finding.findtext(f"{{{GW}}}Rule") == "V12"
    assert finding.findtext(f"{{{GW}}}Box") == "9"
    messages = {each.get("language"): each.text for each in finding.findall(f"{{{GW}}}Message")}
    assert messages["en"] == "Too much & <more>"
    assert set(messages) == {"en", "fr", "ar"}


def test_findings_stand_in_the_problem_document_in_three_languages(gateway, call):
    status, _, raw = call(rest(b"raise INVALID_DOCUMENT"))
    problem = json.loads(raw)
    assert status == problem["status"] == 422
    assert problem["findings"][0]["rule"] == "V12"
    assert set(problem["findings"][0]["message"]) == {"en", "fr", "ar"}
    assert problem["type"] == "urn:comesa:eco:data:draft:Problem:1:INVALID_DOCUMENT"


def test_the_fault_detail_follows_the_contract(gateway, call):
    from gateway.transport.soap_contract import require_contract

    for code in (b"raise INVALID_DOCUMENT", b"crash", b"raise BUSY"):
        envelope = base64.b64encode(code).decode()
        raw = call(
            soap(f'<g:Deliver xmlns:g="{GW}"><g:Envelope>{envelope}</g:Envelope></g:Deliver>')
        )[2]
        require_contract(etree.fromstring(raw).find(f".//{{{GW}}}GatewayFault"))


def test_an_internal_failure_is_answered_with_an_id_only(gateway, call):
    status, _, raw = call(rest(b"crash"))
    problem = json.loads(raw)
    assert (status, problem["code"], problem["retryable"]) == (500, "INTERNAL", True)
    assert problem["instance"].startswith("urn:uuid:")
    assert b"payload-of-a-trader" not in raw
    assert b"Runtime" not in raw


def test_a_method_that_is_not_allowed_is_told_the_allowed_ones(call):
    assert "post" in call(b"GET /rest/v1/messages HTTP/1.1\r\nHost: x\r\n\r\n")[1]["allow"]


def test_a_busy_gateway_answers_with_retry_after_on_both_channels(call):
    assert call(rest(b"raise BUSY"))[1]["retry-after"] == "30"
    envelope = base64.b64encode(b"raise BUSY").decode()
    body = f'<g:Deliver xmlns:g="{GW}"><g:Envelope>{envelope}</g:Envelope></g:Deliver>'
    status, headers, _ = call(soap(body, SOAP12))
    assert (status, headers["retry-after"]) == (503, "30")


def test_the_process_says_that_it_lives_without_asking_the_desk(gateway, call):
    status, headers, body = call(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, json.loads(body)) == (200, {"status": "live"})
    assert headers["x-content-type-options"] == "nosniff"


def test_the_wsdl_names_the_address_that_was_asked(gateway, call):
    status, headers, body = call(b"GET /soap?WSDL HTTP/1.1\r\nHost: ke.example:8443\r\n\r\n")
    assert (status, headers["content-type"]) == (200, "text/xml; charset=utf-8")
    addresses = [each.get("location") for each in etree.fromstring(body).iter("{*}address")]
    assert addresses == ["https://ke.example:8443/soap"] * 2


def test_the_wsdl_names_the_public_address_where_one_is_set():
    from gateway.web.peer import PeerAppSettings, create_peer_app
    from tests.wire.stand_in_gateway import StandInDesk

    settings = PeerAppSettings(public_url='https://eco.ke.example/gate?a=1&b="<2')
    client = create_peer_app(StandInDesk(None), settings).test_client()
    root = etree.fromstring(client.get("/soap?wsdl").data)
    address = next(root.iter("{*}address")).get("location")
    assert address == 'https://eco.ke.example/gate?a=1&b="<2/soap'


def test_a_forged_client_certificate_header_is_ignored(gateway, call, wire):
    assert call(rest(b"<e/>", X_Client_Cert="forged", X_SSL_Client_Verify="SUCCESS"))[0] == 200
    assert gateway.calls()[0][0] == wire.client.fingerprint
