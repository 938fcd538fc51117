"""The server: slow callers are bounded, TLS files are reloaded, stops are graceful."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from gateway.errors import ConfigError, PeerFaultError, TlsError, UnreachableError
from gateway.transport import Channel
from gateway.web.serving import BoundedWorker, ServerContext, ServerSettings, ServerTls, serve
from tests.wire.stand_in_gateway import receipt_for

SECRET = "a-secret-between-proxy-and-gateway-0123456789"


def client_context(wire) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=wire.authority.ca)
    context.load_cert_chain(wire.client.cert, wire.client.key)
    return context


def test_callers_that_dawdle_do_not_keep_honest_ones_waiting(start, endpoint, transport, wire):
    """Sixteen slow callers against four threads (security.md finding 10)."""
    gateway = start(threads=4, head_seconds=1.0)
    context = client_context(wire)
    slow = []
    for number in range(16):
        connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        if number % 2:
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
            connection.sendall(b"POST /rest/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Le")
        else:
            connection.sendall(b"\x16\x03\x01")
        slow.append(connection)
    begun = time.monotonic()
    assert transport.send(endpoint(gateway.base), b"<e/>") == receipt_for(b"<e/>")
    assert time.monotonic() - begun < 8
    for connection in slow:
        connection.close()
    assert gateway.calls() == [(wire.client.fingerprint, b"<e/>")]


def test_a_body_that_drips_is_given_up(start, wire):
    gateway = start(request_seconds=0.8)
    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    with client_context(wire).wrap_socket(raw, server_hostname="127.0.0.1") as connection:
        connection.sendall(
            b"POST /rest/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
            b"Content-Length: 1000\r\n\r\n"
        )
        begun = time.monotonic()
        with pytest.raises(OSError):  # the first write after the cut may still pass
            while time.monotonic() - begun < 8:
                connection.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - begun < 5
    assert gateway.calls() == []


def test_plain_listeners_bound_slow_callers_too(start):
    gateway = start(tls=False, threads=1, head_seconds=0.6)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as slow:
        slow.sendall(b"GET /health/live HTTP/1.1\r\nHo")
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as honest:
            honest.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert honest.recv(4096).startswith(b"HTTP/1.1 200")


def test_renewed_files_serve_the_next_connection_and_bad_ones_change_nothing(
    start, endpoint, transport, wire, tmp_path
):
    cert, key, bundle = tmp_path / "s.pem", tmp_path / "s.key", tmp_path / "bundle.pem"
    shutil.copy(wire.server.cert, cert)
    shutil.copy(wire.server.key, key)
    shutil.copy(wire.authority.ca, bundle)
    gateway = start(cert=str(cert), key=str(key), client_ca=str(bundle))
    stranger = endpoint(
        gateway.base,
        client_cert=wire.stranger_client.cert,
        client_key=wire.stranger_client.key,
    )
    with pytest.raises(TlsError):
        transport.ping(stranger)

    bundle.write_bytes(wire.authority.ca.read_bytes() + wire.stranger.ca.read_bytes())
    assert transport.ping(stranger).country == "KE"

    bundle.write_text("no PEM at all")
    assert transport.ping(replace(stranger, read_timeout=9.0)).country == "KE"

    bundle.write_bytes(wire.authority.ca.read_bytes())
    with pytest.raises(TlsError):
        transport.ping(replace(stranger, read_timeout=8.0))


def test_the_context_is_built_once_until_a_file_changes(wire, tmp_path):
    cert = tmp_path / "s.pem"
    shutil.copy(wire.server.cert, cert)
    holder = ServerContext(ServerTls(cert=cert, key=wire.server.key, client_ca=None))
    first = holder.current()
    assert holder.current() is first
    shutil.copy(wire.server.cert, tmp_path / "new.pem")
    (tmp_path / "new.pem").rename(cert)
    assert holder.current() is not first


def test_every_tls_option_is_written_out(wire):
    tls = ServerTls(cert=wire.server.cert, key=wire.server.key, client_ca=wire.authority.ca)
    context = ServerContext(tls).current()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.num_tickets == 0
    assert context.options & ssl.OP_NO_TICKET
    assert context.options & ssl.OP_NO_RENEGOTIATION
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)
    assert not any("CBC" in name or name.endswith("-SHA") for name in names)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(gateway, wire, version):
    context = client_context(wire)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    with raw, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname="127.0.0.1").close()


def test_a_session_is_not_resumed_so_that_every_connection_proves_itself(gateway, wire):
    context = client_context(wire)
    sessions = []
    for _ in range(2):
        raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        session = sessions[-1] if sessions else None
        with context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as connection:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            assert not connection.session_reused
            sessions.append(connection.session)


def test_a_stop_lets_the_request_in_work_finish(start, endpoint, transport):
    gateway = start()
    peer = endpoint(gateway.base)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(transport.send, peer, b"slow 1.5")
        while not gateway.calls():
            time.sleep(0.02)
        gateway.process.send_signal(signal.SIGTERM)
        assert answer.result(timeout=10) == receipt_for(b"slow 1.5")
    assert gateway.process.wait(timeout=10) == 0
    with pytest.raises(UnreachableError):
        transport.send(peer, b"<e/>")


def test_two_signals_at_once_end_a_worker_whatever_its_loop_holds():
    """Ctrl-C reaches the worker from the terminal and, as SIGQUIT, from its parent."""
    worker = BoundedWorker.__new__(BoundedWorker)
    worker.tpool = ThreadPoolExecutor(max_workers=1)
    again = []

    def interrupted(_worker: BoundedWorker) -> None:
        again.append(worker.handle_quit(signal.SIGINT, None))

    worker.cfg = SimpleNamespace(worker_int=interrupted)
    held = worker.tpool._shutdown_lock  # as while the loop hands a request to a thread
    with held, pytest.raises(SystemExit):
        worker.handle_quit(signal.SIGQUIT, None)
    assert again == [None]
    assert not worker.alive
    worker.tpool.shutdown()


def test_sighup_replaces_the_workers_without_losing_a_request(start, endpoint, transport):
    gateway = start()
    peer = endpoint(gateway.base)
    stop = threading.Event()

    def keep_asking() -> int:
        count = 0
        while not stop.is_set():
            assert transport.ping(peer).country == "KE"
            count += 1
        return count

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(keep_asking)
        time.sleep(0.3)
        gateway.process.send_signal(signal.SIGHUP)
        time.sleep(2.0)
        stop.set()
        assert asked.result(timeout=10) > 10


def test_the_process_leaves_no_control_socket_and_reads_no_environment(
    start, endpoint, transport, monkeypatch, tmp_path
):
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 7 --bind 127.0.0.1:1")
    monkeypatch.setenv("WEB_CONCURRENCY", "7")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    monkeypatch.setenv("HOME", str(tmp_path))
    gateway = start()
    assert transport.ping(endpoint(gateway.base)).country == "KE"
    children = subprocess.run(
        ["ps", "--ppid", str(gateway.process.pid), "-o", "pid="],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(children.stdout.split()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_listener_without_client_ca_asks_for_no_client_certificate(start, endpoint, transport):
    gateway = start(client_ca=None)
    peer = endpoint(gateway.base, client_cert=None, client_key=None)
    assert transport.send(peer, b"<e/>") == receipt_for(b"<e/>")
    assert gateway.calls() == [("-", b"<e/>")]


def test_a_trusted_proxy_passes_the_client_certificate_on(start, wire):
    gateway = start(tls=False, proxy_secret=SECRET)
    pem = quote(wire.client.cert.read_text())
    request = (
        "POST /rest/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
        "Content-Length: 4\r\nConnection: close\r\n{}\r\n<e/>"
    )

    def answer(*headers: str) -> bytes:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(request.format("".join(f"{each}\r\n" for each in headers)).encode())
            return b"".join(iter(lambda: connection.recv(4096), b""))

    secret = f"X-Proxy-Secret: {SECRET}"
    for headers in (
        (),
        (f"X-Client-Cert: {pem}",),
        ("X-Proxy-Secret: guess", f"X-Client-Cert: {pem}"),
        (secret,),
        (secret, "X-Client-Cert: nonsense"),
        (secret, "X-Client-Cert: " + "A" * 16_300),
    ):
        assert b'"CLIENT_CERTIFICATE"' in answer(*headers)
    assert gateway.calls() == []
    assert b" 200 " in answer(secret, f"X-Client-Cert: {pem}")
    assert gateway.calls() == [(wire.client.fingerprint, b"<e/>")]


def test_a_proxy_secret_that_could_be_guessed_is_a_configuration_error():
    from gateway.web.peer import ProxyTrust

    with pytest.raises(ConfigError):
        ProxyTrust(secret="short")
    assert SECRET not in repr(ProxyTrust(secret=SECRET))


def test_tls_files_that_cannot_serve_are_a_configuration_error(wire, tmp_path):
    for tls in (
        ServerTls(cert=tmp_path / "absent.pem", key=wire.server.key, client_ca=None),
        ServerTls(cert=wire.server.cert, key=wire.client.key, client_ca=None),
        ServerTls(cert=wire.server.cert, key=wire.server.key, client_ca=tmp_path / "absent.pem"),
    ):
        with pytest.raises(ConfigError, match="TLS files"):
            serve(lambda: None, ServerSettings(host="127.0.0.1", port=0, tls=tls))


def test_a_smaller_limit_for_envelopes_holds_on_both_channels(start, endpoint, transport):
    gateway = start(max_envelope_bytes=1000)
    for channel in Channel:
        transport.send(endpoint(gateway.base, channel), b"x" * 1000)
    with pytest.raises(PeerFaultError) as caught:
        transport.send(endpoint(gateway.base), b"x" * 1001)
    assert caught.value.peer_code == "TOO_LARGE"
