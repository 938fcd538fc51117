"""The nginx configuration that ships really stands before two gateways: mutual TLS, deadlines."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, endpoint_book, server_settings, system_clock, worker_of
from gateway.config import load_settings
from gateway.demo.manifest import load_manifest
from gateway.demo.stage import Stage, build_stage
from gateway.errors import ConfigError, GatewayError
from gateway.exchange.delivery import deliver_due
from gateway.exchange.outbound import submit_document
from gateway.store import DeliveryState, inbox, outbox, peers
from gateway.transport import PeerTransport
from gateway.trust.demo_pki import make_demo_pki

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECRET = "a secret of the tests that has more than 32 characters"
MARK = "PUT-THE-SECRET-OF-32-OR-MORE-CHARACTERS-HERE"

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (.ci/tools)"),
    pytest.mark.xdist_group("nginx"),
]


@dataclass
class Front:
    """Is two running gateways, each behind nginx."""

    stage: Stage
    folder: Path
    plain_ports: dict[str, int]

    def port(self, country: str) -> int:
        url = self.stage.gateways[country].settings.listen.public_url
        return int(url.rsplit(":", 1)[1])

    def context(self, country: str, *, shown: bool = True, pki: Any = None) -> ssl.SSLContext:
        """Return how ``country`` calls the other one."""
        home = self.stage.home(country)
        context = ssl.create_default_context(cadata=(home / "run/client-ca.pem").read_text())
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.set_alpn_protocols(["http/1.1"])
        if pki is not None:
            key, cert = pki.credential_files(country, "tls")
            context.load_cert_chain(cert, key)
        elif shown:
            context.load_cert_chain(home / "keys/tls.cert.pem", home / "keys/tls.key.pem")
        return context

    def ask(self, method: str, path: str, **how: Any) -> http.client.HTTPResponse:
        """Return what Kenya's front answers to Zambia."""
        context = how.pop("context", None) or self.context("ZM")
        caller = http.client.HTTPSConnection(
            "localhost", self.port("KE"), context=context, timeout=20
        )
        caller.request(method, path, **how)
        answer = caller.getresponse()
        answer.said = answer.read()  # type: ignore[attr-defined]
        caller.close()
        return answer


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def put_behind_proxy(home: Path, port: int) -> None:
    """Change a home's settings as docs/operations/deployment.md says."""
    file = home / "gateway.toml"
    said = re.sub(r"^port = \d+$", f"port = {port}", file.read_text(), flags=re.M)
    file.write_text(said + '\n[proxy]\nsecret_env = "ECO_PROXY_SECRET"\n')


def site_files(front: Front, country: str) -> Path:
    """Write the shipped files for one gateway, with its own home, name, ports and secret."""
    name, home = country.lower(), front.stage.home(country)
    passed_on = front.folder / f"{name}-proxy.conf"
    passed_on.write_text(
        (DEPLOY / "zm-proxy.conf")
        .read_text()
        .replace(MARK, SECRET)
        .replace("eco_zm", f"eco_{name}")
    )
    said = (DEPLOY / "eco-gateway.conf").read_text()
    for shipped, own in (
        ("/etc/nginx/eco/zm-proxy.conf", str(passed_on)),
        ("/var/lib/eco/zm", str(home)),
        ("/var/log/nginx/eco-zm.log", str(front.folder / f"{name}.log")),
        ("127.0.0.1:9443", f"127.0.0.1:{front.plain_ports[country]}"),
        ("listen 8443", f"listen 127.0.0.1:{front.port(country)}"),
        ("server_name eco.example", "server_name localhost"),
        ("client_header_timeout   10s", "client_header_timeout   1s"),  # tests are impatient
        ("client_body_timeout     10s", "client_body_timeout     1s"),
        ("eco_zm", f"eco_{name}"),
    ):
        assert shipped in said, shipped
        said = said.replace(shipped, own)
    site = front.folder / f"{name}.conf"
    site.write_text(said)
    return site


def nginx_file(front: Front) -> Path:
    sites = "".join(f"include {site_files(front, country)};\n" for country in ("ZM", "KE"))
    temps = "".join(
        f"{kind}_temp_path {front.folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = front.folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {front.folder}/nginx.pid;\n"
        f"error_log {front.folder}/error.log info;\nevents {{ worker_connections 256; }}\n"
        f"http {{\naccess_log off;\n{temps}{sites}}}\n"
    )
    return main


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    stage = build_stage(folder / "stage")
    made = Front(stage, folder, dict(zip(("ZM", "KE"), free_ports(2), strict=True)))
    for country, port in made.plain_ports.items():
        put_behind_proxy(stage.home(country), port)
    environment = {**os.environ, "ECO_PROXY_SECRET": SECRET}
    commands = [
        [sys.executable, "-m", "gateway", "serve", "--home", str(stage.home(country))]
        for country in ("ZM", "KE")
    ]
    commands.append([str(NGINX), "-e", str(folder / "start.log"), "-c", str(nginx_file(made))])
    processes = []
    try:
        for command in commands:
            with (folder / f"{len(processes)}.out").open("wb") as log:
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        wait_until_ready(made, processes)
        yield made
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
        stage.close()


