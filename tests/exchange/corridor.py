"""Two gateways with real stores and keys, joined in memory; the clock stands still.

The wire hands envelope bytes to the other side's ``accept`` with the sender's TLS fingerprint;
a test may bend it (lose the answer, alter bytes) to see what the pipelines do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from gateway.agreements import load_agreements
from gateway.documents import CustomsResponse, DocumentType, UtilisationStatus
from gateway.documents.base import Quantity
from gateway.errors import GatewayError, PeerFaultError, UnreachableError
from gateway.exchange.context import SIGNING_ROLE, Desk, Identity, Limits
from gateway.exchange.delivery import Worker, deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.exchange.responding import CustomsAction, WriteOff, respond
from gateway.exchange.retry import RetryPolicy
from gateway.store import Peer, PeerChannel, Store, inbox, outbox, peers
from gateway.transport import Channel, PeerEndpoint, PingAnswer, StatusAnswer
from gateway.trust import COMPATIBLE, Credential, PeerTrust, RegisteredSigner, RevocationPolicy
from gateway.trust.demo_pki import CountryPki, DemoPki
from gateway.xml.mapping import load_tables
from gateway.xml.schema import SchemaSet
from tests.factories import NOW, customs_response

TABLES = load_tables()
SCHEMAS = SchemaSet.load()
AGREEMENTS = load_agreements()
LIMITS = Limits(max_age=timedelta(days=30), clock_skew=timedelta(minutes=5))
AUTHORITIES = {
    "ZM": {DocumentType.CERTIFICATE_OF_ORIGIN: "ZM-ZRA", DocumentType.CUSTOMS_RESPONSE: "ZM-ZRA"},
    "KE": {DocumentType.CERTIFICATE_OF_ORIGIN: "KE-KRA", DocumentType.CUSTOMS_RESPONSE: "KE-KRA"},
}
NAMES = {"ZM": "ZM-SW", "KE": "KE-SW"}


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


@dataclass
class Wire:
    """Is the transport between two gateways of a test; ``bend`` may spoil the answer."""

    deliver: Callable[[bytes], bytes]
    bend: Callable[[bytes], bytes] = lambda answer: answer
    down: bool = False
    sent: list[bytes] = field(default_factory=list)

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        if self.down:
            raise UnreachableError("the line is down")
        self.sent.append(envelope)
        try:
            answer = self.deliver(envelope)
        except GatewayError as exc:
            raise PeerFaultError(
                exc.detail, peer_code=exc.code, peer_retryable=exc.retryable
            ) from exc
        return self.bend(answer)

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        raise UnreachableError("no ping in tests")

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        raise UnreachableError("no status in tests")


@dataclass
class Side:
    """Is one gateway of the corridor."""

    country: str
    desk: Desk
    pki: CountryPki
    tls_fingerprint: str
    wire: Wire = field(init=False)
    worker: Worker = field(init=False)

    def accept(self, raw: bytes, *, fingerprint: str | None) -> bytes:
        return accept(self.desk, raw, tls_fingerprint=fingerprint)

    def work(self) -> int:
        return deliver_due(self.worker)

    def peer(self) -> Peer:
        with self.desk.store.read() as conn:
            return peers.every(conn)[0]

    def dispatch(self, message_id: str | None):
        with self.desk.store.read() as conn:
            return outbox.dispatch(conn, message_id or "")

    def arrivals(self):
        with self.desk.store.read() as conn:
            return inbox.page(conn, limit=100)


@dataclass
class Corridor:
    """Is Zambia and Kenya, introduced to each other."""

    zm: Side
    ke: Side
    clock: Clock

    def close(self) -> None:
        self.zm.desk.store.close()
        self.ke.desk.store.close()


def make_corridor(pki: DemoPki, make_store: Callable[[], Store]) -> Corridor:
    """Return a corridor on two fresh stores."""
    clock = Clock()
    zm, ke = (_side(pki.countries[code], make_store(), clock) for code in ("ZM", "KE"))
    for side, other in ((zm, ke), (ke, zm)):
        _introduce(side, other, clock)
        side.wire = Wire(
            deliver=lambda raw, s=side, o=other: o.accept(raw, fingerprint=s.tls_fingerprint)
        )
        side.worker = _worker(side)
    return Corridor(zm=zm, ke=ke, clock=clock)


def make_desk(pki: CountryPki, store: Store, clock: Clock) -> Desk:
    """Return the desk of one country's gateway."""
    signers = {
        DocumentType.CERTIFICATE_OF_ORIGIN: pki.authority.credential,
        DocumentType.CUSTOMS_RESPONSE: pki.customs.credential,
    }
    return Desk(
        identity=Identity(
            identifier=NAMES[pki.country], name=pki.country, country=pki.country, test=False
        ),
        store=store,
        tables=TABLES,
        schemas=SCHEMAS,
        agreements=AGREEMENTS,
        gateway_credential=pki.gateway.credential,
        signers=signers,
        own_trust=own_trust(pki, signers),
        limits=LIMITS,
        clock=clock,
    )


