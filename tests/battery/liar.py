"""A peer's address that lies: it holds the peer's TLS key, or pretends to, and answers as it likes.

Each lie gets what it needs: the request, the genuine answer of the real gateway, and a pen that
signs receipts with whatever key it is given.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.app import Gateway
from gateway.documents import Verdict
from gateway.envelope import peek
from gateway.exchange.receipts import ReceivedMessage, make_receipt
from gateway.trust import Credential
from gateway.xml.parsing import parse
from tests.wire.odd_server import OddServer, read_request
from tests.wire.tls_files import Pair as TlsPair

_ENVELOPE = re.compile(rb"<(?:\w+:)?Envelope>([^<]+)</(?:\w+:)?Envelope>")
_RECEIPT = re.compile(rb"(<(?:\w+:)?Receipt>)([^<]+)(</(?:\w+:)?Receipt>)")
_CONTENT = re.compile(rb"(<eco:Content>)([^<]+)(</eco:Content>)")
_DIGEST = re.compile(rb"(<eco:Digest [^>]+>)([^<]+)(</eco:Digest>)")
_SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Face:
    """Is whose address lies, and how the gateway behind it is really reached.

    Attributes:
        gateway: the gateway that should answer.
        client: TLS context with the credential of who asks.
        replay: a genuine receipt for an earlier message.
    """

    gateway: Gateway
    tls: TlsPair
    client: ssl.SSLContext
    port: int
    replay: bytes


@dataclass(frozen=True)
class Asked:
    """Is one request that a lie answers."""

    face: Face
    connection: socket.socket
    request: bytes

    def say(self, raw: bytes) -> None:
        self.connection.sendall(raw)

    @property
    def envelope(self) -> bytes:
        """The envelope that was handed over, out of SOAP or REST."""
        body = self.request.partition(b"\r\n\r\n")[2]
        wrapped = _ENVELOPE.search(body)
        return base64.b64decode(wrapped[1]) if wrapped else body

    def genuine(self) -> bytes:
        """Return the whole answer of the real gateway, which has processed the message then."""
        head, _, body = self.request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")]
        asked = b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body
        plain = socket.create_connection(("127.0.0.1", self.face.port), 10)
        answer = b""
        with self.face.client.wrap_socket(plain, server_hostname="localhost") as wire:
            wire.sendall(asked)
            while piece := wire.recv(65_536):
                answer += piece
        return answer

    def receipt(
        self,
        signer: Credential | None = None,
        *,
        verdict: Verdict = Verdict.ACCEPTED,
        envelope: bytes | None = None,
        message_id: str | None = None,
    ) -> bytes:
        """Return a receipt made with the product's own pen, true but for what is given."""
        header = peek(parse(self.envelope))
        if message_id is not None:
            header = replace(header, message_id=message_id)
        desk = self.face.gateway.desk
        desk = desk if signer is None else replace(desk, gateway_credential=signer)
        message = ReceivedMessage(
            header=header,
            sha256=hashlib.sha256(envelope or self.envelope).hexdigest(),
            received_at=desk.clock(),
        )
        return make_receipt(desk, message, verdict=verdict)

    def say_receipt(self, receipt: bytes | Callable[[bytes], bytes]) -> None:
        """Let the real gateway process the message, then show another receipt than its own."""
        head, _, body = self.genuine().partition(b"\r\n\r\n")
        found = _RECEIPT.search(body)
        own = base64.b64decode(found[2]) if found else body
        shown = receipt(own) if callable(receipt) else receipt
        if found:
            shown = body.replace(found[2], base64.b64encode(shown))
        head = re.sub(rb"(?i)content-length: *\d+", b"Content-Length: %d" % len(shown), head)
        self.say(head + b"\r\n\r\n" + shown)


Lie = Callable[[Asked], None]


def unsigned(receipt: bytes) -> bytes:
    """Return a receipt without its signature."""
    bare = _SIGNATURE.sub(b"", receipt)
    assert bare != receipt
    return bare


def altered(receipt: bytes) -> bytes:
    """Return a receipt with another number; only the signature tells that it was changed."""
    payload = base64.b64decode(_CONTENT.search(receipt)[2])  # type: ignore[index]
    changed = payload.replace(b"ACK-", b"ACX-")
    assert changed != payload
    digest = base64.b64encode(hashlib.sha256(changed).digest())
    with_digest = _DIGEST.sub(rb"\g<1>" + digest + rb"\g<3>", receipt)
    return _CONTENT.sub(rb"\g<1>" + base64.b64encode(changed) + rb"\g<3>", with_digest)


def liar(face: Face, lie: Lie) -> OddServer:
    """Return a running server that answers each request at ``face`` with ``lie``."""

    def behave(connection: socket.socket) -> None:
        lie(Asked(face, connection, read_request(connection)))

    return OddServer(behave, cert=face.tls.cert, key=face.tls.key, read_request=False)