def wait_until_ready(front: Front, processes: list[subprocess.Popen[bytes]]) -> None:
    transport, end = PeerTransport(), time.monotonic() + 60
    waiting = dict(front.stage.gateways)
    while waiting:
        assert time.monotonic() < end, logs(front)
        assert all(process.poll() is None for process in processes), logs(front)
        for country, gateway in list(waiting.items()):
            with gateway.store.read() as conn:
                (peer,) = peers.every(conn)
            try:
                transport.ping(endpoint_book(gateway)(peer))
                del waiting[country]
            except GatewayError:
                time.sleep(0.2)
    transport.close()


def logs(front: Front) -> str:
    found = [*front.folder.glob("*.out"), *front.folder.glob("*.log")]
    return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in found)


def certificate_of_today() -> Any:
    """Return a consignment of the demonstration, whose dates follow the calendar."""
    (wanted,) = (each for each in load_manifest().consignments if each.id == "zm-ke-cotton-yarn")
    return wanted.reading(system_clock()).document


def deliver(gateway: Gateway) -> str:
    transport = PeerTransport()
    message_id = submit_document(gateway.desk, certificate_of_today()).message_id
    assert message_id is not None
    try:
        deliver_due(worker_of(gateway, transport, name="test"))
    finally:
        transport.close()
    return message_id


def test_a_certificate_crosses_two_fronts_and_its_receipt_comes_back(front: Front):
    zambia, kenya = front.stage.gateways["ZM"], front.stage.gateways["KE"]
    message_id = deliver(zambia)
    with zambia.store.read() as conn:
        sent = outbox.dispatch(conn, message_id)
    assert sent.state is DeliveryState.DELIVERED, (sent.code, sent.detail, logs(front))
    with kenya.store.read() as conn:
        (arrived,) = inbox.find_by_message(conn, message_id)
    assert arrived.envelope_sha256 == sent.envelope_sha256
    log = (front.folder / "ke.log").read_text()
    assert re.search(r"^\S+ 127\.0\.0\.1 [0-9a-f]{40} 200 ", log, flags=re.M)


def test_a_caller_without_a_certificate_reaches_nothing(front: Front):
    answer = front.ask("GET", "/rest/v1/ping", context=front.context("ZM", shown=False))
    assert (answer.status, b"No required SSL certificate" in answer.said) == (400, True)


def test_a_certificate_of_a_stranger_reaches_nothing(front: Front, tmp_path: Path):
    stranger = make_demo_pki(tmp_path, ["ZM"], now=system_clock())
    answer = front.ask("GET", "/rest/v1/ping", context=front.context("ZM", pki=stranger))
    assert (answer.status, b"certificate error" in answer.said) == (400, True)


def test_a_header_that_claims_another_certificate_is_overwritten(front: Front):
    claimed = {"X-Client-Cert": "forged", "X-Proxy-Secret": "forged", "X-Forwarded-For": "1.1.1.1"}
    assert front.ask("GET", "/rest/v1/ping", headers=claimed).status == 200


def test_the_plain_listener_believes_nobody_but_the_proxy(front: Front):
    caller = http.client.HTTPConnection("127.0.0.1", front.plain_ports["KE"], timeout=20)
    cert = (front.stage.home("ZM") / "keys/tls.cert.pem").read_text().replace("\n", "%0A")
    caller.request("GET", "/rest/v1/ping", headers={"X-Client-Cert": cert})
    assert caller.getresponse().status == 403
    caller.close()


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /rest/v1/messages HTTP/1.1\r\nHost: localhost\r\nX-Slow",
        (
            b"POST /rest/v1/messages HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/xml\r\nContent-Length: 5000\r\n\r\n<begun"
        ),
    ],
    ids=["head", "body"],
)
def test_a_slow_caller_is_cut_off(front: Front, begun: bytes):
    with (
        socket.create_connection(("localhost", front.port("KE")), timeout=20) as plain,
        front.context("ZM").wrap_socket(plain, server_hostname="localhost") as caller,
    ):
        started = time.monotonic()
        caller.sendall(begun)
        try:
            answered = caller.recv(4096)
        except OSError:
            answered = b""
        assert time.monotonic() - started < 8
        assert not answered or b" 408 " in answered.splitlines()[0]


def test_a_body_that_no_envelope_needs_is_refused_before_it_is_read(front: Front):
    answer = front.ask(
        "POST", "/rest/v1/messages", headers={"Content-Length": str(11 * 1024 * 1024)}
    )
    assert answer.status == 413


def test_no_other_address_is_passed_on(front: Front):
    for path in ("/", "/metrics", "/rest/v2/messages", "/soap/../metrics"):
        assert front.ask("GET", path).status in (400, 404)


def test_without_its_secret_the_listener_does_not_start(front: Front, monkeypatch):
    settings = load_settings(front.stage.home("ZM"))
    monkeypatch.delenv("ECO_PROXY_SECRET", raising=False)
    with pytest.raises(ConfigError, match="ECO_PROXY_SECRET"):
        server_settings(settings)
    monkeypatch.setenv("ECO_PROXY_SECRET", "short")
    with pytest.raises(ConfigError, match="32 characters"):
        server_settings(settings)
    monkeypatch.setenv("ECO_PROXY_SECRET", SECRET)
    assert server_settings(settings).tls is None
    open_to_all = settings.model_copy(
        update={"listen": settings.listen.model_copy(update={"host": "0.0.0.0"})}
    )
    with pytest.raises(ConfigError, match="listen"):
        server_settings(open_to_all)