def own_trust(pki: CountryPki, signers: dict[DocumentType, Credential]) -> PeerTrust:
    return PeerTrust(
        country=pki.country,
        anchors=(pki.ca.cert,),
        signers=tuple(
            RegisteredSigner(
                fingerprint=credential.fingerprint, country=pki.country, role=SIGNING_ROLE[kind]
            )
            for kind, credential in signers.items()
        ),
        crls=(),
        policy=COMPATIBLE,
        revocation=RevocationPolicy.WHEN_KNOWN,
    )


def action(status: UtilisationStatus, quantity: str | None = None, **changes: object):
    """Return Kenya's decision on ``factories.certificate()``; keyword arguments replace."""
    template = customs_response()
    values: dict[str, object] = {
        "issuing_country": "ZM",
        "serial_number": "ZM-20260309-000123",
        "status": status,
        "reference": f"{status}-{quantity}",
        "decided_at": NOW,
        "customs_authority": template.customs_authority,
        "officer": template.officer,
        "items": ()
        if quantity is None
        else (WriteOff(number=1, quantity=Quantity(value=quantity, unit="KGM")),),
        "declaration": template.declaration.model_copy(update={"declared_on": NOW.date()})
        if status.uses_goods
        else None,
    }
    return CustomsAction(**(values | changes))


def decide(side: Side, status: UtilisationStatus, quantity: str | None = None, **changes: object):
    """Let customs decide and queue the response."""
    return respond(side.desk, action(status, quantity, **changes))


def _side(pki: CountryPki, store: Store, clock: Clock) -> Side:
    tls = x509.load_pem_x509_certificates(pki.tls.cert_path.read_bytes())
    from gateway.trust import fingerprint_of

    return Side(
        country=pki.country,
        desk=make_desk(pki, store, clock),
        pki=pki,
        tls_fingerprint=fingerprint_of(tls[0]),
    )


def _introduce(side: Side, other: Side, clock: Clock) -> None:
    tls = x509.load_pem_x509_certificates(other.pki.tls.cert_path.read_bytes())
    card = own_card(
        other.desk,
        public_url=f"https://{other.country.lower()}.example",
        tls=tls,
        authority_codes=AUTHORITIES[other.country],
        crls=[other.pki.crl_path.read_text()],
    )
    with side.desk.store.begin() as conn:
        register_peer(
            conn,
            card,
            PeerTerms(channel=PeerChannel.SOAP),
            own=side.desk.identity.identifier,
            at=clock(),
            actor="user:test",
        )


def _worker(side: Side) -> Worker:
    return Worker(
        name=f"worker-{side.country}",
        desk=side.desk,
        transport=side.wire,
        endpoint_of=lambda peer: PeerEndpoint(channel=Channel.SOAP, url="http://127.0.0.1:9/soap"),
        retry=RetryPolicy(
            first=timedelta(seconds=5),
            longest=timedelta(minutes=15),
            give_up_after=timedelta(hours=72),
        ),
        lease_seconds=60,
        batch=10,
    )


def response_of(payload: bytes) -> CustomsResponse:
    from gateway.xml.parsing import parse

    return TABLES[DocumentType.CUSTOMS_RESPONSE].read(parse(payload))
