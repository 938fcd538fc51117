"""A sender process: submits and delivers on command, and says when each message began and ended.

Started by ``trips`` as ``python -m bench.sender``.  Each line on standard input is one batch
(``Order``), each line on standard output its ``Account``; times are of the machine's monotonic
clock, which all processes share.  The end of a message is the moment at which the gateway logs
that the attempt, with its verified receipt, has been recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from bench.gateways import over
from bench.material import Documents
from gateway.app import open_gateway, worker_of
from gateway.exchange.delivery import Worker, deliver_due
from gateway.exchange.outbound import submit_document
from gateway.store import DeliveryState, outbox
from gateway.transport import Channel, PeerTransport

PATIENCE_SECONDS = 60.0
_GLANCE_SECONDS = 0.002
_ALARMS = ("error", "exception", "critical")


@dataclass(frozen=True, kw_only=True)
class Order:
    """Asks for a batch of messages to one country over one channel."""

    count: int
    channel: Channel
    destination: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """Says when messages began (submitted here) and ended (delivered here), in nanoseconds."""

    begun: dict[str, int]
    ended: dict[str, int]


class Watch:
    """Takes the time when the gateway logs that an attempt was recorded."""

    def __init__(self) -> None:
        self.ended: dict[str, int] = {}

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        """Note a delivery and drop the line.

        Raises:
            RuntimeError: a message was not delivered at once, or the gateway logs an error.
        """
        recorded = event.get("event") == "attempt recorded"
        if method in _ALARMS or (recorded and event["state"] != DeliveryState.DELIVERED):
            raise RuntimeError(f"not delivered: {dict(event)}")
        if recorded:
            self.ended[event["message_id"]] = time.monotonic_ns()
        raise structlog.DropEvent


def carry_out(order: Order, worker: Worker, documents: Documents, watch: Watch) -> Account:
    """Return the account of a batch: each submitted and what is due delivered, until all is."""
    ready = [documents.next(destination=order.destination) for _ in range(order.count)]
    begun: dict[str, int] = {}
    watch.ended.clear()
    for document in ready:
        start = time.monotonic_ns()
        submission = submit_document(worker.desk, document)
        begun[submission.message_id or ""] = start
        deliver_due(worker)
    _finish(worker, set(begun) - set(watch.ended))
    return Account(begun=begun, ended=dict(watch.ended))


def _finish(worker: Worker, left: set[str]) -> None:
    """Deliver what is due until the books say that nothing of ours is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(left)} messages were not delivered")
        if not deliver_due(worker):
            time.sleep(_GLANCE_SECONDS)
        with worker.desk.store.read() as conn:
            found = [outbox.dispatch(conn, message_id) for message_id in left]
        left -= {each.message_id for each in found if each and each.state.is_final}


def main() -> None:
    """Carry out orders until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--first", type=int, required=True)
    asked = parser.parse_args()
    watch = Watch()
    structlog.configure(processors=[watch])
    gateway, transport = open_gateway(asked.home), PeerTransport()
    worker = worker_of(gateway, transport, name=f"bench-{asked.first}")
    documents = Documents(asked.first)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        channel = Channel(order.channel)
        sending = replace(worker, endpoint_of=lambda peer: over(channel, worker.endpoint_of(peer)))  # noqa: B023
        print(json.dumps(asdict(carry_out(order, sending, documents, watch))), flush=True)
    transport.close()
    gateway.close()


if __name__ == "__main__":
    main()
