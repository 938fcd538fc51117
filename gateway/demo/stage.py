"""The stage of the demonstration: keys, two gateway homes, introductions, processes.

Everything here is what two operators would do by hand with ``eco``: make keys, make a home
each, exchange cards, start a listener and a worker each.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from gateway.app import Gateway, endpoint_book, open_gateway, system_clock, write_client_ca
from gateway.demo.cast import CAST, Actor
from gateway.errors import GatewayError, UnreachableError
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.homes import HomePlan, KeyName, make_home, place_credential
from gateway.store import PeerChannel, peers
from gateway.transport import PeerEndpoint, PeerTransport
from gateway.trust.demo_pki import DemoPki, make_demo_pki

READY_SECONDS = 40
_END_SECONDS = 30  # longer than a listener's own patience with requests in work
_SECTIONS = """
[delivery]
poll_seconds = 0.2
first_retry_seconds = 1.0
longest_retry_seconds = 5.0

[console]
port = {console}
second_factor = false  # a demonstration ends with its gateways; live consoles ask for one
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Holds the two gateways of the demonstration.

    Attributes:
        gateways: opened in this process on the same books as the running processes.
    """

    directory: Path
    pki: DemoPki
    gateways: dict[str, Gateway]

    def home(self, country: str) -> Path:
        """Return the home of the gateway of ``country``."""
        return home_of(self.directory, country)

    def close(self) -> None:
        """Close both gateways' books in this process."""
        for gateway in self.gateways.values():
            gateway.close()


def home_of(directory: Path, country: str) -> Path:
    """Return where the home of ``country`` lies under ``directory``."""
    return directory / f"gateway-{country.lower()}"


def build_stage(directory: Path, stores: Mapping[str, str] | None = None) -> Stage:
    """Make keys and homes under ``directory``, introduce the gateways, and return the stage.

    Args:
        stores: addresses of the databases by country, where not a SQLite file in the home.
    """
    pki = make_demo_pki(directory / "pki", [actor.country for actor in CAST], now=system_clock())
    ports = iter(_free_ports(2 * len(CAST)))
    for actor, port, console in zip(CAST, ports, ports, strict=False):
        url = (stores or {}).get(actor.country, HomePlan.store_url)
        _make_home(directory, pki, actor, port, _SECTIONS.format(console=console), url)
    gateways = {actor.country: open_gateway(home_of(directory, actor.country)) for actor in CAST}
    for gateway in gateways.values():
        gateway.store.migrate()
    cards = {country: _card(gateway, pki) for country, gateway in gateways.items()}
    for actor in CAST:
        _introduce(gateways[actor.country], actor, cards)
    return Stage(directory=directory, pki=pki, gateways=gateways)


@contextmanager
def running(stage: Stage) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """Run a listener and a worker of each gateway while the context lasts."""
    homes = [stage.home(country) for country in stage.gateways]
    with started((home, command) for home in homes for command in ("serve", "work")) as processes:
        _wait_until_ready(stage, processes)
        yield processes


@contextmanager
def started(commands: Iterable[tuple[Path, str]]) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """Run ``eco`` commands, each on its home, while the context lasts.

    Args:
        commands: home and words; the last word names the log in the home.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for home, command in commands:
            with _undisturbed():
                processes.append(_start(home, command))
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            _reap(process)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off SIGTERM and SIGINT until a process that was started is also noted."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for signalled in came:
        signal.raise_signal(signalled)


def _make_home(
    directory: Path, pki: DemoPki, actor: Actor, port: int, sections: str, store_url: str
) -> None:
    home = home_of(directory, actor.country)
    plan = HomePlan(
        identifier=actor.identifier,
        name=actor.name,
        country=actor.country,
        public_url=f"https://localhost:{port}",
        port=port,
        test=False,
        store_url=store_url,
        authority_code=actor.customs.code,
        sections=sections,
    )
    make_home(home, plan)
    for name in plan.names:
        key, certificate = pki.credential_files(actor.country, name.value)
        place_credential(home, KeyName(name), key=key, certificate=certificate)


def _card(gateway: Gateway, pki: DemoPki) -> PeerCard:
    settings = gateway.settings
    tls = x509.load_pem_x509_certificates(settings.resolve(settings.tls.certificate).read_bytes())
    return own_card(
        gateway.desk,
        public_url=settings.listen.public_url,
        tls=tls,
        authority_codes=settings.authority_codes,
        crls=pki.crl_texts(settings.gateway.country),
    )


def _introduce(gateway: Gateway, actor: Actor, cards: dict[str, PeerCard]) -> None:
    for country, card in cards.items():
        if country == actor.country:
            continue
        with gateway.store.begin() as conn:
            register_peer(
                conn,
                card,
                PeerTerms(channel=PeerChannel(actor.channel), soap_version="1.2"),
                own=actor.identifier,
                at=system_clock(),
                actor="user:demo",
            )
    write_client_ca(gateway.settings, gateway.store)


def _start(home: Path, command: str) -> subprocess.Popen[bytes]:
    words = command.split()
    with (home / f"{words[-1]}.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and command
            [sys.executable, "-m", "gateway", *words, "--home", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait_until_ready(stage: Stage, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    transport = PeerTransport()
    try:
        for country, gateway in stage.gateways.items():
            with gateway.store.read() as conn:
                peer = peers.every(conn)[0]
            endpoint = endpoint_book(gateway)(peer)
            while not _answers(transport, endpoint):
                if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
                    raise UnreachableError(
                        f"the gateway that {country} talks to did not start; see the logs in "
                        f"{stage.directory}"
                    )
                time.sleep(0.1)
    finally:
        transport.close()


def _answers(transport: PeerTransport, endpoint: PeerEndpoint) -> bool:
    try:
        transport.ping(endpoint)
    except GatewayError:
        return False
    return True


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()
