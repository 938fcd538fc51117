"""Posting where somebody else wants: addresses are judged where they are connected."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network

import pytest

from gateway.errors import NameUnknownError, TimedOutError, TlsError, UnreachableError
from gateway.transport.guarded_post import Destination, is_allowed, post
from gateway.transport.resolving import MOST_AT_ONCE, resolved
from tests.telling.receiver import Receiver, receiving
from tests.telling.test_webhooks import leading_to


def to(port: int, host: str = "receiver.example", **changes) -> Destination:
    values = {"networks": (ip_network("127.0.0.2/32"),), "seconds": 1.0}
    return Destination(url=f"http://{host}:{port}/", **(values | changes))


@contextmanager
def two_receivers() -> Iterator[tuple[Receiver, Receiver]]:
    """Give one at an allowed address, and one inside, at a port that is free at both."""
    while True:
        with ExitStack() as both:
            meant = both.enter_context(receiving("127.0.0.2"))
            try:
                inside = both.enter_context(receiving("127.0.0.1", meant.port))
            except OSError:  # another process has it there
                continue
            yield meant, inside
            return


def answers(*addresses: str):
    """Return a name server that gives other addresses each time, and the list of its calls."""
    calls: list[str] = []

    def resolve(host: str, port: int, *_args: object, **_kwargs: object):
        address = addresses[min(len(calls), len(addresses) - 1)]
        calls.append(address)
        return leading_to(address, port)()

    return resolve, calls


def test_a_name_that_leads_elsewhere_the_second_time_leads_nowhere(monkeypatch):
    with two_receivers() as (meant, inside):
        resolve, calls = answers("127.0.0.2", "127.0.0.1")
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert post(to(meant.port), b"one", {}).status == 204
        assert calls == ["127.0.0.2"], "a name is resolved once for each attempt"
        with pytest.raises(UnreachableError, match="not public"):
            post(to(meant.port), b"two", {})
        assert [call.body for call in meant.calls] == [b"one"]
        assert inside.calls == []


def test_of_several_addresses_only_those_that_are_allowed_are_tried(monkeypatch):
    with two_receivers() as (meant, inside):
        both = [leading_to(a, meant.port)()[0] for a in ("127.0.0.1", "127.0.0.2")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
        assert post(to(meant.port), b"x", {}).status == 204
        assert (len(meant.calls), inside.calls) == (1, [])


def test_nothing_connects_to_an_address_before_it_was_judged(monkeypatch):
    tried = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, where: tried.append(where))
    monkeypatch.setattr(socket, "getaddrinfo", leading_to("169.254.169.254", 80))
    with pytest.raises(UnreachableError):
        post(to(80), b"x", {})
    assert tried == []


def test_another_port_than_those_allowed_is_not_reached():
    with receiving() as receiver, pytest.raises(UnreachableError, match="port"):
        post(to(receiver.port, "127.0.0.1", ports=frozenset({443})), b"x", {})
    assert receiver.calls == []


def test_a_name_without_address_and_a_receiver_without_tls_are_told_apart(monkeypatch):
    def talk(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"no TLS is spoken here\r\n")

    with serving(talk) as port:
        networks = (ip_network("127.0.0.0/8"),)
        url = f"https://127.0.0.2:{port}/"
        with pytest.raises(TlsError):
            post(Destination(url=url, networks=networks, seconds=2.0), b"x", {})

    def unknown(*_args: object, **_kwargs: object):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NameUnknownError):
        post(to(80), b"x", {})


def test_an_answer_that_drips_is_given_up_when_the_time_is_over():
    ended = threading.Event()

    def drip(sock: socket.socket) -> None:
        while not ended.wait(0.1):
            sock.sendall(b"H")

    with serving(drip) as port:
        with pytest.raises(TimedOutError):
            post(to(port, "127.0.0.2", seconds=0.3), b"x", {})
        ended.set()


def test_a_name_server_that_does_not_answer_is_given_up_in_time(monkeypatch):
    answered = threading.Event()

    def hang(*_args: object, **_kwargs: object):
        answered.wait(20)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begun = time.monotonic()
    with pytest.raises(TimedOutError, match="name servers"):
        post(to(80, seconds=0.2), b"x", {})
    assert time.monotonic() - begun < 5
    answered.set()


def test_names_that_hang_use_up_neither_threads_nor_the_end_of_the_process(monkeypatch):
    answered, hanging = threading.Event(), []

    def hang(*_args: object, **_kwargs: object):
        hanging.append(threading.current_thread())
        answered.wait(20)
        return leading_to("192.0.2.1", 80)()

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    for _ in range(MOST_AT_ONCE + 5):
        with pytest.raises(TimeoutError):
            resolved("receiver.example", 80, seconds=0.001)
    assert len(hanging) <= MOST_AT_ONCE
    assert all(each.daemon for each in hanging)
    answered.set()
    for each in hanging:
        each.join(10)
    assert resolved("receiver.example", 80, seconds=10)[0][4] == ("192.0.2.1", 80)


def test_all_addresses_together_have_no_longer_than_the_whole_attempt(monkeypatch):
    waited = []

    def time_out(sock: socket.socket, _where: object) -> None:
        waited.append(sock.gettimeout())
        time.sleep(sock.gettimeout())
        raise TimeoutError

    four = [leading_to("127.0.0.2", 80)()[0]] * 4
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: four)
    monkeypatch.setattr(socket.socket, "connect", time_out)
    begun = time.monotonic()
    with pytest.raises(TimedOutError):
        post(to(80, seconds=0.2), b"x", {})
    assert time.monotonic() - begun < 0.6
    assert len(waited) <= 3


@contextmanager
def serving(talk: Callable[[socket.socket], object]) -> Iterator[int]:
    """Give the port of a server that talks to one caller and hangs up."""

    def serve() -> None:
        sock, _ = server.accept()
        with sock, suppress(OSError):
            talk(sock)

    with socket.create_server(("127.0.0.2", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    "wrapped", ["64:ff9b::7f00:1", "::ffff:127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::"]
)
def test_an_address_inside_another_counts_as_what_it_is(wrapped: str):
    assert not is_allowed(wrapped, ())
