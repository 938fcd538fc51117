"""What the client does when the line, the server or the caller's settings are bad."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from gateway.client import Limits, Problem, Retries
from gateway.client.api.access import MeAnswer
from gateway.client.credentials import ApiKey, ClientCredentials
from gateway.errors import (
    BadAnswerError,
    ConfigError,
    NotAuthenticatedError,
    TimedOutError,
    TlsError,
    UnreachableError,
)
from tests.factories import certificate
from tests.wire.odd_server import http, says
from tests.wire.tls_files import TestAuthority

ME = json.dumps(
    {
        "organisation": "ZM-NSW",
        "name": "Window",
        "kind": "SINGLE_WINDOW",
        "country": "ZM",
        "authority_code": None,
        "credential": "k",
        "scopes": [],
        "expires_at": "2027-01-01T00:00:00Z",
        "gateway": "ZM-SW",
        "test": True,
    }
).encode()
GOOD = http("200 OK", ME, "application/json")


def problem(status: int, code: str, **headers: str) -> bytes:
    said = {
        "type": f"urn:comesa:eco:data:draft:Problem:1:{code}",
        "title": "t",
        "status": status,
        "detail": "d",
        "code": code,
        "retryable": True,
        "remedy": "r.",
        "correlation_id": "c",
    }
    return http(f"{status} X", json.dumps(said).encode(), "application/problem+json", **headers)


def in_turn(*answers: bytes):
    """Answer each connection with the next of these; nothing cuts the line."""
    waiting = list(answers)
    return lambda connection: connection.sendall(waiting.pop(0) if waiting else b"")


def header(request: bytes, name: str) -> str | None:
    found = re.search(rf"^{name}: (.*)\r$", request.decode("latin-1"), re.M | re.I)
    return found[1] if found else None


# --- repeating ------------------------------------------------------------------------------------


def test_what_no_answer_came_to_is_asked_again_under_the_same_key_after_growing_pauses(odd, asks):
    server, slept = odd(in_turn(b"", b"", problem(409, "CONFLICT"))), []
    gateway = asks(server.base, sleep=slept.append, retries=Retries(times=3, first_pause=1))
    with pytest.raises(Problem) as caught:
        gateway.submit(certificate())
    assert caught.value.code == "CONFLICT"
    assert len(server.requests) == 3
    for name in ("Idempotency-Key", "X-Correlation-ID"):
        assert len({header(each, name) for each in server.requests} - {None}) == 1
    assert 0.5 <= slept[0] <= 1 <= slept[1] <= 2
    assert len({each.partition(b"\r\n\r\n")[2] for each in server.requests}) == 1


def test_a_file_is_sent_whole_and_from_where_it_stood_each_time(odd, asks, tmp_path):
    file = tmp_path / "lines.ndjson"
    file.write_bytes(b"skipped" + b"0123456789" * 20_000)
    server = odd(in_turn(b"", problem(409, "CONFLICT")))
    with file.open("rb") as body, pytest.raises(Problem):
        body.seek(7)
        asks(server.base).submit_certificate(body, media_type="text/csv")
    assert len(server.requests) == 2
    for request in server.requests:
        assert header(request, "Content-Length") == "200000"
        assert request.partition(b"\r\n\r\n")[2] == b"0123456789" * 20_000


def test_repeating_is_bounded(odd, asks):
    server = odd(says(b""))
    with pytest.raises(UnreachableError):
        asks(server.base, retries=Retries(times=2)).get_me()
    assert len(server.requests) == 3


def test_what_has_no_key_and_changes_something_is_asked_once(odd, asks):
    server = odd(says(b""))
    gateway = asks(server.base)
    with pytest.raises(UnreachableError):
        gateway._post(MeAnswer, "/webhooks", b"{}")
    assert len(server.requests) == 1


def test_an_answer_is_an_answer_and_is_not_asked_for_again(odd, asks):
    server = odd(says(problem(503, "BUSY", Retry_After="7")))
    with pytest.raises(Problem) as caught:
        asks(server.base).get_me()
    assert (caught.value.code, caught.value.retry_after) == ("BUSY", 7.0)
    assert caught.value.retryable
    assert len(server.requests) == 1


# --- answers that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        http("302 Found", Location="http://127.0.0.1:9/"),
        http("502 Bad Gateway", b"<html>proxy</html>", "text/html"),
        http("404 Not Found", b'{"code": "NOT_FOUND"}', "application/problem+json"),
        http("404 X", b"{", "application/problem+json"),
        problem(404, "NOT_FOUND").replace(b"404 X", b"403 X"),
        http("200 OK", b"[]", "application/json"),
        http("200 OK", b"<html>portal</html>", "text/html"),
    ],
)
def test_what_is_no_answer_of_a_gateway_is_said_to_be_none(odd, asks, raw):
    server = odd(says(raw))
    with pytest.raises(BadAnswerError):
        asks(server.base).get_me()
    assert len(server.requests) == 1


def test_an_answer_without_end_is_not_read_without_end(odd, asks):
    server = odd(says(http("200 OK", b" " * 5000, "application/json")))
    with pytest.raises(BadAnswerError):
        asks(server.base, limits=Limits(answer_bytes=4000)).get_me()


def test_an_answer_that_breaks_off_is_none(odd, asks):
    server = odd(says(GOOD[:-10]))
    with pytest.raises(UnreachableError):
        asks(server.base).get_me()


def test_a_server_that_drips_is_left_when_the_time_is_over(odd, asks):
    def drip(connection):
        connection.sendall(GOOD[: -len(ME)])
        for byte in ME:
            if server.stopping.wait(0.02):
                return
            connection.sendall(bytes([byte]))

    server = odd(drip)
    begun = time.monotonic()
    with pytest.raises(TimedOutError):
        asks(server.base, limits=Limits(total_seconds=0.2)).get_me()
    assert time.monotonic() - begun < 2


def test_a_server_that_says_nothing_is_left(odd, asks):
    server = odd(lambda _connection: server.stopping.wait(5))
    with pytest.raises(TimedOutError):
        asks(server.base, retries=Retries(times=0), limits=Limits(read_seconds=0.1)).get_me()


# --- whom it talks to -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://eco.example",
        "ftp://eco.example",
        "eco.example:8445",
        "https://user:secret@eco.example",
        "https://eco.example/other",
        "https://eco.example/api/v1?x=1",
        "",
    ],
)
def test_an_address_over_which_no_key_may_go_is_refused(asks, address):
    with pytest.raises(ConfigError):
        asks(address)


@pytest.mark.parametrize("key", ["", "eco key", "eco\nkey", "clé"])
def test_a_key_that_is_none_is_refused_before_it_is_sent(key):
    with pytest.raises(ConfigError) as caught:
        ApiKey(key)
    assert not key or key not in caught.value.detail


def test_nothing_of_the_environment_decides_where_a_key_goes(odd, asks, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = odd(says(GOOD))
    assert asks(f"{server.base}/api/v1/").get_me().gateway == "ZM-SW"
    assert header(server.requests[0], "Authorization") == "Bearer eco_k_s"
    assert header(server.requests[0], "Accept-Encoding") == "identity"


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    return TestAuthority(tmp_path, "ca")


def test_the_server_must_chain_to_the_anchors_that_were_named(odd, asks, authority, tmp_path):
    pair = authority.issue("server", "127.0.0.1")
    server = odd(says(GOOD), cert=pair.cert, key=pair.key)
    assert asks(server.base, ca_file=authority.ca).get_me().gateway == "ZM-SW"
    stranger = TestAuthority(tmp_path, "stranger")
    for options in ({"ca_file": stranger.ca}, {}):
        with pytest.raises(TlsError):
            asks(server.base, **options).get_me()
    named = server.base.replace("127.0.0.1", "localhost")
    with pytest.raises(TlsError):
        asks(named, ca_file=authority.ca).get_me()
    assert len(server.requests) == 1


def test_a_server_that_asks_who_calls_is_shown_the_client_certificate(odd, asks, authority):
    pair, ours = authority.issue("server", "127.0.0.1"), authority.issue("client")
    server = odd(says(GOOD), cert=pair.cert, key=pair.key)
    server._context.load_verify_locations(authority.ca)
    server._context.verify_mode = 2
    known = {"ca_file": authority.ca}
    with_one = asks(server.base, client_certificate=ours.cert, client_key=ours.key, **known)
    assert with_one.get_me().gateway == "ZM-SW"
    with pytest.raises((TlsError, UnreachableError)):
        asks(server.base, **known).get_me()


def test_files_that_cannot_be_used_are_named(asks, tmp_path):
    for options in (
        {"ca_file": tmp_path / "missing.pem"},
        {"client_certificate": tmp_path / "missing.pem"},
    ):
        with pytest.raises(ConfigError, match=r"missing\.pem"):
            asks("https://eco.example", **options)


# --- tokens ---------------------------------------------------------------------------------------


def provider(odd, authority, *answers: bytes):
    pair = authority.issue("provider", "127.0.0.1")
    return odd(in_turn(*answers), cert=pair.cert, key=pair.key)


def grant(token: str, seconds: object = 3600) -> bytes:
    said = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": seconds})
    return http("200 OK", said.encode(), "application/json")


def test_a_token_is_fetched_once_kept_while_it_holds_and_exchanged_when_refused(
    odd, asks, authority
):
    tokens = provider(odd, authority, grant("one"), grant("two"), grant("three"))
    refused = problem(401, "NOT_AUTHENTICATED")
    server = odd(in_turn(GOOD, GOOD, refused, GOOD, GOOD))
    now = [0.0]
    login = ClientCredentials(
        f"{tokens.base}/token",
        "zm:nsw",
        "s&cret",
        scope="eco",
        ca_file=authority.ca,
        clock=lambda: now[0],
    )
    gateway = asks(server.base, login)
    for _ in range(3):
        gateway.get_me()
    now[0] = 4000
    gateway.get_me()
    shown = [header(each, "Authorization") for each in server.requests]
    assert shown == [f"Bearer {each}" for each in ("one", "one", "one", "two", "three")]
    assert len(tokens.requests) == 3
    asked = tokens.requests[0]
    assert asked.endswith(b"grant_type=client_credentials&scope=eco")
    assert header(asked, "Authorization").startswith("Basic ")


def test_a_key_that_is_refused_is_not_shown_again(odd, asks):
    server = odd(says(problem(401, "NOT_AUTHENTICATED")))
    with pytest.raises(Problem):
        asks(server.base).get_me()
    with pytest.raises(Problem):
        asks(server.base, lambda: "a-token").get_me()
    shown = [header(each, "Authorization") for each in server.requests]
    assert shown == ["Bearer eco_k_s", "Bearer a-token"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("401 X", b"{}", "application/json"), NotAuthenticatedError),
        (http("200 OK", b"<html>", "text/html"), BadAnswerError),
        (http("200 OK", b'{"expires_in": 3}', "application/json"), BadAnswerError),
        (grant("t", "soon"), BadAnswerError),
        (b"", UnreachableError),
    ],
)
def test_a_provider_that_gives_no_token_is_said_to_give_none(odd, authority, answer, error):
    tokens = provider(odd, authority, answer)
    login = ClientCredentials(f"{tokens.base}/t", "id", "the-secret", ca_file=authority.ca)
    with pytest.raises(error) as caught:
        login.token()
    assert "the-secret" not in repr(caught.value)


def test_a_secret_goes_to_a_provider_over_https_only():
    with pytest.raises(ConfigError):
        ClientCredentials("http://idp.example/token", "id", "secret")
