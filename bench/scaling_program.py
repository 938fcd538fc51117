"""Whole exchanges in one process: submit, deliver, accept at the other side, check the receipt.

Started by ``scaling`` as ``python -m bench.scaling_program``; speaks as ``programs/loop.py`` does.
The wire is left out, so that nothing but the gateways and their databases is at work.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from bench.contestants.programs.loop import serve  # type: ignore[import-untyped]
from bench.material import Documents
from bench.quiet import quiet
from gateway.app import open_gateway, worker_of
from gateway.errors import UnreachableError
from gateway.exchange.context import Desk
from gateway.exchange.delivery import deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import submit_document
from gateway.transport import PeerEndpoint, PingAnswer, StatusAnswer

WORK = "exchange"


@dataclass(frozen=True)
class Across:
    """Is a transport without a wire: whichever receiver is meant accepts the envelope here."""

    receivers: dict[str, Desk]
    fingerprint: str

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the receipt of the receiver that listens at this address."""
        return accept(self.receivers[endpoint.url], envelope, tls_fingerprint=self.fingerprint)

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Refuse: nobody is there."""
        raise UnreachableError(endpoint.url)

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Refuse: nobody is there."""
        raise UnreachableError(f"{endpoint.url} {message_id}")


def main() -> None:
    """Offer whole exchanges with one country; deliver whatever is due to any."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sender", type=Path, required=True)
    parser.add_argument("--receiver", type=Path, action="append", required=True)
    parser.add_argument("--destination", required=True)
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--first", type=int, required=True)
    asked = parser.parse_args()
    quiet()
    receivers = [open_gateway(home) for home in asked.receiver]
    at = {f"{one.settings.listen.public_url}/soap": one.desk for one in receivers}
    sender = open_gateway(asked.sender)
    worker = worker_of(sender, Across(at, asked.fingerprint), name=f"bench-{asked.first}")
    documents = Documents(asked.first)

    def exchange() -> None:
        submit_document(worker.desk, documents.next(destination=asked.destination))
        deliver_due(worker)

    serve({WORK: exchange})
    for gateway in (*receivers, sender):
        gateway.close()


if __name__ == "__main__":
    main()
