"""A server that answers oddly: TLS or plain, one behaviour per test, in threads of the test."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

Behaviour = Callable[[socket.socket], None]


class OddServer:
    """Listens on a free port and lets ``behaviour`` answer each connection once."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        cert: Path | None = None,
        key: Path | None = None,
        read_request: bool = True,
    ) -> None:
        self._behaviour = behaviour
        self._read_request = read_request
        self._context = None
        if cert is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(cert, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def base(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.stopping.set()
        # A connection of our own wakes the accepting thread.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        for thread in list(self._threads):
            thread.join(timeout=10)
        self._listener.close()

    def _listen(self) -> None:
        while not self.stopping.is_set():
            connection, _ = self._listener.accept()
            if self.stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            if self._read_request:
                self.requests.append(read_request(connection))
            self._behaviour(connection)
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                connection.close()


def read_request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65_536)
        if not piece:
            return raw
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Behaviour:
    """Answer with these bytes and close."""
    return lambda connection: connection.sendall(raw)


def http(
    status: str, body: bytes = b"", content_type: str = "application/xml", **headers: str
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
