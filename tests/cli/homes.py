"""Gateway homes for tests: two countries introduced to each other, and a wire without sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.app import open_gateway, tls_certificates, worker_of
from gateway.demo.manifest import FOLDER, expand
from gateway.exchange.delivery import deliver_due
from gateway.exchange.inbound import accept
from gateway.store import bodies, outbox
from gateway.transport import PeerEndpoint
from gateway.trust import fingerprint_of
from tests.cli.eco import eco, eco_json
from tests.exchange.corridor import Wire

NAMES = {"ZM": "Zambia Single Window", "KE": 'Kenya "TradeNet"'}
SUGAR = "zm-ke-refined-sugar.json"
YARN = "zm-ke-cotton-yarn.json"
SINGLE_WINDOW = "single-window-json"


@dataclass(frozen=True)
class Pair:
    """Is Zambia's and Kenya's home, with the PKI that they come from."""

    folder: Path

    @property
    def zm(self) -> Path:
        return self.folder / "zm"

    @property
    def ke(self) -> Path:
        return self.folder / "ke"

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    def deliver(self) -> int:
        """Deliver what Zambia and Kenya have queued, without sockets; return how many attempts."""
        return _deliver(self.zm, self.ke) + _deliver(self.ke, self.zm)

    def sugar(self) -> str:
        """Submit the consignment of sugar, deliver it, and return its serial number."""
        answer = eco_json("submit", sample(self.folder), "--format", SINGLE_WINDOW, home=self.zm)
        assert self.deliver() == 1
        serial: str = answer[0]["reference"]
        return serial

    def decision(self, serial: str, kilos: int = 20_000, reference: str = "KRA-1") -> Path:
        """Write a decision of Kenya's customs about sugar and return its file."""
        path = self.folder / f"{reference}.json"
        path.write_text(json.dumps(customs_action(serial, kilos, reference)), encoding="utf-8")
        return path


def make_pair(folder: Path) -> Pair:
    """Make a PKI and two homes that know each other, by the commands that operators use."""
    pair = Pair(folder)
    eco_json("pki", "demo", pair.pki)
    for home, country, port in ((pair.zm, "ZM", 18443), (pair.ke, "KE", 18444)):
        eco_json("init", home, *identity(country, port), "--pki", pair.pki)
    for home, other in ((pair.zm, pair.ke), (pair.ke, pair.zm)):
        card = save_card(other, folder / f"{other.name}.card.json")
        known = eco("peer", "add", card, "--fingerprint", fingerprint(other), home=home)
        assert known.status == 0, known.err
    return pair


def identity(country: str, port: int = 8443) -> list[str]:
    """The options that name a gateway of ``country``."""
    return [
        *("--identifier", f"{country}-SW", "--name", NAMES.get(country, country)),
        *("--country", country, "--port", str(port)),
        *("--public-url", f"https://localhost:{port}"),
    ]


def save_card(home: Path, file: Path) -> Path:
    """Write the card of a home to ``file``."""
    file.write_text(eco("peer", "card", home=home).out, encoding="utf-8")
    return file


def fingerprint(home: Path) -> str:
    """The card's fingerprint as an operator reads it on the terminal."""
    return eco("peer", "card", home=home).err.partition(":")[2].strip()


def sample(folder: Path, name: str = SUGAR) -> Path:
    """Write a consignment of the demonstration, dated today, and return its file."""
    path = folder / name
    text = (FOLDER / name).read_text(encoding="utf-8")
    path.write_text(expand(text, datetime.now(UTC)), encoding="utf-8")
    return path


def customs_action(serial: str, kilos: int, reference: str) -> dict[str, object]:
    """The form of ``eco respond`` for a partial use of sugar."""
    now = datetime.now(UTC)
    return {
        "issuing_country": "ZM",
        "serial_number": serial,
        "status": "PARTIAL",
        "reference": reference,
        "decided_at": now.isoformat(timespec="minutes"),
        "customs_authority": {
            "code": "KE-KRA",
            "name": "Kenya Revenue Authority",
            "country": "KE",
            "office_code": "KE-KRA-NMG",
        },
        "officer": {
            "identifier": "KE-KRA-O-112",
            "name": "A. Otieno",
            "role": "Releasing officer",
        },
        "items": [{"number": 1, "quantity": {"value": str(kilos), "unit": "KGM"}}],
        "declaration": {
            "number": f"DECL-{reference}",
            "declared_on": now.date().isoformat(),
            "office_code": "KE-KRA-NMG",
        },
    }


def envelope(home: Path, message_id: str) -> bytes:
    """The signed envelope of a message that ``home`` sent."""
    return _stored(home, message_id, "envelope_sha256")


def payload(home: Path, message_id: str) -> bytes:
    """The signed document of a message that ``home`` sent."""
    return _stored(home, message_id, "payload_sha256")


def receipt(home: Path, message_id: str) -> bytes:
    """The receipt that came back for a message that ``home`` sent."""
    gateway = open_gateway(home)
    try:
        with gateway.store.read() as conn:
            found = outbox.receipt(conn, message_id)
    finally:
        gateway.close()
    assert found is not None
    return found


def _stored(home: Path, message_id: str, member: str) -> bytes:
    gateway = open_gateway(home)
    try:
        with gateway.store.read() as conn:
            dispatch = outbox.dispatch(conn, message_id)
            assert dispatch is not None
            return bodies.get(conn, getattr(dispatch, member))
    finally:
        gateway.close()


def _deliver(sender: Path, receiver: Path) -> int:
    here, there = open_gateway(sender), open_gateway(receiver)
    caller = fingerprint_of(tls_certificates(here.settings)[0])
    wire = _Wire(deliver=lambda raw: accept(there.desk, raw, tls_fingerprint=caller))
    try:
        return deliver_due(worker_of(here, wire, name="test"))
    finally:
        here.close()
        there.close()


class _Wire(Wire):
    """Is the corridor's wire; the endpoint is built from the home, but nothing is called."""

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        assert endpoint.url.startswith("https://localhost")
        return super().send(endpoint, envelope)
