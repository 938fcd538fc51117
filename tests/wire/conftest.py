"""Real sockets for the wire: TLS files, stand-in gateways as processes, endpoints to them."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.transport import Channel, PeerEndpoint, PeerTransport, SoapVersion
from tests.wire.tls_files import Pair, TestAuthority

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class WireFiles:
    """The TLS files of both sides."""

    authority: TestAuthority
    server: Pair
    client: Pair
    other_client: Pair
    stranger: TestAuthority
    stranger_client: Pair
    stranger_server: Pair
    expired_server: Pair
    elsewhere_server: Pair


@dataclass(frozen=True)
class Running:
    """A stand-in gateway in a process of its own."""

    process: subprocess.Popen[str]
    base: str
    port: int
    notes: Path

    def calls(self, kind: str = "accept") -> list[tuple[str, bytes]]:
        """What reached the desk: (TLS fingerprint, bytes)."""
        found = []
        for path in sorted(self.notes.glob(f"*.{kind}")):
            fingerprint, raw = path.read_bytes().split(b"\n", 1)
            found.append((fingerprint.decode(), raw))
        return found

    def forget(self) -> None:
        for path in self.notes.iterdir():
            path.unlink()


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> WireFiles:
    directory = tmp_path_factory.mktemp("tls")
    ours = TestAuthority(directory, "peer-ca")
    stranger = TestAuthority(directory, "stranger-ca")
    return WireFiles(
        authority=ours,
        server=ours.issue("server", "localhost", "127.0.0.1"),
        client=ours.issue("client"),
        other_client=ours.issue("other-client"),
        stranger=stranger,
        stranger_client=stranger.issue("stranger-client"),
        stranger_server=stranger.issue("stranger-server", "127.0.0.1"),
        expired_server=ours.issue("expired-server", "127.0.0.1", days=-1),
        elsewhere_server=ours.issue("elsewhere-server", "elsewhere.example"),
    )


@pytest.fixture(scope="session")
def start(
    wire: WireFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def launch(*, tls: bool = True, **given: Any) -> Running:
        notes = tmp_path_factory.mktemp("desk")
        given |= {"notes": str(notes)}
        if tls:
            files = {
                "cert": str(wire.server.cert),
                "key": str(wire.server.key),
                "client_ca": str(wire.authority.ca),
            }
            given = files | given
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.wire.stand_in_gateway", json.dumps(given)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        word, host, port = process.stdout.readline().split()
        assert word == "READY"
        scheme = "https" if tls else "http"
        found = Running(process, f"{scheme}://{host}:{port}", int(port), notes)
        running.append(found)
        return found

    yield launch
    for each in running:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
    for each in running:
        each.process.wait(timeout=15)
        each.process.stdout.close()


@pytest.fixture(scope="session")
def shared_gateway(start: Callable[..., Running]) -> Running:
    return start()


@pytest.fixture
def gateway(shared_gateway: Running) -> Running:
    """The gateway with mutual TLS, its desk's notes empty."""
    shared_gateway.forget()
    return shared_gateway


@pytest.fixture
def endpoint(wire: WireFiles) -> Callable[..., PeerEndpoint]:
    """Build the endpoint of a stand-in: ``endpoint(gateway.base, Channel.REST)``."""

    def build(base: str, channel: Channel = Channel.REST, **changes: Any) -> PeerEndpoint:
        path = "/soap" if channel is Channel.SOAP else "/rest/v1"
        values: dict[str, Any] = {
            "channel": channel,
            "url": base + path,
            "server_ca_pem": wire.authority.ca.read_bytes(),
            "client_cert": wire.client.cert,
            "client_key": wire.client.key,
            "connect_timeout": 5.0,
            "read_timeout": 10.0,
            "total_timeout": 20.0,
        }
        return PeerEndpoint(**(values | changes))

    return build


@pytest.fixture
def transport() -> Iterator[PeerTransport]:
    made = PeerTransport()
    yield made
    made.close()


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)


CHANNELS = [
    pytest.param({"channel": Channel.REST}, id="rest"),
    pytest.param({"channel": Channel.SOAP, "soap_version": SoapVersion.SOAP_11}, id="soap11"),
    pytest.param({"channel": Channel.SOAP, "soap_version": SoapVersion.SOAP_12}, id="soap12"),
]

counter = itertools.count()
