"""Many healthy peers in one process: each answers an envelope with a receipt signed by a gateway.

Started by ``peers`` as ``python -m bench.crowd``; prints its port and serves until it is ended.
What arrives is not examined and not stored, so that the worker that sends is what is measured;
the receipts are real ones, because the worker verifies them.
"""

from __future__ import annotations

import argparse
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.answerer import context
from bench.quiet import quiet
from gateway.app import open_gateway
from gateway.documents import DocumentType, Verdict
from gateway.envelope import Header
from gateway.exchange.context import Desk
from gateway.exchange.receipts import ReceivedMessage, make_receipt, sha256_of

SENDER_IDENTIFIER, SENDER_COUNTRY = "ZM-SW", "ZM"


def envelope_of(message_id: str) -> bytes:
    """Return bytes of the size of an envelope that name their message, as the crowd reads them."""
    return f"<crowd>{message_id}</crowd>".encode() + b" " * 20_000


def message_id_of(envelope: bytes) -> str:
    """Return the message id that ``envelope_of`` wrote."""
    return envelope.removeprefix(b"<crowd>").partition(b"<")[0].decode()


class Crowd:
    """Signs receipts in the name of whichever peer was called."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._as = cache(self._desk_of)

    def receipt(self, identifier: str, envelope: bytes) -> bytes:
        """Return the receipt of one peer."""
        now = datetime.now(UTC)
        header = Header(
            message_id=message_id_of(envelope),
            sender=SENDER_IDENTIFIER,
            sender_country=SENDER_COUNTRY,
            receiver=identifier,
            receiver_country=self._desk.identity.country,
            document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
            document_version="1.0",
            created_at=now,
            conversation_id=message_id_of(envelope),
            test=self._desk.identity.test,
        )
        message = ReceivedMessage(header=header, sha256=sha256_of(envelope), received_at=now)
        return make_receipt(self._as(identifier), message, verdict=Verdict.ACCEPTED)

    def _desk_of(self, identifier: str) -> Desk:
        return replace(self._desk, identity=replace(self._desk.identity, identifier=identifier))


def handler_of(crowd: Crowd) -> type[BaseHTTPRequestHandler]:
    """Return the handler of requests to ``/IDENTIFIER/rest/v1/messages``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            envelope = self.rfile.read(int(self.headers["Content-Length"]))
            receipt = crowd.receipt(self.path.split("/")[1], envelope)
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(receipt)))
            self.end_headers()
            self.wfile.write(receipt)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            del format, args

    return Handler


class Server(ThreadingHTTPServer):
    """Has room for 200 callers who knock at once."""

    request_queue_size = 512
    daemon_threads = True


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    for name in ("home", "cert", "key", "anchor"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    quiet()
    gateway = open_gateway(asked.home)
    with Server(("127.0.0.1", 0), handler_of(Crowd(gateway.desk))) as server:
        tls = context(ssl.PROTOCOL_TLS_SERVER, asked.cert, asked.key, asked.anchor)
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
