"""Two gateways at work while a test breaks the machine under them, and what must hold after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from gateway.app import Gateway, endpoint_book
from gateway.demo.stage import build_stage
from gateway.documents import CertificateOfOrigin
from gateway.errors import BusyError
from gateway.exchange.outbound import submit_document
from gateway.exchange.responding import CustomsAction, respond
from gateway.store import DeliveryState, Side, bodies, certificates, outbox, peers
from gateway.transport import PeerEndpoint
from tests.battery_machine.clocks import Clocks
from tests.battery_machine.databases import Databases
from tests.crash.checker import Books, broken_promises, read_books
from tests.crash.papers import certificate_issued, write_off
from tests.crash.processes import COMMANDS, LEASE_SECONDS, Crew, wait_for

USED_EACH = Decimal(500)
PAUSE = 0.25
LOCK_WAIT_SECONDS = 4.0
_BRISK = f"""[delivery]
lease_seconds = {LEASE_SECONDS}
connect_timeout_seconds = 2.0
read_timeout_seconds = 4.0
"""
_SECRETS = ("PRIVATE KEY", "<ram:", "SignatureValue", "Kapiri", "GoodsDescription", "passphrase")
"""What stands in keys, envelopes or documents, and in no line of a log."""


@dataclass
class Pair:
    """Is both gateways, and what their national systems were told and wrote off."""

    crew: Crew
    databases: Databases
    clocks: Clocks
    told: dict[str, str] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)
    said: dict[str, CustomsAction] = field(default_factory=dict)
    busy: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def gateway(self, country: str) -> Gateway:
        """Return the gateway of ``country`` on its own clock, in this process."""
        found = self.crew.stage.gateways[country]
        return replace(found, desk=replace(found.desk, clock=lambda: self.clocks.now(country)))

    def submit(self) -> str:
        """Hand Zambia a new certificate until it is accepted; return its serial number."""
        document = a_certificate(self)
        desk = self.gateway("ZM").desk
        answer = self._accepted(lambda: submit_document(desk, document))
        serial = document.serial_number
        self.told[serial] = answer.message_id or ""
        self.used[serial] = Decimal(0)
        return serial

    def write_off(self, serial: str, reference: str) -> str:
        """Hand Kenya a decision until it is accepted; return the id of the response.

        The same reference again is the same decision, to the letter.
        """
        action = self.said.setdefault(
            reference, write_off(serial, reference, USED_EACH, self.clocks.now("KE"))
        )
        desk = self.gateway("KE").desk
        answer = self._accepted(lambda: respond(desk, action))
        self.used[serial] += USED_EACH if reference not in self.told else 0
        self.told[reference] = answer.message_id or ""
        return self.told[reference]

    def has_arrived(self, serial: str) -> bool:
        with self.gateway("KE").store.read() as conn:
            return certificates.find(conn, Side.RECEIVED, "ZM", serial) is not None

    def state(self, country: str, message_id: str) -> tuple[DeliveryState, str | None]:
        with self.gateway(country).store.read() as conn:
            found = outbox.dispatch(conn, message_id)
        assert found is not None
        return found.state, found.code

    def envelope(self, message_id: str) -> bytes:
        """Return the bytes that Zambia sends or sent under ``message_id``."""
        with self.gateway("ZM").store.read() as conn:
            dispatch = outbox.dispatch(conn, message_id)
            assert dispatch is not None
            return bodies.get(conn, dispatch.envelope_sha256)

    def endpoint(self, sender: str) -> PeerEndpoint:
        """Return where ``sender`` finds its peer; asks the sender's database."""
        gateway = self.gateway(sender)
        with gateway.store.read() as conn:
            (peer,) = peers.every(conn)
        return endpoint_book(gateway)(peer)

    def exchange(self) -> str:
        """Let one certificate cross and one write-off come back; return the serial number."""
        serial = self.submit()
        self.wait(lambda: self.has_arrived(serial))
        self.write_off(serial, f"{serial}/1")
        return serial

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        wait_for(condition, seconds, self.crew)

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Let both national systems hand over documents for as long as the context lasts."""
        ended, broken = threading.Event(), []

        def trade() -> None:
            waiting: list[str] = []
            try:
                while not ended.wait(PAUSE):
                    waiting.append(self.submit())
                    waiting = [serial for serial in waiting if not self._used_if_there(serial)]
            except Exception as exc:  # noqa: BLE001 - raised again where the test sees it
                broken.append(exc)

        thread = threading.Thread(target=trade)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        assert not broken, broken

    def settle(self, seconds: float = 60) -> None:
        """Wait until all is delivered without a hand, then hold every promise against the books."""
        self.wait(lambda: not self.backlog(), seconds)
        books = self.books()
        found = broken_promises(books["ZM"], books["KE"], self.told, self.used)
        assert found == [], self.crew.log()
        self.assert_logs_tell_nothing()

    def backlog(self) -> int:
        """Return how many messages of both sides are not at their end."""
        return sum(len(_backlog(gateway)) for gateway in self.crew.stage.gateways.values())

    def books(self) -> dict[str, Books]:
        return {country: read_books(country, url) for country, url in self.databases.urls.items()}

    def assert_logs_tell_nothing(self) -> None:
        for country in self.crew.stage.gateways:
            for command in COMMANDS:
                text = (self.crew.stage.home(country) / f"{command}.log").read_text()
                assert [word for word in _SECRETS if word in text] == []

    def _used_if_there(self, serial: str) -> bool:
        try:
            if not self.has_arrived(serial):
                return False
        except BusyError:
            self.busy += 1
            return False
        self.write_off(serial, f"{serial}/1")
        return True

    def _accepted(self, ask: Callable[[], Any]) -> Any:
        """Ask again as a national system does, while the gateway says that it is busy."""
        for _ in range(400):
            try:
                return ask()
            except BusyError:
                self.busy += 1
                time.sleep(PAUSE)
        raise AssertionError("busy for too long")


@contextmanager
def pair_at_work(databases: Databases, folder: Path) -> Iterator[Pair]:
    """Run both gateways on ``databases``; nothing of them is left afterwards."""
    stage = build_stage(folder, databases.urls)
    for country in stage.gateways:
        settings = stage.home(country) / "gateway.toml"
        text = settings.read_text(encoding="utf-8")
        assert "[delivery]" in text
        assert "[store]\n" in text
        text = text.replace("[store]\n", f"[store]\nlock_wait_seconds = {LOCK_WAIT_SECONDS}\n")
        text = text.replace("longest_retry_seconds = 5.0", "longest_retry_seconds = 2.0")
        settings.write_text(text.replace("[delivery]\n", _BRISK), encoding="utf-8")
    clocks = Clocks(folder)
    crew = Crew(stage, environment={c: clocks.environment(c) for c in stage.gateways})
    try:
        crew.start_all()
        yield Pair(crew, databases, clocks)
    finally:
        crew.end_all()
        stage.close()


def _backlog(gateway: Gateway) -> Any:
    with gateway.store.read() as conn:
        return outbox.backlog(conn)


def a_certificate(pair: Pair) -> CertificateOfOrigin:
    """Return a new certificate that Zambia issued just now, by its own clock."""
    return certificate_issued(next(pair.numbers), pair.clocks.now("ZM"))
