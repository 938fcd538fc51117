"""Many peers, some of them dead: who waits for whom, from a cold start.

A gateway with 200 peers has messages queued for all of them.  A worker process is started; the
time counts until every healthy peer has everything.  The dead ones refuse the connection, or
take it and never say a word.
"""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509

from bench.archive import register_peers
from bench.archive_rows import fill_backlog, now
from bench.crowd import envelope_of
from bench.gateways import RECEIVER, SENDER, Database, Side, gateways
from bench.harness import Batch, Work, measure
from bench.material import Shared, disk_folder, postgres_database
from gateway.app import open_gateway
from gateway.documents import DocumentType
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.store import CredentialUse, NewDispatch, PeerChannel, Store, outbox

PEERS = "many peers, some of them dead"
COUNT, DEAD, EACH = 200, 20, 2
BACKLOGS = (3, 6)
CONTEXTS = "TLS context of a peer"
FIRST_SECONDS, STEADY = "first_delivery_seconds", "steady_microseconds"
PEAK, CONTEXT_BYTES = "peak_bytes", "context_bytes"
_CLAIMED = 1


class Death(StrEnum):
    """Names the ways in which a peer is dead."""

    REFUSES = "refusing"
    BLACK_HOLE = "silent"


def healthy_beside(dead: int, death: Death) -> str:
    """Return the name of the measure of deliveries to healthy peers beside dead ones."""
    if not dead:
        return f"delivery, {COUNT - DEAD} peers, none dead"
    return f"delivery, {COUNT - DEAD} peers beside {dead} dead ones, {death}"


def pick_beside(database: Database, exponent: int) -> str:
    """Return the name of the measure of claiming beside a backlog of dead peers."""
    return f"pick and claim one beside 10^{exponent} rows of dead peers, {database}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Is a gateway with its crowd, from which homes with queued messages are copied."""

    sender: Side
    receiver: Side
    folder: Path
    port: int
    holes: dict[Death, int]

    def home(self, dead: int, death: Death) -> Path:
        """Return a home whose last peers are healthy and whose first ``dead`` are dead."""
        home = self.folder / f"{death}-{dead}"
        shutil.copytree(self.sender.home, home)
        side = replace(self.sender, home=home, gateway=open_gateway(home))
        ports = [self.holes[death]] * dead + [self.port] * (COUNT - dead)
        keys = register_crowd(side, self.receiver, ports)
        queue_messages(side.gateway.store, [*keys[:dead], *keys[DEAD:]], EACH)
        side.gateway.close()
        return home

    def first_healthy(self, home: Path) -> int:
        """Return the key of the first healthy peer; those before it are dead or have nothing."""
        gateway = open_gateway(home)
        with gateway.store.read() as conn:
            found = {peer_id for peer_id, _ in outbox.backlog(conn)}
        gateway.close()
        return sorted(found)[-(COUNT - DEAD)]


def register_crowd(side: Side, receiver: Side, ports: Sequence[int]) -> list[int]:
    """Register a peer at each of these ports and return their keys.

    All of them sign as ``receiver`` does, so that one process can answer for them.
    """
    gateway = side.gateway
    with gateway.store.begin() as conn:
        return [
            register_peer(
                conn,
                _card(receiver, number, port),
                PeerTerms(channel=PeerChannel.REST),
                own=gateway.desk.identity.identifier,
                at=now(),
                actor="user:bench",
            ).id
            for number, port in enumerate(ports, start=1)
        ]


def queue_messages(store: Store, peer_ids: Sequence[int], each: int, first: int = 0) -> None:
    """Queue messages for peers in one transaction, numbered from ``first`` on."""
    numbers = itertools.count(first)
    with store.begin() as conn:
        for peer_id in peer_ids:
            for _ in range(each):
                outbox.enqueue(conn, _message(peer_id, next(numbers)))


def _card(receiver: Side, number: int, port: int) -> PeerCard:
    settings = receiver.gateway.settings
    tls = settings.resolve(settings.tls.certificate).read_bytes()
    plain = own_card(
        receiver.gateway.desk,
        public_url=f"https://localhost:{port}/KE-{number:04}",
        tls=x509.load_pem_x509_certificates(tls),
    )
    shown = tuple(one for one in plain.credentials if one.use.value != CredentialUse.TLS.value)
    return plain.model_copy(update={"identifier": f"KE-{number:04}", "credentials": shown})


