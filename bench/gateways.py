"""Real gateways for a run: keys, homes, databases, introductions, and listeners if asked for.

Made by the functions that an operator's commands call, like the demonstration's stage, but
with a choice of database.  Everything is thrown away at the end.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from bench.material import Shared, disk_folder, postgres_database
from gateway.app import Gateway, endpoint_book, open_gateway, system_clock, write_client_ca
from gateway.errors import GatewayError
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.homes import HomePlan, KeyName, make_home, place_credential
from gateway.store import Peer, PeerChannel, bodies, outbox, peers
from gateway.transport import Channel, PeerEndpoint, PeerTransport
from gateway.trust import fingerprint_of
from gateway.trust.demo_pki import DemoPki, make_demo_pki

SENDER, RECEIVER, OTHER_RECEIVER = "ZM", "KE", "MW"
COUNTRIES = (SENDER, RECEIVER, OTHER_RECEIVER)
READY_SECONDS = 40

_DATABASES = itertools.count(1)


class Database(StrEnum):
    """Names the kinds of database that the gateway runs on."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


@dataclass(frozen=True, kw_only=True)
class Side:
    """Is one gateway of a run."""

    country: str
    home: Path
    gateway: Gateway
    tls_fingerprint: str

    def peer(self, country: str) -> Peer:
        """Return the row of the peer in ``country``."""
        with self.gateway.store.read() as conn:
            return peers.by_country(conn, country)[0]

    def queued_envelope(self, message_id: str) -> bytes:
        """Return the envelope of a message in the outbox."""
        with self.gateway.store.read() as conn:
            queued = outbox.dispatch(conn, message_id)
            if queued is None:
                raise RuntimeError(f"{message_id} is not queued")
            return bodies.get(conn, queued.envelope_sha256)

    def endpoint(self, country: str, channel: Channel) -> PeerEndpoint:
        """Return how the peer in ``country`` is reached over ``channel``."""
        return over(channel, endpoint_book(self.gateway)(self.peer(country)))


def over(channel: Channel, endpoint: PeerEndpoint) -> PeerEndpoint:
    """Return the same peer's endpoint on ``channel``; peers are registered with SOAP here."""
    if channel is Channel.SOAP:
        return endpoint
    url = endpoint.url.removesuffix("/soap") + "/rest/v1"
    return replace(endpoint, channel=channel, url=url)


@contextmanager
def _pki() -> Iterator[DemoPki]:
    with disk_folder() as folder:
        yield make_demo_pki(folder, COUNTRIES, now=system_clock())


pki = Shared(_pki)
"""Gives the keys of every gateway of the run: RSA-2048 gateways, P-256 authorities."""


@contextmanager
def gateways(
    database: Database, countries: Sequence[str], *, delivery: str = ""
) -> Iterator[Mapping[str, Side]]:
    """Yield new gateways that know one another, each with an empty database.

    Args:
        delivery: text of their ``[delivery]`` section, where it is not the usual one.
    """
    with ExitStack() as stack:
        keys, folder = stack.enter_context(pki()), stack.enter_context(disk_folder())
        sides = {
            country: _side(stack, folder / country.lower(), country, database, keys, delivery)
            for country in countries
        }
        for side in sides.values():
            _introduce(side, [other for other in sides.values() if other is not side], keys)
        yield sides


@contextmanager
def listening(sides: Sequence[Side], *, caller: Side) -> Iterator[Sequence[int]]:
    """Serve peers at each of these gateways while this lasts; yield the keys of the processes."""
    processes = [_serve(side) for side in sides]
    try:
        for side, process in zip(sides, processes, strict=True):
            _await(side, process, caller)
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _side(
    stack: ExitStack, home: Path, country: str, database: Database, keys: DemoPki, delivery: str
) -> Side:
    url = "sqlite:///gateway.db"
    if database is Database.POSTGRESQL:
        url = stack.enter_context(postgres_database(f"eco_bench_{next(_DATABASES)}"))
    port = _free_port()
    plan = HomePlan(
        identifier=f"{country}-SW",
        name=f"{country} Single Window",
        country=country,
        public_url=f"https://localhost:{port}",
        port=port,
        store_url=url,
        sections=delivery,
    )
    make_home(home, plan)
    for name in plan.names:
        key, cert = keys.credential_files(country, name.value)
        place_credential(home, KeyName(name), key=key, certificate=cert)
    gateway = open_gateway(home)
    stack.callback(gateway.close)
    gateway.store.migrate()
    tls = _tls(gateway)
    return Side(country=country, home=home, gateway=gateway, tls_fingerprint=fingerprint_of(tls[0]))


def _introduce(side: Side, others: Sequence[Side], keys: DemoPki) -> None:
    gateway = side.gateway
    for other in others:
        card = own_card(
            other.gateway.desk,
            public_url=other.gateway.settings.listen.public_url,
            tls=_tls(other.gateway),
            crls=keys.crl_texts(other.country),
        )
        with gateway.store.begin() as conn:
            register_peer(
                conn,
                card,
                PeerTerms(channel=PeerChannel.SOAP),
                own=gateway.desk.identity.identifier,
                at=system_clock(),
                actor="user:bench",
            )
    write_client_ca(gateway.settings, gateway.store)


def _tls(gateway: Gateway) -> Sequence[x509.Certificate]:
    path = gateway.settings.resolve(gateway.settings.tls.certificate)
    return x509.load_pem_x509_certificates(path.read_bytes())


def _serve(side: Side) -> subprocess.Popen[bytes]:
    with (side.home / "serve.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--home", str(side.home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _await(side: Side, process: subprocess.Popen[bytes], caller: Side) -> None:
    """Return when the listener answers its peer."""
    deadline, transport = time.monotonic() + READY_SECONDS, PeerTransport()
    endpoint = caller.endpoint(side.country, Channel.REST)
    try:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                transport.ping(endpoint)
            except GatewayError:
                time.sleep(0.1)
            else:
                return
    finally:
        transport.close()
    log = (side.home / "serve.log").read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"the listener of {side.country} does not answer\n{log}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
