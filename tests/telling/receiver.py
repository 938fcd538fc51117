"""A receiver of webhooks on this machine that behaves as a test wants it to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway.services.webhook_sending import Patience, Teller
from gateway.store import EventKind, events
from tests.api.counter import WINDOW, Front


@dataclass
class Call:
    """Is one request as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def id(self) -> int:
        return int(self.headers["webhook-id"])


@dataclass
class Receiver:
    """Is what came in, and how requests are answered; ``behave`` returns the status."""

    port: int = 0
    behave: Callable[[Call], int] = lambda _call: 204
    slow_seconds: float = 0.0
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    @property
    def ids(self) -> list[int]:
        return [call.id for call in self.calls]


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = Call({name.lower(): value for name, value in self.headers.items()}, body)
        receiver.calls.append(call)
        status = receiver.behave(call)
        time.sleep(receiver.slow_seconds)
        self.send_response(status)
        self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def receiving(address: str = "127.0.0.1", port: int = 0) -> Iterator[Receiver]:
    """Give a receiver that runs in threads of its own."""
    server = ThreadingHTTPServer((address, port), _Handler)
    server.receiver = Receiver(port=server.server_address[1])  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.receiver  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def teller(front: Front, **patience: Any) -> Teller:
    """Return what tells the webhooks of a front."""
    assert front.counter.hooks is not None
    return Teller(desk=front.desk, hooks=front.counter.hooks, patience=Patience(**patience))


def register(front: Front, url: str, who: Any = WINDOW, **form: Any) -> dict[str, Any]:
    """Register a webhook by the API and return the answer."""
    answer = front.post("/webhooks", {"url": url, "label": "tests", **form}, who)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def tell(front: Front, *subjects: str, kind: EventKind = EventKind.PEER_SILENT) -> None:
    """Append an event that everybody is told of, for each subject."""
    for subject in subjects:
        with front.desk.store.begin() as conn:
            events.append(
                conn,
                at=front.desk.clock(),
                kind=kind,
                subject=subject,
                data={"peer": subject},
                audience=events.EVERYBODY,
            )


# What docs/api.md shows to receivers; a test holds the two together.
# --8<-- snippet
def is_genuine(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Return whether a notice comes from the gateway and is not older than five minutes."""
    event_id, moment = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(now - int(moment)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = f"{event_id}.{moment}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    shown = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(wanted, each) for each in shown)


# --8<-- end
