"""Two gateways whose peer addresses lead over lines that a test spoils, and what must hold after.

Certificates of origin go from Zambia to Kenya over SOAP, customs responses back over REST; each
fault is put on both ways at once.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from gateway.app import Gateway, endpoint_book
from gateway.demo.stage import Stage, build_stage
from gateway.exchange.outbound import submit_document
from gateway.exchange.responding import respond
from gateway.store import Attempt, DeliveryState, Dispatch, Peer, PeerProfile, bodies, outbox, peers
from gateway.transport import PeerEndpoint
from tests.battery.liar import Face, Lie, liar
from tests.battery.line import SOUND, Line, Trouble
from tests.crash.checker import broken_promises, read_books
from tests.crash.papers import certificate_of_today, write_off
from tests.crash.processes import COMMANDS, Crew
from tests.wire.tls_files import Pair as TlsPair

WAYS = {"ZM": "KE", "KE": "ZM"}
"""Who sends to whom."""
USED_EACH = Decimal(50)
_BRISK = {
    "poll_seconds": "0.05",
    "lease_seconds": "10",
    "first_retry_seconds": "0.2",
    "longest_retry_seconds": "2.0",
    "connect_timeout_seconds": "1.5",
    "read_timeout_seconds": "1.5",
    "retry_table": '"retry.yaml"',
}
_BRISK_LANE = "lane: {after: 1, first: 0.2, factor: 2, longest: 1}\n"
_NEVER_LOGGED = (
    "PRIVATE KEY",
    "BEGIN CERTIFICATE",
    "SignatureValue",
    "<?xml",
    "Envelope>",
    "Cotton yarn",
    "Kafue Textiles",
    "J. Mwansa",
    "Nairobi Garments",
)


@dataclass
class Sent:
    """Is one message on its way."""

    country: str
    message_id: str


@dataclass
class Pair:
    """Is both gateways at work, their lines, and what their national systems were told."""

    crew: Crew
    urls: Mapping[str, str]
    lines: Mapping[str, Line]
    told: dict[str, str] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)
    landed: str = ""
    old_receipts: dict[str, bytes] = field(default_factory=dict)
    _uses: int = 0

    @property
    def stage(self) -> Stage:
        return self.crew.stage

    def gateway(self, country: str) -> Gateway:
        return self.stage.gateways[country]

    # --- what the national systems do ---

    def submit(self) -> Sent:
        """Let Zambia issue one more certificate."""
        document = certificate_of_today(len(self.used) + 1)
        answer = submit_document(self.gateway("ZM").desk, document)
        self.told[document.serial_number] = answer.message_id or ""
        self.used[document.serial_number] = Decimal(0)
        return Sent("ZM", answer.message_id or "")

    def use(self) -> Sent:
        """Let Kenya's customs write off a part of a certificate that has arrived."""
        self._uses += 1
        reference = f"use-{self._uses:06}"
        action = write_off(self.landed, reference, USED_EACH)
        self.told[reference] = respond(self.gateway("KE").desk, action).message_id or ""
        self.used[self.landed] += USED_EACH
        return Sent("KE", self.told[reference])

    def send_both_ways(self, count: int = 1) -> list[Sent]:
        return [one for _ in range(count) for one in (self.submit(), self.use())]

    # --- what the books say ---

    def dispatch(self, sent: Sent) -> Dispatch:
        with self.gateway(sent.country).store.read() as conn:
            found = outbox.dispatch(conn, sent.message_id)
        assert found is not None
        return found

    def attempts(self, sent: Sent) -> tuple[Attempt, ...]:
        with self.gateway(sent.country).store.read() as conn:
            return outbox.attempts_of(conn, sent.message_id)

    def stored(self, sent: Sent) -> tuple[bytes, bytes]:
        """Return the envelope as it was sent and the receipt that was stored for it."""
        dispatch = self.dispatch(sent)
        with self.gateway(sent.country).store.read() as conn:
            receipt = bodies.get(conn, dispatch.receipt_sha256 or "")
            return bodies.get(conn, dispatch.envelope_sha256), receipt

    def peer(self, country: str) -> Peer:
        """Return the one peer that ``country`` has."""
        with self.gateway(country).store.read() as conn:
            (peer,) = peers.every(conn)
        return peer

    def endpoint(self, country: str) -> PeerEndpoint:
        return endpoint_book(self.gateway(country))(self.peer(country))

    def broken_promises(self) -> list[str]:
        issuer, importer = (read_books(country, self.urls[country]) for country in WAYS)
        return broken_promises(issuer, importer, self.told, self.used)

    def leaks(self) -> list[str]:
        """Return what stands in a log of a process though it never may."""
        found = []
        for country in WAYS:
            home = self.stage.home(country)
            keys = "".join(path.read_text() for path in home.glob("keys/*.key.pem"))
            secret = [line for line in keys.splitlines() if len(line) == 64]
            logs = "".join((home / f"{c}.log").read_text(errors="replace") for c in COMMANDS)
            found += [f"{country}: {each}" for each in (*_NEVER_LOGGED, *secret) if each in logs]
        return found

    # --- faults ---

    @contextmanager
    def trouble(self, trouble: Trouble) -> Iterator[None]:
        """Let both lines suffer while the context lasts."""
        for line in self.lines.values():
            line.suffer(trouble)
        try:
            yield
        finally:
            self.mend()

    @contextmanager
    def lying(self, lie: Lie, tls: TlsPair | None = None) -> Iterator[dict[str, int]]:
        """Let both addresses lie while the context lasts.

        Args:
            tls: shown in place of the peer's own TLS certificate.

        Yields how often each sender asked, while it is counted.
        """
        asked = dict.fromkeys(WAYS, 0)

        def counting(sender: str) -> Lie:
            def answer(it: object) -> None:
                asked[sender] += 1
                lie(it)  # type: ignore[arg-type]

            return answer

        with ExitStack() as stack:
            for sender in WAYS:
                server = liar(self._face(sender, tls), counting(sender))
                stack.callback(server.close)
                self.lines[sender].suffer(SOUND, server.port)
            stack.callback(self.mend)
            yield asked

    def mend(self) -> None:
        for line in self.lines.values():
            line.suffer(SOUND)

    def _face(self, sender: str, tls: TlsPair | None) -> Face:
        receiver = self.gateway(WAYS[sender])
        own = self.stage.pki.countries[WAYS[sender]].tls
        asking = self.stage.pki.countries[sender].tls
        context = ssl.create_default_context(cafile=str(self.stage.pki.root_path))
        context.load_cert_chain(asking.cert_path, asking.key_path)
        return Face(
            gateway=receiver,
            tls=tls or TlsPair(own.cert_path, own.key_path, own.fingerprint),
            client=context,
            port=receiver.settings.listen.port,
            replay=self.old_receipts.get(sender, b""),
        )

    # --- waiting ---

    def until(self, condition: Callable[[], object], seconds: float = 30) -> float:
        """Return the seconds until ``condition()`` holds; fail with the logs if it never does."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() < begun + seconds, f"not in {seconds} s\n{self.crew.log()}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def until_delivered(self, sent: list[Sent], seconds: float = 30) -> float:
        """Return the seconds until every message of ``sent`` is delivered."""
        return self.until(lambda: all(map(self.is_delivered, sent)), seconds)

    def is_delivered(self, sent: Sent) -> bool:
        return self.dispatch(sent).state is DeliveryState.DELIVERED


@contextmanager
def pair_at_work(directory: Path, stores: Mapping[str, str] | None = None) -> Iterator[Pair]:
    """Run both gateways with short pauses over two lines, a first exchange behind them.

    Args:
        stores: databases by country; SQLite files in the homes unless given.
    """
    with ExitStack() as stack:
        stage = build_stage(directory, stores)
        stack.callback(stage.close)
        lines = {c: Line(stage.gateways[WAYS[c]].settings.listen.port) for c in WAYS}
        for country, line in lines.items():
            stack.callback(line.close)
            _quicken(stage.home(country))
            _lead_over(line, stage.gateways[country])
        crew = Crew(stage)
        stack.callback(crew.end_all)
        crew.start_all()
        urls = {c: gateway.settings.store_url for c, gateway in stage.gateways.items()}
        pair = Pair(crew, urls, lines)
        _first_exchange(pair)
        yield pair


def _first_exchange(pair: Pair) -> None:
    first = pair.submit()
    pair.until_delivered([first])
    (pair.landed,) = pair.used
    answer = pair.use()
    pair.until_delivered([answer])
    pair.old_receipts = {sent.country: pair.stored(sent)[1] for sent in (first, answer)}


def _quicken(home: Path) -> None:
    """Shorten every pause of a home, by its settings and a retry table of its own."""
    file = home / "gateway.toml"
    kept = [
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.split(" = ")[0] not in _BRISK
    ]
    brisk = [f"{name} = {value}" for name, value in _BRISK.items()]
    at = kept.index("[delivery]") + 1
    file.write_text("\n".join([*kept[:at], *brisk, *kept[at:]]) + "\n", encoding="utf-8")
    (home / "retry.yaml").write_text(_BRISK_LANE, encoding="utf-8")


def _lead_over(line: Line, gateway: Gateway) -> None:
    """Let the address of the one peer of ``gateway`` lead over ``line``."""
    with gateway.store.begin() as conn:
        (peer,) = peers.every(conn)
        url = re.sub(r":\d+/", f":{line.port}/", peer.url)
        values = {name: getattr(peer, name) for name in PeerProfile.__dataclass_fields__}
        profile = replace(PeerProfile(**values), url=url)
        peers.change(conn, peer.id, profile, at=gateway.desk.clock(), actor="user:test")
