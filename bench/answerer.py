"""A bare TLS server: reads requests of one size, answers with another; the least a wire costs.

Started by ``wire_limit`` as ``python -m bench.answerer``; prints its port and serves one caller.
"""

from __future__ import annotations

import argparse
import socket
import ssl
from pathlib import Path

REQUEST = bytes(28_000)
ANSWER = bytes(7_300)


def context(purpose: int, cert: Path, key: Path, anchor: Path) -> ssl.SSLContext:
    """Return a TLS 1.3 context that shows a certificate and demands one."""
    made = ssl.SSLContext(purpose)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_cert_chain(cert, key)
    made.load_verify_locations(anchor)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def read(connection: ssl.SSLSocket, size: int) -> int:
    """Return how many of ``size`` bytes came before the other side closed."""
    left = size
    while left and (piece := connection.recv(min(left, 65_536))):
        left -= len(piece)
    return size - left


def main() -> None:
    """Answer one caller until it closes."""
    parser = argparse.ArgumentParser()
    for name in ("cert", "key", "anchor"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    tls = context(ssl.PROTOCOL_TLS_SERVER, asked.cert, asked.key, asked.anchor)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        plain, _ = listener.accept()
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tls.wrap_socket(plain, server_side=True) as connection:
        while read(connection, len(REQUEST)) == len(REQUEST):
            connection.sendall(ANSWER)


if __name__ == "__main__":
    main()
