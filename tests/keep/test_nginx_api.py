"""The nginx file that ships for the national side stands before its REST and SOAP."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from gateway.web.api import ApiSettings, create_api_app
from tests.api.conftest import sqlite_template, traded
from tests.api.counter import AUTHORITY, WIDE
from tests.keep.test_nginx import DEPLOY, NGINX, free_ports
from tests.soap.calls import SOAP_11, body, envelope, username_token
from tests.wire.tls_files import TestAuthority

__all__ = ["sqlite_template", "traded"]

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (.ci/tools)"),
    pytest.mark.xdist_group("nginx"),
]


@dataclass(frozen=True)
class Site:
    """The national side of Zambia behind nginx."""

    port: int
    ca: Path
    token: str
    folder: Path

    def ask(
        self, method: str, path: str, content: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        context = ssl.create_default_context(cafile=self.ca)
        caller = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            caller.request(method, path, content, named)
            answer = caller.getresponse()
            return answer.status, answer.read()
        finally:
            caller.close()


@pytest.fixture(scope="module")
def site(traded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    authority = TestAuthority(folder, "national-ca")
    pair = authority.issue("api", "localhost", "127.0.0.1")
    told = ApiSettings(behind_proxy=True, pressure=WIDE)
    app = create_api_app(traded.zm.counter, told)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (port,) = free_ports(1)
    found = Site(port, authority.ca, traded.zm.tokens[AUTHORITY], folder)
    main = nginx_file(found, plain=server.port, cert=pair.cert, key=pair.key)
    process = subprocess.Popen([str(NGINX), "-e", str(folder / "start.log"), "-c", str(main)])
    try:
        wait_until_ready(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(20)
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def nginx_file(site: Site, *, plain: int, cert: Path, key: Path) -> Path:
    said = (DEPLOY / "eco-api.conf").read_text(encoding="utf-8")
    for shipped, own in (
        ("/var/lib/eco/zm/keys/tls.cert.pem", str(cert)),
        ("/var/lib/eco/zm/keys/tls.key.pem", str(key)),
        ("/var/log/nginx/eco-zm-api.log", str(site.folder / "access.log")),
        ("127.0.0.1:9445", f"127.0.0.1:{plain}"),
        ("listen 8445", f"listen 127.0.0.1:{site.port}"),
        ("server_name sw.example", "server_name localhost"),
    ):
        assert shipped in said, shipped
        said = said.replace(shipped, own)
    (site.folder / "site.conf").write_text(said)
    temps = "".join(
        f"{kind}_temp_path {site.folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = site.folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {site.folder}/nginx.pid;\n"
        f"error_log {site.folder}/error.log info;\nevents {{ worker_connections 256; }}\n"
        f"http {{\naccess_log off;\n{temps}include {site.folder}/site.conf;\n}}\n"
    )
    return main


def wait_until_ready(site: Site, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            site.ask("GET", "/")
        except OSError:
            assert process.poll() is None, (site.folder / "start.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def test_rest_and_soap_are_passed_on_and_the_contract_names_the_address_outside(site):
    bearer = {"Authorization": f"Bearer {site.token}"}
    status, said = site.ask("GET", "/api/v1/me", **bearer)
    assert (status, b"ZM-ISSUING_AUTHORITY" in said) == (200, True)
    _, wsdl = site.ask("GET", "/soap/v1?wsdl")
    assert wsdl.count(f'"https://localhost:{site.port}/soap/v1"'.encode()) == 2
    header = username_token(site.token.split("_")[1], site.token)
    raw = envelope(SOAP_11, body("ListPeers"), header)
    status, said = site.ask("POST", "/soap/v1", raw, Content_Type="text/xml")
    assert (status, b"KE-SW" in said) == (200, True)


def test_nothing_else_is_passed_on_and_no_key_is_logged(site):
    for path in ("/", "/health/live", "/soap", "/soap/v1/x", "/soap/v2", "/api/v2/me", "/api/v1"):
        assert site.ask("GET", path, Authorization=f"Bearer {site.token}")[0] == 404
    logged = (site.folder / "access.log").read_text()
    assert "GET" in logged
    assert "eco_" not in logged
    assert "health" not in logged


def test_a_body_that_is_too_large_never_reaches_the_gateway(site):
    status, _ = site.ask("POST", "/soap/v1", b"", Content_Length=str(17_000_000))
    assert status == 413
