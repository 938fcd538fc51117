"""A stage for lanes: one gateway with many peers, whose receipts cost nothing to make.

Receipts are not signed here: what is looked at is who waits for whom.  That only a verified
receipt counts is proved in tests/exchange and tests/crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.documents import Verdict
from gateway.exchange import delivery
from gateway.exchange.delivery import Worker
from gateway.exchange.lanes import Lanes
from gateway.exchange.retry import RetryPolicy
from gateway.store import DeliveryState, Peer, Store, outbox
from tests.store.helpers import add_peer, new_dispatch

Deed = Callable[[bytes], None]


def answer_at_once(_envelope: bytes) -> None:
    """Is a healthy peer."""


@dataclass
class Stage:
    """Is a gateway with peers that do what ``deeds`` says; notes who was sent what, and when.

    Attributes:
        deeds: what a peer does with an envelope, by its key; it answers at once else.
        log: (peer, envelope) of each attempt, in the order in which they began.
        most: most attempts that were under way at once, by peer.
    """

    store: Store
    deeds: dict[int, Deed] = field(default_factory=dict)
    log: list[tuple[int, bytes]] = field(default_factory=list)
    most: dict[int, int] = field(default_factory=dict)
    _inside: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def peers(self, count: int, start: int = 0) -> list[Peer]:
        return [add_peer(self.store, f"KE-{start + number:04}") for number in range(count)]

    def queue(self, peer: Peer, count: int = 1, **changes: Any) -> list[str]:
        now = datetime.now(UTC) - timedelta(seconds=1)
        with self.store.begin() as conn:
            return [
                outbox.enqueue(
                    conn, new_dispatch(peer.id, **{"created_at": now, **changes})
                ).message_id
                for _ in range(count)
            ]

    def lanes(self, name: str = "worker-1", **changes: Any) -> Lanes:
        lease = changes.pop("lease_seconds", 60)
        worker: Any = Worker(
            name=name,
            desk=SimpleNamespace(  # type: ignore[arg-type]
                store=self.store,
                clock=lambda: datetime.now(UTC),
                trust_cache=SimpleNamespace(of=lambda _conn, _peer: None),
            ),
            transport=SimpleNamespace(send=self._send),  # type: ignore[arg-type]
            endpoint_of=lambda peer: peer.id,  # type: ignore[arg-type, return-value]
            retry=RetryPolicy(
                first=timedelta(seconds=5),
                longest=timedelta(minutes=15),
                give_up_after=timedelta(hours=72),
            ),
            lease_seconds=lease,
            batch=50,
        )
        return Lanes(worker, **({"poll_seconds": 0.05, "patience_seconds": 0.1} | changes))

    def states(self, message_ids: list[str]) -> set[DeliveryState]:
        with self.store.read() as conn:
            found = [outbox.dispatch(conn, one) for one in message_ids]
        return {one.state for one in found if one is not None}

    def _send(self, peer_id: int, envelope: bytes) -> bytes:
        with self._lock:
            self.log.append((peer_id, envelope))
            self._inside[peer_id] = self._inside.get(peer_id, 0) + 1
            self.most[peer_id] = max(self.most.get(peer_id, 0), self._inside[peer_id])
        try:
            self.deeds.get(peer_id, answer_at_once)(envelope)
        finally:
            with self._lock:
                self._inside[peer_id] -= 1
        return b"<receipt/>"


def make_stage(store: Store, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a stage on ``store`` where every answer counts as a receipt that accepts."""
    accepted = SimpleNamespace(verdict=Verdict.ACCEPTED, code=None, findings=())
    monkeypatch.setattr(delivery, "check_receipt", lambda *_args, **_named: accepted)
    return Stage(store)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for ``condition``, which must come true."""
    over = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < over, "it never happened"
        time.sleep(0.01)


class Running:
    """Runs lanes in a thread until the block ends."""

    def __init__(self, *lanes: Lanes, grace_seconds: float = 5.0) -> None:
        self.left: list[int] = []
        self._lanes = lanes
        self._threads = [
            threading.Thread(target=lambda one=one: self.left.append(one.run(grace_seconds)))
            for one in lanes
        ]

    def __enter__(self) -> Running:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._lanes:
            one.stop()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
