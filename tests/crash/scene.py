"""The scene: two gateways on real books, and a national system that only knows what it was told.

The national system writes down what it was told before it does the next thing.  Started again it
goes on from its notes: what it was not told, it asks again, with the same serial number or the
same reference.  ``play`` is therefore both the first run and every restart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from cryptography import x509

from gateway.documents import UtilisationStatus
from gateway.errors import GatewayError, PeerFaultError, TransportError
from gateway.exchange.delivery import Worker, deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import Submission, submit_document
from gateway.exchange.retry import RetryPolicy
from gateway.store import Store, bodies, outbox
from gateway.transport import Channel, PeerEndpoint
from gateway.trust import fingerprint_of
from gateway.trust.demo_pki import DemoPki
from tests.crash.steps import Steps, watch
from tests.exchange.corridor import Clock, Corridor, Side, Wire, decide, make_corridor, make_desk
from tests.factories import NOW, certificate

SERIAL = "ZM-20260309-000123"
LEASE_SECONDS = 60
MANY_ROUNDS = 400
COUNTRIES = ("ZM", "KE")
NOWHERE = PeerEndpoint(channel=Channel.SOAP, url="http://127.0.0.1:9/soap")
RETRY = RetryPolicy(
    first=timedelta(seconds=5), longest=timedelta(minutes=15), give_up_after=timedelta(hours=72)
)


@dataclass(frozen=True)
class Deed:
    """Is one thing that a national system does: ask ``side`` for ``ask``."""

    side: str
    name: str
    ask: Callable[[Side], Submission]


def submission(serial: str) -> Deed:
    """Zambia submits a certificate of 12000 kg."""
    return Deed(
        "ZM", serial, lambda side: submit_document(side.desk, certificate(serial_number=serial))
    )


def decision(serial: str, number: int, quantity: str) -> Deed:
    """Kenya writes some of it off."""
    reference = f"{serial}/{number}"

    def ask(side: Side) -> Submission:
        status = UtilisationStatus.PARTIAL
        return decide(side, status, quantity, serial_number=serial, reference=reference)

    return Deed("KE", reference, ask)


STORY = (submission(SERIAL), decision(SERIAL, 1, "4000"))
USED = {SERIAL: Decimal(4000)}


@dataclass
class Told:
    """Is the notebook of the national systems; it survives everything."""

    file: Path

    def note(self, name: str, message_id: str) -> None:
        line = json.dumps([name, message_id]).encode() + b"\n"
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def read(self) -> dict[str, str]:
        if not self.file.exists():
            return {}
        return dict(json.loads(line) for line in self.file.read_text().splitlines())


@dataclass
class WatchedWire(Wire):
    """Makes two moments steps: before the envelope is handed over, and after the answer."""

    steps: Steps = field(default_factory=Steps)
    side: str = ""

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        self.steps.step(f"{self.side}: before sending")
        try:
            answer = self.deliver(envelope)
        except TransportError:
            raise
        except GatewayError as exc:
            raise PeerFaultError(
                exc.detail, peer_code=exc.code, peer_retryable=exc.retryable
            ) from exc
        self.steps.step(f"{self.side}: after the answer")
        return self.bend(answer)


@dataclass
class Scene:
    """Is both gateways in one process, over books that may have a past."""

    sides: dict[str, Side]
    clock: Clock
    steps: Steps

    def side(self, country: str) -> Side:
        return self.sides[country]

    def set_up(self) -> None:
        """Put clock, wires and workers back to what they are before anything is bent."""
        self.clock.now = NOW
        self.steps.begin(0)
        for country, other in (COUNTRIES, reversed(COUNTRIES)):
            _join(self.sides[country], self.sides[other], self.steps)

    def close(self) -> None:
        """Close all connections; the stores open new ones when they are used again."""
        for side in self.sides.values():
            side.desk.store.close()


def open_scene(pki: DemoPki, urls: dict[str, str]) -> Scene:
    """Return two introduced gateways on existing books."""
    clock, steps = Clock(), Steps()
    sides = {}
    for country in COUNTRIES:
        store = Store.open(urls[country])
        watch(store, country, steps)
        tls = x509.load_pem_x509_certificate(pki.countries[country].tls.cert_path.read_bytes())
        sides[country] = Side(
            country=country,
            desk=make_desk(pki.countries[country], store, clock),
            pki=pki.countries[country],
            tls_fingerprint=fingerprint_of(tls),
        )
    scene = Scene(sides=sides, clock=clock, steps=steps)
    scene.set_up()
    return scene


def introduce(pki: DemoPki, urls: dict[str, str]) -> None:
    """Introduce the two gateways to each other on fresh books."""
    stores = iter([Store.open(urls[country]) for country in COUNTRIES])
    corridor: Corridor = make_corridor(pki, lambda: next(stores))
    corridor.close()


def play(scene: Scene, told: Told, story: tuple[Deed, ...] = STORY) -> None:
    """Do what the national systems were not told to be done, and let the workers work."""
    known = told.read()
    drain(scene)
    for deed in story:
        if deed.name not in known:
            answer = deed.ask(scene.side(deed.side))
            assert answer.message_id is not None
            told.note(deed.name, answer.message_id)
        drain(scene)


def drain(scene: Scene) -> None:
    """Let the workers of both sides work until nothing is open; time passes as it must."""
    for _ in range(MANY_ROUNDS):
        with scene.steps.unseen():
            busy = [side for side in scene.sides.values() if _open(side)]
        if not busy:
            return
        if not sum(side.work() for side in busy):
            scene.clock.pass_time(minutes=20)
    raise AssertionError("the queues do not drain")


def _open(side: Side) -> bool:
    with side.desk.store.read() as conn:
        return bool(outbox.backlog(conn))


def _join(side: Side, other: Side, steps: Steps) -> None:
    side.wire = WatchedWire(
        deliver=lambda raw: accept(other.desk, raw, tls_fingerprint=side.tls_fingerprint),
        steps=steps,
        side=side.country,
    )
    side.worker = worker_of(side)


def worker_of(side: Side, name: str = "") -> Worker:
    """Return a worker of ``side`` that sends over its wire."""
    return Worker(
        name=name or f"worker-{side.country}",
        desk=side.desk,
        transport=side.wire,
        endpoint_of=lambda _peer: NOWHERE,
        retry=RETRY,
        lease_seconds=LEASE_SECONDS,
        batch=10,
    )


def say_all_again(scene: Scene, told: Told, story: tuple[Deed, ...] = STORY) -> None:
    """Repeat every request and every envelope; each must be answered exactly as before."""
    known = told.read()
    for deed in story:
        answer = deed.ask(scene.side(deed.side))
        assert (answer.repeated, answer.message_id) == (True, known[deed.name]), deed.name
    for side in scene.sides.values():
        with side.desk.store.read() as conn:
            sent = [
                (outbox.receipt(conn, one.message_id), bodies.get(conn, one.envelope_sha256))
                for one in outbox.page(conn, limit=500)
            ]
        for receipt, envelope in sent:
            assert side.wire.send(NOWHERE, envelope) == receipt
    assert not any(deliver_due(side.worker) for side in scene.sides.values())
