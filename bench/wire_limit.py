"""The least that the wire can take: bare sockets and TLS between two processes, no HTTP."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.answerer import ANSWER, REQUEST, context, read
from bench.gateways import RECEIVER, SENDER, pki
from bench.harness import Work, measure

BARE_WIRE = "the wire, bare"
TLS_LIMIT = "TLS 1.3 request and answer, mutual, kept"


@measure(TLS_LIMIT, group=BARE_WIRE)
def _tls_answer() -> Iterator[Work]:
    with pki() as keys, _answerer(keys.countries[RECEIVER].directory) as port:
        own, anchor = keys.countries[SENDER].directory, keys.root_path
        tls = context(ssl.PROTOCOL_TLS_CLIENT, own / "tls.pem", own / "tls.key", anchor)
        plain = socket.create_connection(("127.0.0.1", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with tls.wrap_socket(plain, server_hostname="localhost") as connection:

            def ask() -> None:
                connection.sendall(REQUEST)
                if read(connection, len(ANSWER)) != len(ANSWER):
                    raise RuntimeError("the bare server has closed")

            yield ask


@contextmanager
def _answerer(folder: Path) -> Iterator[int]:
    files = {"cert": folder / "tls.pem", "key": folder / "tls.key"}
    files["anchor"] = folder.parent / "root.pem"
    options = [f"--{name}={path}" for name, path in files.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.answerer", *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
