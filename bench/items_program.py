"""Certificates of many items through the pipelines, in a process whose memory is watched.

Started by ``items`` as ``python -m bench.items_program``; speaks as ``programs/loop.py`` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bench.contestants.programs.loop import serve  # type: ignore[import-untyped]
from bench.exchange import Maker
from bench.gateways import RECEIVER, SENDER, Database, Side, gateways
from bench.items import COUNTS, Way, work_of
from bench.material import Documents, certificate_of
from bench.memory import peak_bytes, reset_peak, resident_bytes
from bench.quiet import quiet
from gateway.documents import Verdict
from gateway.envelope import MAX_ENVELOPE_BYTES
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import submit_document
from gateway.store import inbox

MOST_ITEMS = 10_000
Timed = Callable[[], tuple[int, dict[str, float]]]


class Counted:
    """Runs pipelines and says what they took and how far memory rose above its idle state."""

    def __init__(self, sender: Side, receiver: Side) -> None:
        self._sender, self._receiver = _admitting(sender), _admitting(receiver)
        self._idle = 0

    def settle(self) -> None:
        """Take memory as it is now, after a small message each way, for idle."""
        for way in Way:
            self.work(way, 1)()
        self._idle = resident_bytes()

    def work(self, way: Way, items: int) -> Timed:
        """Return the timed work of one message of so many items."""
        plain, numbers = certificate_of(items), 1_000 * COUNTS.index(items)
        first = 1 + numbers * 10 + (500_000 if way is Way.INBOUND else 0)
        documents = Documents(first, plain=plain)
        if way is Way.OUTBOUND:
            desk = self._sender.gateway.desk
            return lambda: self._timed(submit_document, desk, documents.next())
        maker = Maker(self._sender, documents=documents)
        return lambda: self._timed(self._accepted, maker.next().envelope)

    def _accepted(self, envelope: bytes) -> None:
        desk = self._receiver.gateway.desk
        accept(desk, envelope, tls_fingerprint=self._sender.tls_fingerprint)

    def _timed(self, work: Callable[..., object], *given: object) -> tuple[int, dict[str, float]]:
        reset_peak()
        start = time.perf_counter_ns()
        work(*given)
        took = time.perf_counter_ns() - start
        return took, {"above_idle_bytes": max(0, peak_bytes() - self._idle)}

    def require_acceptance(self) -> None:
        """Stop where anything that arrived was refused."""
        with self._receiver.gateway.store.read() as conn:
            found = inbox.page(conn, limit=10)
        if any(one.verdict is not Verdict.ACCEPTED for one in found):
            raise RuntimeError("the receiver refused a certificate of many items")


def _admitting(side: Side) -> Side:
    """Return a side that admits as many items as the schema and an envelope do; COMESA has 500."""
    desk = side.gateway.desk
    wider = {
        name: agreement.model_copy(
            update={"limits": agreement.limits.model_copy(update={"maximum_items": MOST_ITEMS})}
        )
        for name, agreement in desk.agreements.items()
    }
    limits = replace(desk.limits, max_message_bytes=MAX_ENVELOPE_BYTES)
    wide = replace(desk, agreements=wider, limits=limits)
    return replace(side, gateway=replace(side.gateway, desk=wide))


def main() -> None:
    """Offer every way and count."""
    quiet()
    with gateways(Database.SQLITE, (SENDER, RECEIVER)) as sides:
        counted = Counted(sides[SENDER], sides[RECEIVER])
        counted.settle()
        works = {work_of(way, items): counted.work(way, items) for way in Way for items in COUNTS}
        serve(works)
        counted.require_acceptance()


if __name__ == "__main__":
    main()
