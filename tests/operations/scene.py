"""What the tests of operating start from: premises of one side of a corridor, and its mail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from gateway.documents.codes import Language
from gateway.errors import UnreachableError
from gateway.exchange.outbound import submit_document
from gateway.operations.alerting import AlertDesk, Recipient
from gateway.operations.letters import Courier, Letter
from gateway.operations.notifying import Office
from gateway.operations.premises import Premises
from gateway.operations.rules import RuleBook
from gateway.store import AlertLevel, Peer, alerts
from gateway.transport import Channel, PeerEndpoint
from tests.exchange.corridor import Corridor, Side
from tests.factories import certificate

RULES = RuleBook.load()


def make_premises(
    side: Side, folder: Path, endpoint_of: Callable[[Peer], PeerEndpoint] | None = None
) -> Premises:
    """Return the premises of one side, its key files copied to ``folder``."""
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    files = {}
    for name in ("gateway", "authority", "customs", "tls"):
        files[name] = Path(shutil.copy(getattr(side.pki, name).key_path, keys / f"{name}.key"))
        files[name].chmod(0o600)
    return Premises(
        home=folder,
        desk=side.desk,
        rules=RULES,
        credentials={
            name: getattr(side.pki, name).credential for name in ("gateway", "authority", "customs")
        },
        key_files=files,
        tls_certificate=side.pki.tls.cert_path,
        own_crls=(side.pki.crl_path,),
        folders={"home": folder},
        endpoint_of=endpoint_of or _nowhere,
    )


def _nowhere(_peer: Peer) -> PeerEndpoint:
    return PeerEndpoint(channel=Channel.REST, url="http://127.0.0.1:9/rest/v1")


def queue(corridor: Corridor, number: int = 123) -> str:
    """Queue a certificate of origin from Zambia to Kenya and return its message id."""
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    message_id = submit_document(corridor.zm.desk, document).message_id
    assert message_id is not None
    return message_id


def fail_often(corridor: Corridor, times: int = 3) -> None:
    """Let as many attempts of Zambia find nobody."""
    corridor.zm.wire.down = True
    for _ in range(times):
        corridor.zm.work()
        corridor.clock.pass_time(minutes=20)


def live_rules(premises: Premises) -> list[str]:
    """Return the rules of the alerts that have not cleared."""
    with premises.desk.store.read() as conn:
        return [alert.rule for alert in alerts.live(conn)]


@dataclass
class Tray:
    """Is a courier that keeps letters, or refuses them."""

    letters: list[Letter] = field(default_factory=list)
    closed: bool = False

    def deliver(self, letter: Letter) -> None:
        if self.closed:
            raise UnreachableError("the tray is closed")
        self.letters.append(letter)


OPERATOR = Recipient(
    address="mail:ops@example.org", language=Language.ENGLISH, minimum=AlertLevel.INFO
)


def office(courier: Courier, *recipients: Recipient) -> Office:
    """Return an office that brings everything to one courier."""
    told = recipients or (OPERATOR,)
    desk = AlertDesk(rules=RULES, recipients=told, digest=timedelta(hours=1))
    return Office(desk=desk, couriers={each.address: courier for each in told})
