"""One worker from a cold start until its healthy peers have all; prints what it saw as JSON.

Started by ``peers`` as ``python -m bench.lanes_program``, once for each time that is taken: what
hangs in a black hole ends with the process.  Times run from before the gateway is opened.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path

from bench.memory import peak_bytes, resident_bytes
from bench.quiet import quiet
from gateway.app import endpoint_book, open_gateway, worker_of
from gateway.exchange.lanes import Lanes
from gateway.store import DeliveryState, Store, outbox, peers
from gateway.transport import PeerTransport
from gateway.transport.tls import client_context

PATIENCE_SECONDS = 120.0
_GLANCE_SECONDS = 0.01


def delivered(store: Store) -> bool:
    """Return whether anything has been delivered."""
    with store.read() as conn:
        return bool(outbox.page(conn, state=DeliveryState.DELIVERED, limit=1))


def open_to_healthy(store: Store, first: int) -> int:
    """Return how many messages to peers from the key ``first`` on are not final."""
    with store.read() as conn:
        counts = outbox.backlog(conn)
    return sum(count for (peer_id, _), count in counts.items() if peer_id >= first)


def send_all(home: Path, first: int) -> dict[str, float]:
    """Return the seconds to the first, to half of and to all healthy deliveries."""
    begun = time.monotonic()
    gateway, transport = open_gateway(home), PeerTransport()
    own = gateway.settings.delivery
    worker = worker_of(gateway, transport, name="bench")
    lanes = Lanes(worker, own.lanes, own.poll_seconds)
    all_of_them = open_to_healthy(gateway.store, first)
    threading.Thread(target=lanes.run, args=(0.0,), daemon=True).start()
    seen: dict[str, float] = {}
    while (left := open_to_healthy(gateway.store, first)) or not seen:
        now = time.monotonic() - begun
        if now > PATIENCE_SECONDS:
            raise RuntimeError(f"{left} messages to healthy peers are left")
        if "first" not in seen and delivered(gateway.store):
            seen["first"] = time.monotonic() - begun
        if left <= all_of_them / 2:
            seen.setdefault("half", now)
            seen.setdefault("half_left", left)
        time.sleep(_GLANCE_SECONDS)
    lanes.stop()
    seen["whole"] = time.monotonic() - begun
    return {**seen, "messages": all_of_them, "peak_bytes": peak_bytes()}


def contexts(home: Path) -> dict[str, float]:
    """Return what a TLS context of a peer takes, in bytes and seconds."""
    gateway = open_gateway(home)
    with gateway.store.read() as conn:
        endpoints = [endpoint_book(gateway)(peer) for peer in peers.every(conn)]
    kept = [client_context(endpoints[0])]
    before, begun = resident_bytes(), time.monotonic()
    kept += [client_context(endpoint) for endpoint in endpoints]
    took, count = time.monotonic() - begun, len(endpoints)
    return {
        "seconds": took / count,
        "bytes": (resident_bytes() - before) / count,
        "peers": count,
    }


def main() -> None:
    """Do what is asked, say what was seen, and end with whatever still hangs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--first", type=int)
    asked = parser.parse_args()
    quiet()
    found = contexts(asked.home) if asked.first is None else send_all(asked.home, asked.first)
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
