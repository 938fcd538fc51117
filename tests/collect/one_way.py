"""A corridor in which Kenya cannot be called: it calls Zambia, delivers and collects there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.errors import GatewayError, PeerFaultError, TimedOutError
from gateway.exchange.answers import PeerEntrance
from gateway.exchange.fetching import Collector, Fetched, collect_from
from gateway.exchange.outbound import submit_document
from gateway.store import Peer, PeerChannel, PeerProfile, Store, journal, peers
from gateway.transport import Channel, Collected, Confirmed, Decline, Declined, PeerEndpoint
from gateway.trust.demo_pki import DemoPki
from tests.exchange.corridor import Corridor, Side, make_corridor
from tests.factories import certificate

ENDPOINT = PeerEndpoint(channel=Channel.REST, url="http://127.0.0.1:9/rest/v1")


@dataclass
class CollectWire:
    """Is the way on which one side collects at the other; ``step`` may cut it anywhere."""

    holder: PeerEntrance
    fingerprint: str
    step: Callable[[str], None] = lambda _place: None
    receipts: list[bytes] = field(default_factory=list)
    lost: int = 0

    def collect(self, endpoint: PeerEndpoint, limit: int) -> Collected:
        self.step("before collect")
        said = self._answered(lambda: self.holder.collect(limit, self.fingerprint))
        self.step("after collect")
        return said

    def confirm(self, endpoint: PeerEndpoint, message_id: str, receipt: bytes) -> Confirmed:
        self.step("before confirm")
        self.receipts.append(receipt)
        said = self._answered(lambda: self.holder.confirm(message_id, receipt, self.fingerprint))
        self.step("after confirm")
        if self.lost:
            self.lost -= 1
            raise TimedOutError("the answer never came")
        return said

    def decline(self, endpoint: PeerEndpoint, message_id: str, why: Decline) -> Declined:
        self.step("before decline")
        return self._answered(lambda: self.holder.decline(message_id, why, self.fingerprint))

    def _answered(self, ask: Callable[[], object]):
        try:
            return ask()
        except GatewayError as exc:
            raise PeerFaultError(
                exc.detail, peer_code=exc.code, peer_retryable=exc.retryable
            ) from exc


@dataclass
class OneWay:
    """Is the corridor with the collecting side ready."""

    corridor: Corridor
    wire: CollectWire
    collector: Collector

    @property
    def zm(self) -> Side:
        return self.corridor.zm

    @property
    def ke(self) -> Side:
        return self.corridor.ke

    def collect(self) -> tuple[Fetched, ...]:
        return collect_from(self.collector, self.ke.peer())

    def pass_time(self, **kwargs: float) -> None:
        self.corridor.clock.pass_time(**kwargs)


def make_one_way(pki: DemoPki, make_store: Callable[[], Store]) -> OneWay:
    """Return a corridor in which Zambia knows Kenya as collecting and Kenya fetches from it."""
    corridor = make_corridor(pki, make_store)
    change_peer(corridor.zm, channel=PeerChannel.COLLECT)
    change_peer(corridor.ke, collect=True)
    wire = CollectWire(PeerEntrance(corridor.zm.desk), corridor.ke.tls_fingerprint)
    collector = Collector(
        name="worker-KE", desk=corridor.ke.desk, transport=wire, endpoint_of=lambda _peer: ENDPOINT
    )
    return OneWay(corridor, wire, collector)


def change_peer(side: Side, **changes: object) -> Peer:
    """Replace members of the profile of a side's one peer."""
    peer = side.peer()
    profile = PeerProfile(**{n: getattr(peer, n) for n in PeerProfile.__dataclass_fields__})
    with side.desk.store.begin() as conn:
        return peers.change(
            conn,
            peer.id,
            replace(profile, **changes),
            at=side.desk.clock(),
            actor="user:test",
        )


def queue(side: Side, number: int = 123) -> str:
    """Let Zambia issue a certificate and return the id of its message."""
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    message_id = submit_document(side.desk, document).message_id
    assert message_id is not None
    return message_id


def entries(side: Side, **wanted: object):
    with side.desk.store.read() as conn:
        return journal.page(conn, limit=500, **wanted)
