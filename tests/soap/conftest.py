"""A border whose APIs also speak SOAP, and its Zambian side on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.api.conftest import (
    Border,
    border,
    files,
    sqlite_template,
    traded,
)
from tests.wire.test_foreign_clients import node_soap
from tests.wire.tls_files import TestAuthority

__all__ = ["border", "files", "node_soap", "sqlite_template", "traded"]


@dataclass(frozen=True)
class Served:
    """Zambia's national side over TLS on this machine."""

    url: str
    ca: Path
    border: Border


@pytest.fixture(scope="module")
def served(traded: Border, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    authority = TestAuthority(tmp_path_factory.mktemp("tls"), "national-ca")
    pair = authority.issue("api", "localhost", "127.0.0.1")
    server = make_server(
        "127.0.0.1", 0, traded.zm.app, threaded=True, ssl_context=(str(pair.cert), str(pair.key))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(f"https://localhost:{server.port}/soap/v1", authority.ca, traded)
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()
