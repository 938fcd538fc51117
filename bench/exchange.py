"""The pipelines of the gateway in process, each with real keys and a database of its own.

What a call uses up (a document, an envelope, a queued message) is made just before it and not
timed.  Whole round trips stand in ``trips``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial

from bench.gateways import RECEIVER, SENDER, Database, Side, gateways
from bench.harness import Supplied, Work, measure
from bench.material import Documents, Shared
from bench.rooms import signing_keys
from gateway.app import worker_of
from gateway.documents import CertificateOfOrigin, Verdict
from gateway.errors import UnreachableError
from gateway.exchange.delivery import deliver_due
from gateway.exchange.inbound import accept
from gateway.exchange.outbound import Prepared, prepare, submit_document, submit_within
from gateway.exchange.receipts import check_receipt, sha256_of
from gateway.store import inbox
from gateway.transport import PeerEndpoint, PingAnswer, StatusAnswer

PIPELINES = "the pipelines, in process"

COMMIT = {
    Database.SQLITE: "SQLite, WAL, synchronous=FULL",
    Database.POSTGRESQL: "PostgreSQL, synchronous_commit=on",
}
PREPARE_LIMITS = (
    "lxml parse",
    "XSD validate, schema loaded",
    "exclusive C14N",
    "exclusive C14N",
    "P-256 sign",
    "RSA-2048 sign",
)
ACCEPT_LIMITS = (
    "lxml parse",
    "lxml parse",
    "XSD validate, schema loaded",
    "exclusive C14N",
    "exclusive C14N",
    "P-256 verify",
    "RSA-2048 verify",
    "RSA-2048 sign",
)
RECEIPT_LIMITS = ("RSA-2048 verify",)

PREPARE = "prepare a message (render, check, sign twice)"
CHECK_RECEIPT = "check a receipt"


SUBMIT_3072 = "submit a document, SQLite, RSA-3072"
TOGETHER = 16
SUBMIT_TOGETHER = f"submit {TOGETHER} documents to a commit, SQLite"
PREPARE_IN_THREADS = "prepare messages in two threads"
AT_ONCE = 8


def submit_on(database: Database) -> str:
    """Return the name of the measure of submitting."""
    return f"submit a document, {database}"


def accept_on(database: Database) -> str:
    """Return the name of the measure of accepting."""
    return f"accept an envelope, {database}"


def accept_at_once_on(database: Database) -> str:
    """Return the name of the measure of accepting from many senders at once."""
    return f"accept from {AT_ONCE} senders at once, {database}"


def deliver_on(database: Database) -> str:
    """Return the name of the measure of delivering without a wire."""
    return f"claim, check and record a delivery, {database}"


def _pair(database: Database) -> AbstractContextManager[Mapping[str, Side]]:
    return gateways(database, (SENDER, RECEIVER))


PAIRS = {
    Database.SQLITE: Shared(lambda: _pair(Database.SQLITE)),
    Database.POSTGRESQL: Shared(lambda: _pair(Database.POSTGRESQL)),
}
"""Two gateways for measures that do not disturb one another: one alone uses the outbox."""


class Maker:
    """Makes envelopes from the sender to the receiver that no gateway has seen."""

    def __init__(self, sender: Side, first: int = 1, documents: Documents | None = None) -> None:
        self._desk = sender.gateway.desk
        self._peer = sender.peer(RECEIVER)
        self._documents = Documents(first) if documents is None else documents

    def next(self) -> Prepared:
        """Return a message that is signed and not stored."""
        return prepare(
            self._desk, self._documents.next(), self._peer, findings=(), now=self._desk.clock()
        )


@dataclass
class AtHand:
    """Is a transport whose peer's answers lie ready, so that nothing but delivery is timed."""

    answers: dict[bytes, bytes] = field(default_factory=dict)

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the receipt made for this envelope, once."""
        del endpoint
        return self.answers.pop(envelope)

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Refuse: nobody is there."""
        raise UnreachableError(endpoint.url)

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Refuse: nobody is there."""
        raise UnreachableError(f"{endpoint.url} {message_id}")


@measure(PREPARE, group=PIPELINES, limits=PREPARE_LIMITS)
def _prepare() -> Iterator[Work]:
    with PAIRS[Database.SQLITE]() as sides:
        desk, peer = sides[SENDER].gateway.desk, sides[SENDER].peer(RECEIVER)
        documents = Documents()
        yield Supplied(
            documents.next,
            lambda document: prepare(desk, document, peer, findings=(), now=desk.clock()),
        )


@measure(CHECK_RECEIPT, group=PIPELINES, limits=RECEIPT_LIMITS)
def _check_receipt() -> Iterator[Work]:
    with PAIRS[Database.SQLITE]() as sides:
        sender, receiver = sides[SENDER], sides[RECEIVER]
        desk, peer = sender.gateway.desk, sender.peer(RECEIVER)
        sent = Maker(sender, first=900_000).next()
        receipt = _accepted(receiver, sender, sent.envelope)
        digest = sha256_of(sent.envelope)
        with sender.gateway.store.read() as conn:
            trust = desk.trust_cache.of(conn, peer)
        yield lambda: check_receipt(
            desk,
            receipt,
            trust,
            sender=peer.identifier,
            message_id=sent.header.message_id,
            sha256=digest,
            now=desk.clock(),
        )


def _submit(database: Database) -> Iterator[Work]:
    with _pair(database) as sides:
        desk = sides[SENDER].gateway.desk
        yield Supplied(Documents().next, lambda document: submit_document(desk, document))


def _accept(database: Database) -> Iterator[Work]:
    with PAIRS[database]() as sides:
        sender, receiver = sides[SENDER], sides[RECEIVER]
        maker = Maker(sender, first=1)
        yield Supplied(
            lambda: maker.next().envelope, lambda envelope: _accepted(receiver, sender, envelope)
        )
        _require_acceptance(receiver)


def _deliver(database: Database) -> Iterator[Work]:
    with PAIRS[database]() as sides:
        sender, receiver = sides[SENDER], sides[RECEIVER]
        transport, documents = AtHand(), Documents(first=400_000)
        worker = worker_of(sender.gateway, transport, name="bench")

        def queue_one() -> None:
            submission = submit_document(worker.desk, documents.next())
            envelope = sender.queued_envelope(submission.message_id or "")
            transport.answers[envelope] = _accepted(receiver, sender, envelope)

        def deliver_it(_: object) -> None:
            if deliver_due(worker) != 1 or transport.answers:
                raise RuntimeError("the queued message was not the one delivered")

        yield Supplied(queue_one, deliver_it)
        _require_acceptance(receiver)


def _accepted(receiver: Side, sender: Side, envelope: bytes) -> bytes:
    return accept(receiver.gateway.desk, envelope, tls_fingerprint=sender.tls_fingerprint)


def _require_acceptance(receiver: Side) -> None:
    """Stop where the newest arrivals were refused: a refusal costs less than what is measured."""
    with receiver.gateway.store.read() as conn:
        arrivals = inbox.page(conn, limit=100)
    refused = [each for each in arrivals if each.verdict is not Verdict.ACCEPTED]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(arrivals)} measured envelopes were refused")


def _register(database: Database) -> None:
    commit = COMMIT[database]
    submitting = measure(submit_on(database), group=PIPELINES, limits=(*PREPARE_LIMITS, commit))
    submitting(lambda: _submit(database))
    accepting = measure(accept_on(database), group=PIPELINES, limits=(*ACCEPT_LIMITS, commit))
    accepting(lambda: _accept(database))
    delivering = measure(deliver_on(database), group=PIPELINES, limits=(*RECEIPT_LIMITS, commit))
    delivering(lambda: _deliver(database))


for _database in Database:
    _register(_database)


@measure(SUBMIT_3072, group=PIPELINES)
def _submit_with_long_key() -> Iterator[Work]:
    with _pair(Database.SQLITE) as sides, signing_keys() as keys:
        desk = replace(sides[SENDER].gateway.desk, gateway_credential=keys[3072])
        yield Supplied(Documents().next, lambda document: submit_document(desk, document))


@measure(SUBMIT_TOGETHER, group=PIPELINES, calls=TOGETHER)
def _submit_together() -> Iterator[Work]:
    with _pair(Database.SQLITE) as sides:
        desk, documents = sides[SENDER].gateway.desk, Documents()

        def submit_all(batch: Sequence[CertificateOfOrigin]) -> None:
            with desk.store.begin() as conn:
                for document in batch:
                    submit_within(desk, conn, document)

        yield Supplied(lambda: [documents.next() for _ in range(TOGETHER)], submit_all)


@measure(PREPARE_IN_THREADS, group=PIPELINES, calls=2 * TOGETHER)
def _prepare_in_threads() -> Iterator[Work]:
    with PAIRS[Database.SQLITE]() as sides, ThreadPoolExecutor(2) as threads:
        desk, peer = sides[SENDER].gateway.desk, sides[SENDER].peer(RECEIVER)
        documents = Documents()

        def prepare_one(document: CertificateOfOrigin) -> Prepared:
            return prepare(desk, document, peer, findings=(), now=desk.clock())

        yield Supplied(
            lambda: [documents.next() for _ in range(2 * TOGETHER)],
            lambda batch: list(threads.map(prepare_one, batch)),
        )


def _accept_at_once(database: Database) -> Iterator[Work]:
    with PAIRS[database]() as sides, ThreadPoolExecutor(AT_ONCE) as threads:
        sender, receiver = sides[SENDER], sides[RECEIVER]
        maker = Maker(sender, first=600_000)
        yield Supplied(
            lambda: [maker.next().envelope for _ in range(4 * AT_ONCE)],
            lambda batch: list(
                threads.map(lambda envelope: _accepted(receiver, sender, envelope), batch)
            ),
        )
        _require_acceptance(receiver)


for _database in Database:
    _at_once = measure(accept_at_once_on(_database), group=PIPELINES, calls=4 * AT_ONCE, least=2)
    _at_once(partial(_accept_at_once, _database))