@contextmanager
def _scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        sides = stack.enter_context(gateways(Database.SQLITE, (SENDER, RECEIVER)))
        folder = stack.enter_context(disk_folder())
        hole, closed = socket.create_server(("127.0.0.1", 0), backlog=1_000), socket.socket()
        stack.callback(hole.close)
        closed.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        stack.callback(closed.close)
        port = stack.enter_context(crowd(sides[RECEIVER]))
        yield Scene(
            sender=sides[SENDER],
            receiver=sides[RECEIVER],
            folder=folder,
            port=port,
            holes={
                Death.REFUSES: closed.getsockname()[1],
                Death.BLACK_HOLE: hole.getsockname()[1],
            },
        )


SCENE = Shared(_scene)


@contextmanager
def crowd(receiver: Side) -> Iterator[int]:
    """Yield the port where a process answers for any number of peers, signing as ``receiver``."""
    settings = receiver.gateway.settings
    cert, key = settings.resolve(settings.tls.certificate), settings.resolve(settings.tls.key)
    anchor = receiver.home / "run" / "client-ca.pem"
    options = [f"--home={receiver.home}", f"--cert={cert}", f"--key={key}", f"--anchor={anchor}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.crowd", *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _message(peer_id: int, number: int) -> NewDispatch:
    message_id = f"urn:uuid:{number:08}"
    return NewDispatch(
        message_id=message_id,
        peer_id=peer_id,
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_number=f"ZM-CROWD-{number:08}",
        conversation_id=message_id,
        envelope=envelope_of(message_id),
        payload=b"<document/>",
        created_at=now() - timedelta(seconds=1),
    )


def _worker(home: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.lanes_program", f"--home={home}", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the worker failed: {done.stderr[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _delivering(dead: int, death: Death) -> Iterator[Work]:
    with SCENE() as scene, disk_folder() as folder:
        template, numbers = scene.home(dead, death), itertools.count(1)
        first = scene.first_healthy(template)

        def deliver() -> Batch:
            home = folder / str(next(numbers))
            shutil.copytree(template, home)
            try:
                seen = _worker(home, f"--first={first}")
            finally:
                shutil.rmtree(home)
            return _batch(seen)

        yield deliver


def _batch(seen: dict[str, float]) -> Batch:
    whole = seen["whole"] * 1e6 / seen["messages"]
    steady = (seen["whole"] - seen["half"]) * 1e6 / max(1, seen["half_left"])
    facts = {FIRST_SECONDS: seen["first"], STEADY: steady, PEAK: seen["peak_bytes"]}
    return Batch(whole, [whole], facts)


@measure(CONTEXTS, group=PEERS, least=1, is_warm=True)
def _contexts() -> Iterator[Work]:
    with SCENE() as scene:
        home = scene.home(1, Death.REFUSES)

        def hold() -> Batch:
            seen = _worker(home)
            each = seen["seconds"] * 1e6
            return Batch(each, [each], {CONTEXT_BYTES: seen["bytes"]})

        yield hold


@contextmanager
def _waiting(database: Database, exponent: int) -> Iterator[Store]:
    """Yield books where dead peers' messages wait and every live peer has one."""
    with ExitStack() as stack:
        url = f"sqlite:///{stack.enter_context(disk_folder())}/waiting.db"
        if database is Database.POSTGRESQL:
            url = stack.enter_context(postgres_database(f"eco_bench_waiting_{exponent}"))
        store = Store.open(url)
        stack.callback(store.close)
        store.migrate()
        register_peers(store, COUNT)
        with store.begin() as conn:
            for peer_id in range(DEAD + 1, COUNT + 1):
                outbox.enqueue(conn, _message(peer_id, peer_id))
        fill_backlog(url, 10**exponent, first_peer=1, peers=DEAD, now=now())
        yield store


class _TakenBackError(Exception):
    """Rolls a transaction back."""


def _picking(database: Database, exponent: int) -> Iterator[Work]:
    with _waiting(database, exponent) as store:

        def pick() -> None:
            with suppress(_TakenBackError), store.begin() as conn:
                found: Sequence[object] = outbox.claim_due(
                    conn, "bench", now(), lease_seconds=60, limit=_CLAIMED
                )
                if len(found) != _CLAIMED:
                    raise RuntimeError(f"{len(found)} messages were claimed")
                raise _TakenBackError

        yield pick


def _register_delivery(dead: int, death: Death) -> None:
    registering = measure(healthy_beside(dead, death), group=PEERS, least=1, is_warm=True)
    registering(lambda: _delivering(dead, death))


def _register_picking(database: Database, exponent: int) -> None:
    registering = measure(pick_beside(database, exponent), group=PEERS)
    registering(lambda: _picking(database, exponent))


_register_delivery(0, Death.REFUSES)
for _dead, _death in itertools.product((2, DEAD), Death):
    _register_delivery(_dead, _death)
for _database, _exponent in itertools.product(Database, BACKLOGS):
    _register_picking(_database, _exponent)
